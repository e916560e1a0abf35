import type { z } from "zod";
import { type ConfigProblem, HIDDEN } from "./config-problems";
import { propertyPath, quotePath } from "./property-path";

/** One field of an object in the configuration. */
export interface Field {
    readonly schema: z.ZodType;
    readonly allowed: string;
    readonly example: string;
    /** Its value is never shown. */
    readonly isSecret?: true;
}

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

export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
