// @ts-check
// What the model is fed with that this benchmark does not measure itself, each with its source.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../measure.mjs";

/** Linux: the longest string that a process is started with (MAX_ARG_STRLEN, 32 pages). The engine hands a program its configuration in one. */
export const MOST_IN_ENVIRONMENT = 131_072;
/** Docker gives its first request to a registry up after this (the ping in moby's distribution/registry.go). */
export const PATIENCE_SECONDS = 15;
/** Assumed: an image of ten layers as teams have them, and of that what a deployment of a new version pulls. */
export const IMAGE_BYTES = 200e6;
export const CHANGED_BYTES = 10e6;
/** Assumed: a network of 10 Gb/s, all of it for the registry. */
export const BYTES_PER_SECOND = 1.25e9;
/** Wanted: a storm that is over within ten minutes. */
export const STORM_SECONDS = 600;

/**
 * Seen once before this release with 200 client hosts, on the same kind of machine while it did other things, too. Only the fit of a new
 * authority makes use of it.
 */
export const SEEN_AT_200 = {
    ...{ "first up": 30.8, "no-op": 6.3 },
    ...{ "new authority, 1st up": 65, "new authority, 2nd up": 16, "new authority, 3rd up": 77 },
};

/** Medians of the last published results of another benchmark. */
export function published(/** @type {string} */ benchmark) {
    const path = join(import.meta.dirname, "..", "results", `${benchmark}.json`);
    /** @type {import("../main.mjs").Result} */
    const { samples } = JSON.parse(readFileSync(path, "utf8"));
    return (/** @type {string} */ name) => {
        const values = samples[name];
        if (values === undefined)
            throw new Error(`${benchmark} has no "${name}"; measure it first`);
        return median(values);
    };
}
