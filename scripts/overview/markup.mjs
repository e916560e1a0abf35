// @ts-check
// HTML that is safe by how it is made: what is put into a template is text, unless a template made it.

/** A piece of HTML. */
export class Markup {
    /** @param {string} text */
    constructor(text) {
        this.text = text;
    }
}

/** @typedef {string | Markup | Markup[]} Part */

/**
 * @param {TemplateStringsArray} texts
 * @param {readonly Part[]} parts
 * @returns {Markup}
 */
export function markup(texts, ...parts) {
    return new Markup(String.raw({ raw: texts }, ...parts.map(asMarkup)));
}

/**
 * @param {Part} part
 * @returns {string}
 */
function asMarkup(part) {
    if (part instanceof Markup) return part.text;
    if (Array.isArray(part)) return part.map(asMarkup).join("");
    return part.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
