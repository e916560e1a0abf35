import * as pulumi from "@pulumi/pulumi";

/** One thing that is wrong in a stack's configuration. */
export interface ConfigProblem {
    readonly key: string;
    /** `undefined`: nothing was given. */
    readonly given: unknown;
    readonly allowed: string;
    /** A command, or what to do. */
    readonly fix: string;
}

const SHOWN_LENGTH = 80;

/** One error for all problems, without a stack trace. */
export function configError(problems: readonly ConfigProblem[]): pulumi.RunError {
    const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
    const texts = problems.map(
        ({ key, given, allowed, fix }) =>
            `\n  ${key}\n    given:   ${show(given)}\n    allowed: ${allowed}\n    fix:     ${fix}`,
    );
    return new pulumi.RunError(
        `the configuration has ${count}; nothing was changed${texts.join("")}`,
    );
}

/** What JSON leaves as it is and a terminal may act on. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A value that may be a secret, as an error shows it. */
export const HIDDEN = Symbol("not shown");

/** A value as JSON: control characters cannot reach the terminal, and a long text is cut. */
function show(value: unknown): string {
    if (value === undefined) {
        return "nothing";
    }
    if (value === HIDDEN) {
        return "(not shown: it may be a secret)";
    }
    const text = JSON.stringify(value).replace(
        CONTROLS,
        (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
    );
    return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`;
}
