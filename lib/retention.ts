import { z } from "zod";
import type { Advice, Fix } from "./advice";
import type { ConfigProblem } from "./config-problems";

/** Which tags of some repositories are kept. A tag that no condition keeps may be deleted. */
export interface RetentionRule {
    /** Names of repositories; `*` stands for any characters, slashes too. The first rule that fits one is the only one. */
    readonly repositories: string;
    /** Keeps this many of the newest tags. */
    readonly keepLast?: number;
    /** Keeps tags of these names; `*` stands for any characters. */
    readonly keepTags?: readonly string[];
    /** Keeps tags of images that are no older than this. Unit: days. */
    readonly olderThanDays?: number;
}

const EVERYTHING = /^\*+$/;
const repositories = z.string().regex(/^[a-z0-9._/*-]{1,255}$/);
const tags = z
    .array(z.string().regex(/^[\w.*-]{1,128}$/))
    .min(1)
    .refine((patterns) => new Set(patterns).size === patterns.length);

/** The form of the rules; `integer` reads a whole number from a stack's file. */
export function retentionSchema(integer: (min: number, max: number) => z.ZodType<number>) {
    return z.array(
        z.strictObject({
            repositories,
            keepLast: integer(1, 1_000_000).optional(),
            keepTags: tags.optional(),
            olderThanDays: integer(1, 36_500).optional(),
        }),
    );
}

/** What is wrong with rules that are right in form. */
export function retentionProblems(
    rules: readonly RetentionRule[],
    deleteEnabled: boolean,
): ConfigProblem[] {
    const problems = rules.flatMap((rule, index) => {
        const path = `retention[${index}]`;
        const remove: Fix = ({ unset }) => unset(path);
        const { keepLast, keepTags = [], olderThanDays } = rule;
        const keepsAll = keepTags.some((pattern) => EVERYTHING.test(pattern));
        const isBounded = keepLast !== undefined || olderThanDays !== undefined;
        const hiding = rules
            .slice(0, index)
            .findIndex(
                (earlier) =>
                    EVERYTHING.test(earlier.repositories) ||
                    earlier.repositories === rule.repositories,
            );
        const problem = (allowed: string, fix: Fix) => ({
            key: path,
            given: rule,
            allowed,
            fix,
        });
        return [
            !keepsAll && !isBounded
                ? problem(
                      "keepLast or olderThanDays, or both: without them, what was pushed a moment ago would be deleted",
                      ({ set }) => set(`${path}.keepLast`, "10"),
                  )
                : undefined,
            keepsAll && (isBounded || keepTags.length > 1)
                ? problem(
                      'nothing beside keepTags ["*"]: that keeps every tag, whatever the other conditions say',
                      remove,
                  )
                : undefined,
            hiding === -1
                ? undefined
                : problem(
                      `a rule for other repositories than rule ${hiding}: the first that fits a repository is the only one`,
                      remove,
                  ),
        ].filter((found) => found !== undefined);
    });
    return rules.length > 0 && !deleteEnabled
        ? [
              ...problems,
              {
                  key: "deleteEnabled",
                  given: false,
                  allowed: "true when there are retention rules: they delete through the registry",
                  fix: ({ set }: Advice) => set("deleteEnabled", "true"),
              },
          ]
        : problems;
}
