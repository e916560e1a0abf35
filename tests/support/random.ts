import { randomInt } from "node:crypto";

/** Numbers from 0 to 1 that follow from a seed: SOAK_SEED, or a new one, which is printed so that a run can be made again. */
export function seededRandom(): () => number {
    const seed = Number(process.env.SOAK_SEED ?? randomInt(2 ** 31));
    process.stdout.write(`SOAK_SEED=${seed}\n`);
    let state = seed;
    return () => {
        // Mulberry32.
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}
