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
