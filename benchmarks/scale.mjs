// @ts-check
import { cpus, totalmem } from "node:os";
import {
    BYTES_PER_SECOND,
    CHANGED_BYTES,
    IMAGE_BYTES,
    MOST_IN_ENVIRONMENT,
    PATIENCE_SECONDS,
    published,
    SEEN_AT_200,
    STORM_SECONDS,
} from "./scale/inputs.mjs";
import model from "./scale/model.js";
import simulation from "./scale/simulation.js";
import { LAYERS, measureStorms } from "./scale/storm.mjs";
import { measureConfigLimit, measurePreviews, measureUps } from "./scale/sweep.mjs";
import { median, say } from "./measure.mjs";
import { figure } from "./readme.mjs";
import { withWorkspace } from "./workspace.mjs";

const { at, checkpointBytes, cpuOfPull, exponent, fitGrowth, hostsWithin, replicasFor, storm } =
    model;

/** Numbers of hosts that are set up for real, ascending. */
const MEASURED = (process.env.BENCH_SCALE_HOSTS ?? "10,100,250").split(",").map(Number);
/** Numbers of hosts that the model is asked for. */
const ASKED = [10, 1_000, 100_000];
const CLIENTS = [8, 32];
const CORES = cpus().length;
const SEED = 1;
const UPS = ["first up", "no-op", "one host more", "new authority, 1st up", "destroy"];

export const title = "On paper: what 10, 1,000 and 100,000 client hosts cost";
export const about = `
A cost of each host and one of its square (the whole state is written at each host) are fitted to ups of ${MEASURED.join(", ")} client hosts (as in fleet, one round), and say what ${ASKED.map(number).join(", ")}
would take: **only the columns up to ${MEASURED.at(-1)} hosts are measured**. A deploy storm, every host pulling an image at once, is
simulated event by event and computed in closed form (no part can be busy for more than all of the time) from what one
request, connection, check of a password and byte cost this registry's container; requests and connections of a pull are
counted from its log while Docker pulls ${LAYERS} layers. The simulation is held against real storms of ${CLIENTS.join(" and ")} clients on this
machine, which do what Docker does by curl and share the cores with the registry. [docs/scale.md](../docs/scale.md) says what follows.

Assumed: an image of ${LAYERS} layers and ${IMAGE_BYTES / 1e6} MB, of which a new version changes one layer of ${CHANGED_BYTES / 1e6} MB; a registry on ${CORES} cores with a network of
${(BYTES_PER_SECOND * 8) / 1e9} Gb/s for itself; a storm may take ${STORM_SECONDS / 60} minutes. "Waited" are the hosts that Docker would have given up on after ${PATIENCE_SECONDS} s without a first
answer. \`BENCH_SCALE_HOSTS=10,100\` chooses the numbers of hosts that are set up.`;

/** Measures, fits, simulates and compares. */
export async function measure() {
    if (MEASURED.length < 2 || MEASURED.some((count) => !(count > 0 && count < 500))) {
        throw new Error("BENCH_SCALE_HOSTS is a list of two or more numbers from 1 to 499");
    }
    MEASURED.sort((a, b) => a - b);
    const limit = await withWorkspace(measureConfigLimit);
    const storms = await withWorkspace((workspace) => measureStorms(workspace, CLIENTS));
    const previews = await withWorkspace((workspace) => measurePreviews(workspace, MEASURED));
    const ups = await withWorkspace((workspace) => measureUps(workspace, MEASURED));
    const engine = fitEngine(ups, previews);
    say("simulating");
    const simulated = simulateAll(storms);
    return {
        unit: "s",
        samples: {
            ...Object.fromEntries(
                ups.lines.map((line) => [`${line.name}, ${line.hosts} hosts`, [line.wall]]),
            ),
            ...Object.fromEntries(
                CLIENTS.map((count) => [`${count} clients pull`, storms.samples[count] ?? []]),
            ),
        },
        tables: [
            engineTable(ups, previews, engine),
            costTable(storms),
            simulated.table,
            limitTable(limit, engine, storms),
        ],
        ratios: [...realRatios(storms), ...simulated.ratios],
        facts: [
            `A pull of ${LAYERS} layers by Docker: ${storms.pull.requests} requests, ${storms.pull.open} of them refused for want of an account, on ` +
                `${storms.pull.connections} connections. A first up grows with the power ${engine.exponent.toFixed(2)} of the hosts, its CPU with ` +
                `${engine.exponentOfCpu.toFixed(2)}; a host takes ${perHost(engine.growths["first up"])} of it, ${perHost(engine.cpu)} of CPU. With 200 hosts, seen once before this release: ` +
                `${Object.entries(SEEN_AT_200)
                    .map(([name, value]) => `${name} ${value} s`)
                    .join(", ")}.`,
        ],
    };
}

/**
 * @typedef {Awaited<ReturnType<typeof measureUps>>} Ups
 * @typedef {Awaited<ReturnType<typeof measurePreviews>>} Previews
 * @typedef {Awaited<ReturnType<typeof measureStorms>>} Storms
 * @typedef {ReturnType<typeof fitEngine>} Engine
 */

/**
 * @param {Ups} ups
 * @param {Previews} previews
 */
function fitEngine({ lines, states }, previews) {
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
    /** @type {(points: readonly (readonly [number, number])[]) => import("./scale/model.js").Growth} */
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
 */
function engineTable({ lines, states }, previews, engine) {
    const later = ASKED.filter((hosts) => hosts > (MEASURED.at(-1) ?? 0));
    /** @type {(name: string, measured: (hosts: number) => number | undefined, fitted: (hosts: number) => number) => string[]} */
    const row = (name, measured, fitted) => [
        name,
        ...MEASURED.map((hosts) => short(measured(hosts) ?? NaN)),
        ...later.map((hosts) => short(fitted(hosts))),
    ];
    const of =
        (/** @type {string} */ name, /** @type {"wall" | "cpu" | "memory"} */ what) =>
        (/** @type {number} */ hosts) =>
            lines.find((line) => line.name === name && line.hosts === hosts)?.[what];
    const stateOf = (/** @type {"stored" | "plain"} */ form) => (/** @type {number} */ hosts) =>
        (states.find((state) => state.hosts === hosts)?.[form] ?? NaN) / 1e6;
    const sizeOf =
        (/** @type {import("./scale/model.js").Growth} */ line) => (/** @type {number} */ hosts) =>
            at(line, hosts) / 1e6;
    const written = (/** @type {number} */ hosts) =>
        checkpointBytes(hosts, { fixed: engine.plain.fixed, perHost: engine.plain.linear }) / 1e9;
    return {
        head: [
            "the engine",
            ...MEASURED.map((hosts) => `${number(hosts)}, measured`),
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

/** @param {Storms} storms */
function costTable({ costs, pull, client }) {
    const scenarios = pulls(pull);
    return {
        head: ["the registry's CPU", "ms"],
        rows: [
            ["a connection with its TLS handshake", figure(costs.connection * 1e3)],
            ["a request without its check", figure(costs.request * 1e3)],
            ["the check of a password (cost 5)", figure(costs.check * 1e3)],
            ["a MB sent", figure(costs.byte * 1e9)],
            ...scenarios.map(({ name, pull: it }) => [
                `a pull: ${name}`,
                figure(cpuOfPull(it, costs) * 1e3),
            ]),
            ["a client that pulls by curl, its own CPU", figure(client * 1e3)],
        ],
    };
}

/**
 * The pulls of a storm: a whole image, and the one layer that a new version brings.
 *
 * @param {import("./scale/storm.mjs").SeenPull} seen
 */
function pulls(seen) {
    const unchanged = LAYERS - 1;
    const changed = {
        ...seen,
        requests: seen.requests - unchanged,
        connections: seen.connections - unchanged,
        bytes: CHANGED_BYTES,
    };
    return [
        { name: "whole image", pull: { ...seen, bytes: IMAGE_BYTES } },
        { name: "one layer", pull: changed },
    ];
}

/** @param {Storms} storms */
function simulateAll({ costs, pull: seen }) {
    const site = {
        ...{ replicas: 1, cores: CORES, bytesPerSecond: BYTES_PER_SECOND, window: 1 },
        isRedirecting: false,
    };
    /** @type {string[][]} */
    const rows = [];
    /** @type {{ name: string, value: number }[]} */
    const ratios = [];
    for (const { name, pull } of pulls(seen)) {
        const kinds = [
            { kind: "one registry", of: () => site },
            { kind: "layers from storage", of: () => ({ ...site, isRedirecting: true }) },
            {
                kind: "replicas for ten minutes",
                of: (/** @type {number} */ hosts) => ({
                    ...site,
                    replicas: replicasFor(hosts, pull, costs, site, STORM_SECONDS),
                }),
            },
        ];
        for (const { kind, of } of kinds) {
            const cells = ASKED.map((hosts) => {
                const there = of(hosts);
                const input = { hosts, pull, costs, site: there, seed: SEED };
                const outcome = simulation.simulate({ ...input, patience: PATIENCE_SECONDS });
                const bound = storm(hosts, pull, costs, there);
                ratios.push({
                    name: `${number(hosts)} hosts, ${name}, ${kind}: simulated / model`,
                    value: outcome.complete / bound.seconds,
                });
                const parts = [
                    `${short(outcome.p50)} / ${short(outcome.p95)} / ${short(outcome.complete)}`,
                    `model ${short(bound.seconds)}`,
                    bound.bottleneck === "none" ? "nothing busy" : `${bound.bottleneck} busy`,
                    ...(there.replicas > 1 ? [`${there.replicas} replicas`] : []),
                    ...(outcome.impatient > 0 ? [`${number(outcome.impatient)} waited`] : []),
                ];
                return parts.join(", ");
            });
            rows.push([`${name}, ${kind}`, ...cells]);
        }
    }
    const head = ["storm: p50 / p95 / all done, s", ...ASKED.map(number)];
    return { table: { head, rows }, ratios };
}

/**
 * The simulation of the real storms, in which the clients' CPU comes from the same cores.
 *
 * @param {Storms} storms
 */
function realRatios({ storms, costs, pull, client }) {
    return CLIENTS.flatMap((hosts) => {
        const all = storms[hosts] ?? [];
        const simulate = (/** @type {number} */ slowness) =>
            simulation.simulate({
                ...{ hosts, pull, patience: PATIENCE_SECONDS, seed: SEED },
                costs: {
                    connection: costs.connection * slowness,
                    request: (costs.request + client / pull.requests) * slowness,
                    check: costs.check * slowness,
                    byte: costs.byte * slowness,
                },
                site: {
                    ...{ replicas: 1, cores: CORES, bytesPerSecond: Infinity, window: 0 },
                    isRedirecting: false,
                },
            }).complete;
        const server = median(all.map((it) => it.server));
        return [
            {
                name: `${hosts} clients: registry's CPU, model / real`,
                value: (hosts * cpuOfPull(pull, costs)) / server,
            },
            {
                name: `${hosts} clients: CPU of both, model / real`,
                value:
                    (hosts * (cpuOfPull(pull, costs) + client)) /
                    median(all.map((it) => it.server + it.clients)),
            },
            {
                name: `${hosts} clients: wall, simulated on all cores / real`,
                value: simulate(1) / median(all.map(({ wall }) => wall)),
            },
            {
                name: `${hosts} clients: wall, simulated on the cores left over / real`,
                value: median(all.map(({ wall, cores }) => simulate(CORES / cores) / wall)),
            },
        ];
    });
}

/**
 * What gives way at how many hosts.
 *
 * @param {Awaited<ReturnType<typeof measureConfigLimit>>} limit
 * @param {Engine} engine
 * @param {Storms} storms
 */
function limitTable(limit, engine, { costs, pull, openFiles }) {
    const site = {
        ...{ replicas: 1, cores: CORES, bytesPerSecond: BYTES_PER_SECOND, window: 1 },
        isRedirecting: false,
    };
    const [whole, changed] = pulls(pull).map((scenario) => {
        const each = storm(1_000_000, scenario.pull, costs, site);
        return (STORM_SECONDS * 1_000_000) / Math.max(each.cpu, each.network);
    });
    const growth = engine.growths["first up"];
    if (growth === undefined || whole === undefined || changed === undefined) throw new Error();
    const first = costs.connection + costs.request;
    /** @type {[string, number, string][]} */
    const rows = [
        [
            `client hosts in the stack's file, each with its pinned key: ${figure(limit.perHost)} characters each, ${number(MOST_IN_ENVIRONMENT)} in all`,
            limit.most,
            "measured",
        ],
        ["first up within an hour", hostsWithin(growth, 3600), "fitted"],
        [
            "first up within this machine's memory",
            hostsWithin(engine.memory, totalmem() / 1e6),
            "fitted",
        ],
        [`storm within ten minutes, whole image`, whole, "computed"],
        [`storm within ten minutes, one layer`, changed, "computed"],
        [
            `open connections of the registry (${number(openFiles)} files, ${pull.parallel} a host)`,
            openFiles / pull.parallel,
            "limit measured",
        ],
        [
            `a first answer for every host within ${PATIENCE_SECONDS} s, all at once`,
            (PATIENCE_SECONDS * CORES) / first,
            "computed",
        ],
    ];
    return {
        head: ["limit", "hosts", ""],
        rows: rows
            .sort(([, a], [, b]) => a - b)
            .map(([name, hosts, how]) => [name, number(Math.floor(hosts)), how]),
    };
}

/** @param {import("./scale/model.js").Growth | undefined} growth */
function perHost(growth) {
    if (growth === undefined) throw new Error("nothing was fitted");
    return `${growth.linear.toPrecision(2)} s and ${(growth.square * 1000).toPrecision(2)} ms for each other one`;
}

/** @param {number} value */
function short(value) {
    return value >= 1000 ? number(Number(value.toPrecision(2))) : figure(value);
}

/** @param {number} value */
function number(value) {
    return value.toLocaleString("en-US");
}
