// @ts-check
// What the engine takes, from what was measured to what was not.
import { published } from "./inputs.mjs";
import model from "./model.js";
import { number, short } from "./text.mjs";

const { at, checkpointBytes, exponent, fitGrowth } = model;

/** What is measured for each number of hosts. */
const UPS = ["first up", "no-op", "one host more", "new authority, 1st up", "destroy"];

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
    // Without hosts there is no exchange to measure: it is an up like another.
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
    return {
        growths,
        exponent: exponent(points("first up", "wall"), fixed("first up")),
        exponentOfCpu: exponent(
            points("first up", "cpu"),
            fleet("ours: first up, 0 hosts: CPU, s"),
        ),
        cpu: fitGrowth(points("first up", "cpu"), fleet("ours: first up, 0 hosts: CPU, s")),
        memory: line(points("first up", "memory")),
        previewMemory: line(previews.map(({ hosts, memory }) => [hosts, memory])),
        stored: line(states.map(({ hosts, stored }) => [hosts, stored])),
        plain: line(states.map(({ hosts, plain }) => [hosts, plain])),
    };
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
