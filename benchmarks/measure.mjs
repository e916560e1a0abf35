// @ts-check
import { performance } from "node:perf_hooks";

/** Rounds that count. One more goes before them, to warm up what can be warm. BENCH_ROUNDS=1 is for a trial. */
export const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);

/** @typedef {readonly [name: string, measure: () => Promise<number>]} Subject */

/**
 * Measures every subject once a round, one after the other, so that what else the machine does meanwhile hits all of
 * them alike. The order is that given; of subjects that stand in a list of their own, another one goes first each round.
 *
 * @param {readonly (Subject | readonly Subject[])[]} subjects
 * @param {{ rounds?: number, warmUps?: number }} options
 * @returns {Promise<Record<string, number[]>>} the samples of each subject, without those of the warm-up
 */
export async function interleave(subjects, { rounds = ROUNDS, warmUps = 1 } = {}) {
    const groups = subjects.map((it) => (isOne(it) ? [it] : it));
    /** @type {Record<string, number[]>} */
    const samples = Object.fromEntries(groups.flat().map(([name]) => [name, []]));
    for (let round = -warmUps; round < rounds; round++) {
        say(round < 0 ? "warm-up" : `round ${round + 1} of ${rounds}`);
        for (const group of groups) {
            const first = (round + warmUps) % group.length;
            for (const [name, measure] of [...group.slice(first), ...group.slice(0, first)]) {
                const sample = await measure();
                if (round >= 0) samples[name]?.push(sample);
            }
        }
    }
    return samples;
}

/**
 * @param {Subject | readonly Subject[]} it
 * @returns {it is Subject}
 */
function isOne(it) {
    return typeof it[0] === "string";
}

/**
 * Seconds that something took.
 *
 * @param {() => Promise<unknown>} act
 */
export async function seconds(act) {
    const began = performance.now();
    await act();
    return (performance.now() - began) / 1000;
}

/** @param {readonly number[]} values */
export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const [below = NaN, above = NaN] =
        sorted.length % 2 === 1
            ? [sorted[middle], sorted[middle]]
            : [sorted[middle - 1], sorted[middle]];
    return (below + above) / 2;
}

/**
 * The least value that so many of a hundred do not exceed.
 *
 * @param {readonly number[]} values
 * @param {number} percent
 */
export function percentile(values, percent) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? NaN;
}

/**
 * The medians of all subjects, by name.
 *
 * @param {Readonly<Record<string, readonly number[]>>} samples
 */
export function medians(samples) {
    const all = new Map(Object.entries(samples).map(([name, values]) => [name, median(values)]));
    return (/** @type {string} */ name) => {
        const value = all.get(name);
        if (value === undefined) throw new Error(`nothing was measured under the name "${name}"`);
        return value;
    };
}

/** @param {string} text */
export function say(text) {
    process.stderr.write(`  ${text}\n`);
}
