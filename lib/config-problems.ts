import * as pulumi from "@pulumi/pulumi";
import type { Advice, Fix } from "./advice";
import { isLate } from "./late";

/** One thing that is wrong in what somebody gave: a stack's configuration, or the arguments of a component. */
export interface ConfigProblem {
    readonly key: string;
    /** `undefined`: nothing was given. */
    readonly given: unknown;
    readonly allowed: string;
    /** What to do. */
    readonly fix: Fix;
}

const SHOWN_LENGTH = 80;
/** Of the longest name of a client with its longest field there is nothing cut. */
const KEY_LENGTH = 160;

/** One error for all problems, without a stack trace. */
export function configError(problems: readonly ConfigProblem[], say: Advice): pulumi.RunError {
    const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
    const texts = problems.map(({ key, given, allowed, fix }) =>
        [
            `\n  ${cut(key, KEY_LENGTH)}`,
            `given:   ${show(given)}`,
            `allowed: ${visible(allowed)}`,
            `fix:     ${visible(typeof fix === "string" ? fix : fix(say))}`,
        ].join("\n    "),
    );
    return new pulumi.RunError(`${say.subject} ${count}${say.end}${texts.join("")}`);
}

/** What JSON leaves as it is and a terminal may act on. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

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
    if (isLate(value)) {
        return "an Output or a Promise";
    }
    try {
        return cut(JSON.stringify(value));
    } catch {
        // Such as a function.
        return "(not shown: it has no JSON)";
    }
}

function cut(text: string, length = SHOWN_LENGTH): string {
    // Twice as much is enough to see that it is too long: what is made visible only grows.
    const shown = visible(text.slice(0, 2 * length));
    // No half of a character.
    return shown.length <= length ? shown : `${shown.slice(0, length).replace(/\p{Cs}$/u, "")}…`;
}

function visible(text: string): string {
    return text.replace(
        CONTROLS,
        (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
    );
}
