// @ts-check
// What each account may do, as the gateway's loader of settings carries it on its labels.

const LABEL = "private-registry.access.";
/** What an admin may do, and everybody where accounts do not differ in that. */
export const EVERYTHING = "everything";

/**
 * @param {any} inputs of the loader; undefined where there is none
 * @returns {Record<string, string>} by account; empty where accounts do not differ
 */
export function rightsIn(inputs) {
    /** @type {{ label: string, value: string }[]} */
    const labels = inputs?.labels ?? [];
    return Object.fromEntries(
        labels
            .filter(({ label }) => label.startsWith(LABEL))
            .map(({ label, value }) => [label.slice(LABEL.length), value]),
    );
}
