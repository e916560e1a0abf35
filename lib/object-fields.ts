import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Advice, ofArguments } from "./advice";
import { areCertificates } from "./certificates";
import { type ConfigProblem, configError, HIDDEN } from "./config-problems";
import { isLate } from "./late";
import { NAME } from "./names";
import { propertyPath } from "./property-path";

/** One field of an object in the configuration. */
export interface Field {
    readonly schema: z.ZodType;
    readonly allowed: string;
    readonly example: string;
    /** Where to find a value. */
    readonly source?: (say: Advice) => string;
    /** Its value is never shown. */
    readonly isSecret?: true;
    /** In a program its value may be an Output: it is only passed on. */
    readonly isLate?: true;
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
            fix: ({ unset }) => unset(path),
        });
        return {};
    }
    const right: [string, unknown][] = [];
    for (const [name, given] of Object.entries(value)) {
        if (given === undefined) continue;
        const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (field === undefined) {
            problems.push({
                key: propertyPath(path, name),
                given: HIDDEN,
                allowed: `no such field; the fields are ${Object.keys(fields).join(", ")}`,
                fix: ({ unset }) => unset(propertyPath(path, name)),
            });
            continue;
        }
        if (field.isLate === true && isLate(given)) {
            right.push([name, checkedLater(`${path}.${name}`, given, field)]);
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

/** The same check, where its value is used. */
function checkedLater(
    path: string,
    given: pulumi.Output<unknown> | Promise<unknown>,
    field: Field,
): pulumi.Output<unknown> {
    const output: pulumi.Output<unknown> = pulumi.output(given);
    return output.apply((value) => {
        const result = field.schema.safeParse(value);
        if (result.success) return result.data;
        throw configError([fieldProblem(path, value, field)], ofArguments());
    });
}

/** What is said of a field with a wrong value, or with none. */
export function fieldProblem(
    path: string,
    given: unknown,
    { allowed, example, source, isSecret }: Field,
): ConfigProblem {
    return {
        key: path,
        given: isSecret === true && given !== undefined ? HIDDEN : given,
        allowed,
        fix: (say) => {
            const fix = say.set(path, example, isSecret);
            return source === undefined ? fix : `${fix} (${source(say)})`;
        },
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
            fix: "give it such a name",
        });
        return [];
    });
}

export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value) && !isLate(value);
}
