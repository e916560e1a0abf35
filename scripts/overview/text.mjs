// @ts-check
// A status for a terminal.
import { table } from "../shared/table.mjs";
import { sectionsOf } from "./sections.mjs";
import { instant } from "./words.mjs";

/** Rows of a table that are shown at most; the page and the JSON have all. */
const ROWS = 40;
const BAR = 24;
/** What a terminal has no room for. */
const LEFT_OUT = ["SHA-256"];

/** @typedef {import("./sections.mjs").Cell} Cell */

/**
 * @param {import("./model.mjs").Status} status
 * @param {{ rows?: number }} [limit]
 * @returns {string}
 */
export function asText(status, limit = { rows: ROWS }) {
    const { registry, verdict, stack, lookedAt } = status;
    const lines = [
        `Registry ${registry.url} (stack ${stack}), ${instant(lookedAt)}`,
        verdict.state === "ok" ? "All is as it was set up." : "This needs a look:",
        ...verdict.reasons.map((reason) => `  ${reason}`),
        ...sectionsOf(status, limit).flatMap((section) => ["", section.title, ...body(section)]),
    ];
    return `${lines.join("\n")}\n`;
}

/** @param {import("./sections.mjs").Section} section */
function body({ columns, rows, notes }) {
    const shown = columns.map((column) => !LEFT_OUT.includes(column));
    const isShown = (/** @type {unknown} */ _, /** @type {number} */ index) => shown[index] ?? true;
    const cells = rows.map((row) => row.filter(isShown).map(asCell));
    const head = columns.filter(isShown).map((column) => column.toUpperCase());
    return [
        ...(rows.length === 0 ? [] : table([...(head.length === 0 ? [] : [head]), ...cells])),
        ...notes,
    ].map((line) => `  ${line}`);
}

/** @param {string | Cell} cell */
function asCell(cell) {
    if (typeof cell === "string") return cell;
    return cell.life === undefined ? cell.text : bar(cell.life);
}

/**
 * Of a certificate's life: over, left, and when an `up` renews it.
 *
 * @param {NonNullable<Cell["life"]>} life
 */
function bar({ now, renewal }) {
    const over = Math.round(now * BAR);
    const renewed = Math.min(BAR - 1, Math.round(renewal * BAR));
    const characters = Array.from({ length: BAR }, (_, index) =>
        index < over ? "=" : index < renewed ? "-" : "r",
    );
    return `[${characters.join("")}]`;
}
