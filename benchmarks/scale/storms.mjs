// @ts-check
// Storms: real ones beside their simulation, and simulated ones beside the closed form.
import { cpus } from "node:os";
import { median } from "../measure.mjs";
import { figure } from "../readme.mjs";
import {
    BYTES_PER_SECOND,
    CHANGED_BYTES,
    IMAGE_BYTES,
    PATIENCE_SECONDS,
    STORM_SECONDS,
} from "./inputs.mjs";
import model from "./model.js";
import simulation from "./simulation.js";
import { LAYERS } from "./storm.mjs";
import { number, short } from "./text.mjs";

const { cpuOfPull, replicasFor, storm } = model;

const SEED = 1;
const CORES = cpus().length;
/** One registry, and hosts that all begin within a second. */
export const SITE = {
    ...{ replicas: 1, cores: CORES, bytesPerSecond: BYTES_PER_SECOND, window: 1 },
    isRedirecting: false,
};

/** @typedef {Awaited<ReturnType<typeof import("./storm.mjs").measureStorms>>} Storms */

/** @param {Storms} storms */
export function costTable({ costs, pull, client }) {
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
 * @param {import("./storm.mjs").SeenPull} seen
 */
export function pulls(seen) {
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

/**
 * @param {Storms} storms
 * @param {readonly number[]} asked numbers of hosts
 */
export function simulateAll({ costs, pull: seen }, asked) {
    /** @type {string[][]} */
    const rows = [];
    /** @type {{ name: string, value: number }[]} */
    const ratios = [];
    for (const { name, pull } of pulls(seen)) {
        const kinds = [
            { kind: "one registry", of: () => SITE },
            { kind: "layers from storage", of: () => ({ ...SITE, isRedirecting: true }) },
            {
                kind: "replicas for ten minutes",
                of: (/** @type {number} */ hosts) => ({
                    ...SITE,
                    replicas: replicasFor(hosts, pull, costs, SITE, STORM_SECONDS),
                }),
            },
        ];
        for (const { kind, of } of kinds) {
            const cells = asked.map((hosts) => {
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
    const head = ["storm: p50 / p95 / all done, s", ...asked.map(number)];
    return { table: { head, rows }, ratios };
}

/**
 * The simulation of the real storms, in which the clients' CPU comes from the same cores.
 *
 * @param {Storms} storms
 */
export function realRatios({ storms, costs, pull, client }) {
    return Object.entries(storms).flatMap(([count, all]) => {
        const hosts = Number(count);
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
