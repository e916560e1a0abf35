// @ts-check
// What the conformance suite reports, and where two of its reports differ.
"use strict";

/**
 * @typedef {import("./report").Difference} Difference
 * @typedef {import("./report").Report} Report
 * @typedef {import("./report").Status} Status
 * @typedef {import("./report").SuiteTest} SuiteTest
 */

const TEST = /<testcase ([^>]*?)\/?>(?:\s*<system-out>([^<]*)<\/system-out>)?/g;

/**
 * @param {string} xml
 * @returns {Report}
 */
function readReport(xml) {
    const head = /<testsuite ([^>]*)>/.exec(xml)?.[1] ?? "";
    const count = (/** @type {string} */ name) => Number(attribute(head, name) || 0);
    const [failed, skipped, disabled] = [
        count("failures") + count("errors"),
        count("skipped"),
        count("disabled"),
    ];
    const tests = [...xml.matchAll(TEST)].map(([, attributes = "", reason = ""]) => {
        const status = /** @type {Status} */ (attribute(attributes, "status"));
        return {
            name: attribute(attributes, "name"),
            status,
            reason: status === "passed" ? "" : lasting(unescaped(reason)),
        };
    });
    if (tests.length === 0) throw new Error("the suite reports no tests");
    return {
        counts: { passed: count("tests") - failed - skipped - disabled, failed, skipped, disabled },
        seconds: count("time"),
        tests,
    };
}

/**
 * @param {Report} bare
 * @param {Report} other
 * @returns {Difference[]}
 */
function differences(bare, other) {
    const [there, here] = [endings(bare), endings(other)];
    return [...new Set([...there.keys(), ...here.keys()])].flatMap((name) => {
        // What both have is taken out; what is left of the one is set beside what is left of the other.
        const onlyHere = [...(here.get(name) ?? [])];
        const onlyThere = (there.get(name) ?? []).filter((ending) => {
            const at = onlyHere.indexOf(ending);
            if (at >= 0) onlyHere.splice(at, 1);
            return at < 0;
        });
        const length = Math.max(onlyThere.length, onlyHere.length);
        return Array.from({ length }, (_, index) => ({
            name,
            isBetter: onlyHere[index] === "passed" && onlyThere[index] !== undefined,
            bare: onlyThere[index],
            other: onlyHere[index],
        }));
    });
}

/**
 * How the tests of each name ended.
 *
 * @param {Report} report
 */
function endings({ tests }) {
    /** @type {Map<string, string[]>} */
    const found = new Map();
    for (const { name, status, reason } of tests) {
        const ending = reason === "" ? status : `${status}: ${reason}`;
        found.set(name, [...(found.get(name) ?? []), ending]);
    }
    for (const list of found.values()) list.sort();
    return found;
}

/**
 * Digests, sizes and the names of repositories are others in every run.
 *
 * @param {string} text
 */
function lasting(text) {
    return text
        .replace(/[0-9a-f]{32,}/g, "<digest>")
        .replace(/conformance\/[0-9a-f]+\//g, "conformance/")
        .replace(/"size":\d+/g, '"size":0')
        .replace(/("Content-Length", expected )"\d+", received \["\d+"\]/g, "$1another one")
        .trim();
}

/**
 * @param {string} attributes
 * @param {string} name
 */
function attribute(attributes, name) {
    return unescaped(new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

/** @param {string} text */
function unescaped(text) {
    /** @type {Record<string, string>} */
    const named = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
    return text.replace(
        /&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/g,
        (
            all,
            /** @type {string} */ hex,
            /** @type {string} */ decimal,
            /** @type {string} */ name,
        ) =>
            name === undefined
                ? String.fromCodePoint(hex === undefined ? Number(decimal) : parseInt(hex, 16))
                : (named[name] ?? all),
    );
}

module.exports = { readReport, differences };
