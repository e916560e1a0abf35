// @ts-check
// How maintenance commands talk, and how they end.
import { MaintenanceError } from "./registry.mjs";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** @param {string} line */
export function say(line) {
    process.stdout.write(`${line}\n`);
}

/**
 * @param {number} number
 * @param {string} noun
 */
export function count(number, noun) {
    return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** @param {number} number */
export function bytes(number) {
    const power = number < 1 ? 0 : Math.min(Math.floor(Math.log10(number) / 3), UNITS.length - 1);
    return `${power === 0 ? number : (number / 1000 ** power).toFixed(1)} ${UNITS[power]}`;
}

/**
 * Runs a command's work. The first Ctrl-C or SIGTERM asks it to stop; whatever goes wrong is said in one line.
 *
 * @param {(signal: AbortSignal) => Promise<void>} work
 */
export async function main(work) {
    // The engine leaves a log of its own.
    process.umask(0o077);
    const stop = new AbortController();
    for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
        process.on(name, () => {
            if (!stop.signal.aborted) process.stderr.write("stopping …\n");
            stop.abort();
        });
    }
    try {
        await work(stop.signal);
    } catch (error) {
        const isOurs = error instanceof MaintenanceError || process.env.DEBUG === undefined;
        const text = error instanceof Error ? (isOurs ? error.message : error.stack) : error;
        process.stderr.write(`${text}\n`);
        process.exitCode = 1;
    }
}
