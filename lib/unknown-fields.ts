import type { z } from "zod";
import { propertyPath } from "./property-path";

/** The paths of the fields that the objects of a schema do not have, below a root. */
export function unknownFields(issues: readonly z.core.$ZodIssue[], root: string): string[] {
    return issues.flatMap((issue) => {
        const path = issue.path.reduce<string>(
            (parent, part) =>
                typeof part === "number"
                    ? `${parent}[${part}]`
                    : propertyPath(parent, String(part)),
            root,
        );
        switch (issue.code) {
            case "unrecognized_keys":
                return issue.keys.map((name) => propertyPath(path, name));
            case "invalid_union":
                return issue.errors.flatMap((issues) => unknownFields(issues, path));
            default:
                return [];
        }
    });
}

/** Whether fields that an object does not have are all that is wrong, by one branch of each union. */
export function areUnknownFieldsAll(issues: readonly z.core.$ZodIssue[]): boolean {
    return issues.every(
        (issue) =>
            issue.code === "unrecognized_keys" ||
            (issue.code === "invalid_union" && issue.errors.some(areUnknownFieldsAll)),
    );
}

/** Whether something stands below where the schema wanted something else, or did not look: then nobody knows what it is. */
export function isUnread(issues: readonly z.core.$ZodIssue[]): boolean {
    return issues.some((issue) =>
        issue.code === "invalid_union"
            ? issue.errors.some(isUnread)
            : issue.code === "invalid_key" ||
              (issue.code === "invalid_type" && issue.path.length > 0),
    );
}
