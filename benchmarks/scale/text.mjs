// @ts-check
import { figure } from "../readme.mjs";

/**
 * As much of a number as it is worth.
 *
 * @param {number} value
 */
export function short(value) {
    return value >= 1000 ? number(Number(value.toPrecision(2))) : figure(value);
}

/** @param {number} value */
export function number(value) {
    return value.toLocaleString("en-US");
}
