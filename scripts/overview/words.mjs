// @ts-check
// How the status says times and sizes.
import { bytes } from "../maintenance/report.mjs";

const UNITS = /** @type {const} */ ([
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
]);

/** @param {string} time RFC 3339 */
export function instant(time) {
    return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}

/** @param {string} time RFC 3339 */
export function day(time) {
    return time.slice(0, 10);
}

/**
 * In the largest unit that there is one of.
 *
 * @param {number} seconds
 */
export function span(seconds) {
    const [name, length] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
    return counted(Math.max(0, Math.floor(seconds / length)), name);
}

/**
 * @param {number} number
 * @param {string} one the noun for one of them
 * @param {string} [many]
 */
export function counted(number, one, many = `${one}s`) {
    return `${numeral(number)} ${number === 1 ? one : many}`;
}

/** @param {number} number */
export function numeral(number) {
    return number.toLocaleString("en");
}

/** @param {number | null} size in bytes; null when it is not known */
export function size(size) {
    return size === null ? "?" : bytes(size);
}
