// @ts-check

/**
 * The values of a stack's configuration, by key without its namespace. Objects and lists are what they are, also where one
 * command set the whole of it as JSON; every other value is text.
 *
 * @param {string} text as `pulumi config --json` prints it
 * @returns {Record<string, any>}
 */
export function valuesIn(text) {
    /** @type {Record<string, { value?: string, objectValue?: any }>} */
    const entries = JSON.parse(text);
    return Object.fromEntries(
        Object.entries(entries).map(([key, { value, objectValue }]) => [
            key.replace(/^.*:/, ""),
            objectValue ?? parse(value ?? ""),
        ]),
    );
}

/** @param {string} text */
function parse(text) {
    if (!/^\s*[[{]/.test(text)) return text;
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}
