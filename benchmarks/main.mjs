// @ts-check
// Runs the benchmarks that are named, or all but the slow ones, and writes results/ and README.md.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine, waitForQuiet } from "./machine.mjs";
import { say, seconds } from "./measure.mjs";
import { renderReadme } from "./readme.mjs";
import { run } from "./run.mjs";
import * as auth from "./auth.mjs";
import * as clients from "./clients.mjs";
import * as conformance from "./conformance.mjs";
import * as crowd from "./crowd.mjs";
import * as engine from "./engine.mjs";
import * as fleet from "./fleet.mjs";
import * as gap from "./gap.mjs";
import * as gateway from "./gateway.mjs";
import * as hardening from "./hardening.mjs";
import * as lifecycle from "./lifecycle.mjs";
import * as scale from "./scale.mjs";
import * as settings from "./settings.mjs";
import * as setup from "./setup.mjs";
import * as setupCold from "./setup-cold.mjs";
import * as soak from "./soak.mjs";
import * as state from "./state.mjs";
import * as throughput from "./throughput.mjs";

/**
 * What one benchmark found.
 *
 * @typedef {object} Measurement
 * @property {string} unit of all samples
 * @property {Record<string, number[]>} samples
 * @property {{ head: string[], rows: string[][] }[]} [tables] shown instead of one of the samples
 * @property {{ name: string, value: number, aim?: string }[]} ratios
 * @property {string[]} facts
 * @property {string} [picture] an SVG, kept beside the results
 *
 * @typedef {Omit<Measurement, "picture"> & { date: string, machine: Record<string, string>, took: number }} Result
 *
 * @typedef {object} Benchmark
 * @property {string} title
 * @property {string} about
 * @property {Readonly<Record<string, string>>} [requires] commands without which it is left out, and their Debian packages
 * @property {readonly string[]} [tools] commands that measure, whose versions stand with the results
 * @property {boolean} [isSlow] whether it is only measured when it is named
 * @property {() => Promise<Measurement>} measure
 */

/** @type {Record<string, Benchmark>} */
const BENCHMARKS = {
    ...{
        engine,
        lifecycle,
        gap,
        fleet,
        scale,
        auth,
        gateway,
        throughput,
        settings,
        crowd,
        hardening,
        conformance,
        clients,
        state,
        setup,
    },
    soak,
    "setup-cold": setupCold,
};

const asked = process.argv.slice(2);
const names =
    asked.length > 0 ? asked : Object.keys(BENCHMARKS).filter((name) => !BENCHMARKS[name]?.isSlow);
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name) && name !== "readme");
if (unknown.length > 0) {
    say(
        `no such benchmark: ${unknown.join(", ")}; there are ${Object.keys(BENCHMARKS).join(", ")}`,
    );
    process.exit(2);
}

for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
    if (!names.includes(name)) continue;
    say(`== ${name}`);
    const missing = await findMissing(benchmark.requires);
    if (missing.length > 0) {
        say(`${name} is left out: it needs ${missing.join(", ")}`);
        continue;
    }
    await waitForQuiet();
    const date = new Date().toISOString();
    const machine = await describeMachine(benchmark.tools);
    /** @type {Measurement | undefined} */
    let measurement;
    const took = await seconds(async () => {
        measurement = await benchmark.measure();
    });
    const { picture, ...figures } = measurement ?? {};
    const result = JSON.stringify({ date, machine, took, ...figures }, round, 2);
    const results = join(import.meta.dirname, "results");
    writeFileSync(join(results, `${name}.json`), `${result}\n`);
    if (picture !== undefined) writeFileSync(join(results, `${name}.svg`), picture);
    say(`${name} took ${Math.round(took)} s`);
}
writeFileSync(join(import.meta.dirname, "README.md"), renderReadme(BENCHMARKS));

/** @param {Readonly<Record<string, string>>} required */
async function findMissing(required = {}) {
    const missing = [];
    for (const [command, debian] of Object.entries(required)) {
        const { code } = await run("sh", ["-c", 'command -v "$1"', "sh", command]);
        if (code !== 0) missing.push(`${command} (Debian: apt-get install ${debian})`);
    }
    return missing;
}

/**
 * Four digits are more than any of these is worth.
 *
 * @param {string} _
 * @param {unknown} value
 */
function round(_, value) {
    return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}
