// @ts-check

/** Control characters, those that turn the direction of a text round, half surrogates, and separators of lines. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const LONGEST = 500;

/**
 * A text of somebody else's, fit to stand in a line of ours: without what a terminal or a reader could be misled by, and
 * cut when it is very long.
 *
 * @param {string} text
 * @returns {string}
 */
export function plain(text) {
    const line = text.trim().replace(/\s*\n\s*/g, "; ");
    // By characters, so that none is cut in two.
    const characters = [...line.slice(0, 2 * LONGEST + 2)];
    const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST).join("")}…` : line;
    return cut.replace(UNSEEN, "?");
}
