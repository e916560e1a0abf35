import { z } from "zod";
import { areCertificates } from "./certificates";
import { type ConfigProblem, HIDDEN } from "./config-problems";
import { NAME } from "./names";
import { propertyPath, quotePath } from "./property-path";

/** One field of an object in the configuration. */
export interface Field {
    readonly schema: z.ZodType;
    readonly allowed: string;
    readonly example: string;
    /** Its value is never shown. */
    readonly isSecret?: true;
}

export const PEM_FIELD: Field = {
    schema: z.string().refine(areCertificates),
    allowed: "one or more certificates, PEM",
    example: "< ca.crt",
};

/** Checks an object field by field, so that each problem is named by its path; returns the fields that are right. */
export function readFields(
    path: string,
    value: unknown,
    fields: Readonly<Record<string, Field>>,
    problems: ConfigProblem[],
): Record<string, unknown> {
    if (!isObject(value)) {
        problems.push({
            key: path,
            given: HIDDEN,
            allowed: `an object with the fields ${Object.keys(fields).join(", ")}`,
            fix: `pulumi config rm --path ${quotePath(path)}`,
        });
        return {};
    }
    const right: [string, unknown][] = [];
    for (const [name, given] of Object.entries(value)) {
        const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (field === undefined) {
            problems.push({
                key: propertyPath(path, name),
                given: HIDDEN,
                allowed: `no such field; the fields are ${Object.keys(fields).join(", ")}`,
                fix: `pulumi config rm --path ${quotePath(propertyPath(path, name))}`,
            });
            continue;
        }
        const result = field.schema.safeParse(given);
        if (result.success) {
            right.push([name, result.data]);
        } else {
            problems.push(fieldProblem(`${path}.${name}`, given, field));
        }
    }
    return Object.fromEntries(right);
}

/** What is said of a field with a wrong value, or with none. */
export function fieldProblem(
    path: string,
    given: unknown,
    { allowed, example, isSecret }: Field,
): ConfigProblem {
    return {
        key: path,
        given: isSecret === true && given !== undefined ? HIDDEN : given,
        allowed,
        fix: `pulumi config set ${isSecret === true ? "--secret " : ""}--path ${quotePath(path)} ${example}`.trimEnd(),
    };
}

/** A field that has to be there is missed, unless something is said of it already. */
export function requireField(
    path: string,
    name: string,
    value: unknown,
    field: Field,
    problems: ConfigProblem[],
): void {
    const isNamed = problems.some(({ key }) => key === path || key === `${path}.${name}`);
    if (value === undefined && !isNamed) {
        problems.push(fieldProblem(`${path}.${name}`, undefined, field));
    }
}

/** One of the objects that a key has by names of the user's choice. */
export interface NamedEntry {
    readonly name: string;
    readonly path: string;
    readonly value: unknown;
}

/**
 * The objects that a key has by name, those whose name is right. None where nothing is given.
 *
 * @param allowed what the key takes
 * @param fix a command that sets one of them
 */
export function readNamed(
    key: string,
    given: unknown,
    { allowed, fix }: Pick<ConfigProblem, "allowed" | "fix">,
    problems: ConfigProblem[],
): NamedEntry[] {
    const objects = given ?? {};
    if (!isObject(objects)) {
        problems.push({ key, given: HIDDEN, allowed, fix });
        return [];
    }
    return Object.entries(objects).flatMap(([name, value]) => {
        if (NAME.test(name)) return [{ name, path: propertyPath(key, name), value }];
        problems.push({
            key,
            given: name,
            allowed:
                "names of lower-case letters, digits, dots, dashes and underscores, 64 at most",
            fix: "give it such a name in the stack's configuration file",
        });
        return [];
    });
}

export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
