// @ts-check
// What the engine takes, from what was measured to what was not.
import { published, SEEN_AT_200 } from "./inputs.mjs";
import model from "./model.js";
import { number, short } from "./text.mjs";

const { at, checkpointBytes, exponent, fitGrowth } = model;

/** What is measured for each number of hosts. */
const UPS = ["first up", "no-op", "one host more", "destroy"];

/**
 * @typedef {Awaited<ReturnType<typeof import("./sweep.mjs").measureUps>>} Ups
 * @typedef {Awaited<ReturnType<typeof import("./sweep.mjs").measurePreviews>>} Previews
 * @typedef {ReturnType<typeof fitEngine>} Engine
 */

/**
 * @param {Ups} ups
 * @param {Previews} previews
 */
export function fitEngine({ lines, states }, previews) {
    const fleet = published("fleet");
    const points = (/** @type {string} */ name, /** @type {"wall" | "cpu" | "memory"} */ what) =>
        lines
            .filter((line) => line.name === name)
            .map((line) => /** @type {const} */ ([line.hosts, line[what]]));
    const fixed = (/** @type {string} */ name) =>
        fleet(
            `ours: ${name === "first up" || name === "destroy" ? name : "no-op"}, 0 hosts: wall, s`,
        );
    const growths = Object.fromEntries(
        UPS.map((name) => [name, fitGrowth(points(name, "wall"), fixed(name))]),
    );
    /** @type {(points: readonly (readonly [number, number])[]) => import("./model.js").Growth} */
    const line = (all) => {
        const [[fewer, less], [more, most]] = /** @type {[[number, number], [number, number]]} */ (
            /** @type {unknown} */ (all.slice(-2))
        );
        const linear = (most - less) / (more - fewer);
        return { fixed: less - linear * fewer, linear, square: 0 };
    };
    const cpu = fitGrowth(points("first up", "cpu"), fleet("ours: first up, 0 hosts: CPU, s"));
    // What else a machine does makes an up last longer, and hardly makes it work more.
    const pace =
        fleet("ours: first up, 50 hosts: wall, s") / fleet("ours: first up, 50 hosts: CPU, s");
    const { fixed: base, linear, square } = cpu;
    return {
        growths,
        quiet: { fixed: base * pace, linear: linear * pace, square: square * pace },
        exchange: fitGrowth(exchanges(fleet), 3 * fixed("no-op")),
        exponent: exponent(points("first up", "wall"), fixed("first up")),
        exponentOfCpu: exponent(
            points("first up", "cpu"),
            fleet("ours: first up, 0 hosts: CPU, s"),
        ),
        cpu,
        memory: line(points("first up", "memory")),
        previewMemory: line(previews.map(({ hosts, memory }) => [hosts, memory])),
        stored: line(states.map(({ hosts, stored }) => [hosts, stored])),
        plain: line(states.map(({ hosts, plain }) => [hosts, plain])),
    };
}

/**
 * The three ups of a new authority together, which this benchmark does not repeat.
 *
 * @param {(name: string) => number} fleet
 * @returns {[number, number][]}
 */
function exchanges(fleet) {
    const ups = ["1st", "2nd", "3rd"].map((which) => `new authority, ${which} up`);
    const sum = (/** @type {(up: string) => number} */ of) =>
        ups.reduce((total, up) => total + of(up), 0);
    return [
        ...[10, 50].map((hosts) => {
            const seconds = sum((up) => fleet(`ours: ${up}, ${hosts} hosts: wall, s`));
            return /** @type {[number, number]} */ ([hosts, seconds]);
        }),
        [200, sum((up) => SEEN_AT_200[/** @type {keyof typeof SEEN_AT_200} */ (up)])],
    ];
}

/**
 * @param {Ups} ups
 * @param {Previews} previews
 * @param {Engine} engine
 * @param {{ measured: readonly number[], asked: readonly number[] }} hosts
 */
export function engineTable({ lines, states }, previews, engine, { measured, asked }) {
    const later = asked.filter((hosts) => hosts > (measured.at(-1) ?? 0));
    /** @type {(name: string, seen: (hosts: number) => number | undefined, fitted: (hosts: number) => number) => string[]} */
    const row = (name, seen, fitted) => [
        name,
        ...measured.map((hosts) => short(seen(hosts) ?? NaN)),
        ...later.map((hosts) => short(fitted(hosts))),
    ];
    const of =
        (/** @type {string} */ name, /** @type {"wall" | "cpu" | "memory"} */ what) =>
        (/** @type {number} */ hosts) =>
            lines.find((line) => line.name === name && line.hosts === hosts)?.[what];
    const stateOf = (/** @type {"stored" | "plain"} */ form) => (/** @type {number} */ hosts) =>
        (states.find((state) => state.hosts === hosts)?.[form] ?? NaN) / 1e6;
    const sizeOf =
        (/** @type {import("./model.js").Growth} */ line) => (/** @type {number} */ hosts) =>
            at(line, hosts) / 1e6;
    const written = (/** @type {number} */ hosts) =>
        checkpointBytes(hosts, { fixed: engine.plain.fixed, perHost: engine.plain.linear }) / 1e9;
    return {
        head: [
            "the engine",
            ...measured.map((hosts) => `${number(hosts)}, measured`),
            ...later.map((hosts) => `${number(hosts)}, fitted`),
        ],
        rows: [
            ...UPS.map((name) => {
                const growth = engine.growths[name];
                if (growth === undefined) throw new Error(name);
                return row(`${name}, s`, of(name, "wall"), (hosts) => at(growth, hosts));
            }),
            row(
                "first up on a quiet machine, s (from its CPU, at fleet's pace)",
                (hosts) => at(engine.quiet, hosts),
                (hosts) => at(engine.quiet, hosts),
            ),
            row(
                "the three ups of a new authority, s (from fleet)",
                (hosts) => at(engine.exchange, hosts),
                (hosts) => at(engine.exchange, hosts),
            ),
            row("first up, CPU s", of("first up", "cpu"), (hosts) => at(engine.cpu, hosts)),
            row("first up, memory, MB", of("first up", "memory"), (hosts) =>
                at(engine.memory, hosts),
            ),
            row(
                "preview, memory, MB",
                (hosts) => previews.find((line) => line.hosts === hosts)?.memory,
                (hosts) => at(engine.previewMemory, hosts),
            ),
            row("state's file, MB", stateOf("stored"), sizeOf(engine.stored)),
            row("state uncompressed, MB", stateOf("plain"), sizeOf(engine.plain)),
            row("states written in a first up, uncompressed, GB (computed)", written, written),
        ],
    };
}

/** @param {import("./model.js").Growth | undefined} growth */
export function perHost(growth) {
    if (growth === undefined) throw new Error("nothing was fitted");
    return `${growth.linear.toPrecision(2)} s and ${(growth.square * 1000).toPrecision(2)} ms for each other one`;
}
