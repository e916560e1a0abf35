// @ts-check
// A status as one HTML page that needs nothing else: no script, and nothing from anywhere.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { markup, Markup } from "./markup.mjs";
import { sectionsOf } from "./sections.mjs";
import { instant } from "./words.mjs";

/** @typedef {import("./sections.mjs").Cell} Cell */
/** @typedef {import("./sections.mjs").Section} Section */

const STYLE = readFileSync(new URL("page.css", import.meta.url), "utf8");
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
/** Whatever might stand in the page all the same: a browser runs nothing of it and fetches nothing for it. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'`;

/**
 * @param {import("./model.mjs").Status} status
 * @returns {string}
 */
export function asPage(status) {
    const { registry, verdict, stack, lookedAt } = status;
    const sections = sectionsOf(status);
    const title = `Registry ${registry.url.replace(/^https:\/\//, "")}`;
    const word = {
        ok: "All is as it was set up.",
        due: "This needs a look:",
        WRONG: "This differs:",
    };
    return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}: status of ${instant(lookedAt)}</title>
<link rel="icon" href="data:,">
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p>Stack ${stack}, as it was on <time datetime="${lookedAt}">${instant(lookedAt)}</time></p>
</header>
<nav aria-label="Sections">
<ul>
${sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>\n`)}</ul>
</nav>
<main>
<div class="verdict ${verdict.state.toLowerCase()}">
<p>${stateOf({ text: word[verdict.state], state: verdict.state })}</p>
${verdict.reasons.length === 0 ? "" : markup`<ul>\n${verdict.reasons.map((reason) => markup`<li>${outside(reason)}</li>\n`)}</ul>\n`}</div>
${sections.map(sectionOf)}</main>
<footer>
<p>Made by <code>npm run status</code>. It shows what was there then, and does not renew itself.</p>
</footer>
</body>
</html>
`.text;
}

/** @param {Section} section */
function sectionOf({ id, title, columns, rows, notes }) {
    return markup`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${rows.length === 0 ? "" : tableOf(id, columns, rows)}${notes.map((note) => markup`<p class="note">${outside(note)}</p>\n`)}</section>
`;
}

/**
 * With the roles that it has anyway: where its parts are shown as blocks, browsers forget them.
 *
 * @param {string} id of the heading that names it
 * @param {readonly string[]} columns
 * @param {Section["rows"]} rows
 */
function tableOf(id, columns, rows) {
    const head = markup`<thead role="rowgroup">
<tr role="row">${columns.map((column) => markup`<th role="columnheader" scope="col">${column}</th>`)}</tr>
</thead>
`;
    return markup`<table role="table" aria-labelledby="${id}">
${columns.length === 0 ? "" : head}<tbody role="rowgroup">
${rows.map((row) => rowOf(columns, row))}</tbody>
</table>
`;
}

/**
 * @param {readonly string[]} columns
 * @param {readonly (string | Cell)[]} row
 */
function rowOf(columns, [name = "", ...cells]) {
    const others = cells.map((cell, index) => {
        const column = columns[index + 1];
        const label = column === undefined ? "" : markup` data-column="${column}"`;
        const kind = column === "SHA-256" ? markup` class="digest"` : "";
        return markup`<td role="cell"${label}${kind}>${cellOf(cell)}</td>`;
    });
    return markup`<tr role="row"><th role="rowheader" scope="row">${cellOf(name)}</th>${others}</tr>
`;
}

/** @param {string | Cell} cell */
function cellOf(cell) {
    if (typeof cell === "string") return outside(cell);
    if (cell.life !== undefined) return timeline(cell.text, cell.life);
    if (cell.state !== undefined) return stateOf({ text: cell.text, state: cell.state });
    const { items = [], text } = cell;
    if (items.length === 0) return outside(text);
    return markup`<details><summary>${outside(text)}</summary><ul>${items.map((item) => markup`<li>${outside(item)}</li>`)}</ul></details>`;
}

/**
 * In words; the colour only repeats them.
 *
 * @param {{ text: string, state: import("./model.mjs").State }} cell
 */
function stateOf({ text, state }) {
    return markup`<span class="state ${state.toLowerCase()}">${outside(text)}</span>`;
}

/** So much stands in one line, wherever it stands. Unit: characters. */
const SHORT = 16;

/**
 * A text that may be somebody else's: whatever direction it is written in, it does not turn what is around it, and
 * however long its words are, they fit.
 *
 * @param {string} text
 */
function outside(text) {
    if (text === "") return "";
    if (text.length <= SHORT) return markup`<bdi class="short">${text}</bdi>`;
    const isLong = text.split(" ").some((word) => word.length > SHORT);
    return isLong ? markup`<bdi class="long">${text}</bdi>` : markup`<bdi>${text}</bdi>`;
}

/**
 * The life of a certificate as a bar: what is over, today, and the end in which an `up` renews it, which is thinner.
 *
 * @param {string} text
 * @param {NonNullable<Cell["life"]>} life
 */
function timeline(text, { now, renewal }) {
    const x = (/** @type {number} */ share) => (share * 100).toFixed(2);
    return markup`<svg role="img" aria-label="${text}" viewBox="0 0 100 12" preserveAspectRatio="none"><title>${text}</title><rect class="left" x="0" y="2" width="100" height="8"/><rect class="renewal" x="${x(renewal)}" y="4" width="${x(1 - renewal)}" height="4"/><rect class="over" x="0" y="2" width="${x(now)}" height="8"/><rect class="today" x="${x(Math.min(now, 0.99))}" y="0" width="1" height="12"/></svg>`;
}
