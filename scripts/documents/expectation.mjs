// @ts-check
// Compares what a document shows with what a command printed.
//
// The same lines in the same order, where `...` alone in a line stands for any lines and `…` for any text in a line. How many
// spaces there are and blank lines do not count. Of what is another one in every run, only the kind has to be the same.

/** What is another one in every run: shown one of a kind, any of its kind is right. */
const VOLATILE = [
    String.raw`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
    String.raw`sha256:[0-9a-f]{64}`,
    String.raw`SHA256:[A-Za-z0-9+/]{43}`,
    String.raw`(?:[0-9A-F]{2}:){31}[0-9A-F]{2}`,
    String.raw`\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b`,
    String.raw`\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z?)?`,
    // Docker gives these to its networks.
    String.raw`\b(?:172|192\.168)(?:\.\d+){2,3}\b`,
    String.raw`\b\d+ min(?: \d+ s)?|\b(?:\d+m)?\d+(?:\.\d+)? ?m?s\b`,
    String.raw`\b\d+(?:\.\d+)? ?(?:[KMGT]iB|[kMGT]?B)\b`,
    String.raw`\bsize: \d+`,
];
const ANY_VOLATILE = new RegExp(VOLATILE.join("|"), "g");
/** What npm prints before it runs a script. */
const NPM_BANNER = /^> \S+@\S+ \S+\n> .*\n/gm;
// eslint-disable-next-line no-control-regex
const COLOURS = /\x1b\[[0-9;]*[A-Za-z]/g;

/**
 * What differs, or undefined when the output is as shown.
 *
 * @param {string[]} expected
 * @param {string} output
 * @returns {string | undefined}
 */
export function difference(expected, output) {
    const actual = tidy(output.replace(COLOURS, "").replace(/\r/g, "").replace(NPM_BANNER, ""));
    const patterns = tidy(expected.join("\n")).map((line) => ({
        line,
        pattern: linePattern(line),
    }));
    let furthest = 0;
    /** @type {Set<string>} */
    const failed = new Set();
    /** @type {(e: number, a: number) => boolean} */
    const matches = (e, a) => {
        furthest = Math.max(furthest, e);
        const key = `${e} ${a}`;
        if (failed.has(key)) return false;
        const wanted = patterns[e];
        const found =
            wanted === undefined
                ? a === actual.length
                : wanted.pattern === undefined
                  ? matches(e + 1, a) || (a < actual.length && matches(e, a + 1))
                  : wanted.pattern.test(actual[a] ?? "") &&
                    a < actual.length &&
                    matches(e + 1, a + 1);
        if (!found) failed.add(key);
        return found;
    };
    if (matches(0, 0)) return undefined;
    const missing = patterns[furthest]?.line;
    return missing === undefined
        ? "there is more output than is shown"
        : `not as shown: ${missing}`;
}

/** @param {string} text */
function tidy(text) {
    return text
        .split("\n")
        .map((line) => line.replace(/\s+/g, " ").trim())
        .filter((line) => line !== "");
}

/**
 * Undefined for a gap.
 *
 * @param {string} line
 */
function linePattern(line) {
    if (line === "...") return undefined;
    let pattern = "";
    let rest = 0;
    for (const found of line.matchAll(ANY_VOLATILE)) {
        const kind =
            VOLATILE.find((candidate) => new RegExp(`^(?:${candidate})$`).test(found[0])) ?? "";
        pattern += `${literally(line.slice(rest, found.index))}(?:${kind})`;
        rest = found.index + found[0].length;
    }
    return new RegExp(`^${pattern}${literally(line.slice(rest))}$`);
}

/** @param {string} text */
function literally(text) {
    return text
        .split("…")
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        .join(".*");
}
