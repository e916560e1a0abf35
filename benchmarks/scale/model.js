// @ts-check
// What a number of client hosts costs, in closed form. Nothing here measures or reads anything.
"use strict";

/**
 * @typedef {import("./model").Growth} Growth
 * @typedef {import("./model").Point} Point
 * @typedef {import("./model").Pull} Pull
 * @typedef {import("./model").Costs} Costs
 * @typedef {import("./model").Site} Site
 */

/**
 * @param {readonly Point[]} points
 * @param {number} fixed
 * @returns {Growth}
 */
function fitPower(points, fixed) {
    const logs = points
        .filter(([hosts, value]) => hosts > 0 && value > fixed)
        .map(([hosts, value]) => /** @type {const} */ ([Math.log(hosts), Math.log(value - fixed)]));
    if (logs.length < 2) throw new Error("a fit needs two points above what no host costs");
    const x = mean(logs.map(([hosts]) => hosts));
    const y = mean(logs.map(([, value]) => value));
    const slope =
        mean(logs.map(([hosts, value]) => (hosts - x) * (value - y))) /
        mean(logs.map(([hosts]) => (hosts - x) ** 2));
    return { fixed, factor: Math.exp(y - slope * x), exponent: slope };
}

/**
 * @param {Growth} growth
 * @param {number} hosts
 */
function at({ fixed, factor, exponent }, hosts) {
    return fixed + factor * hosts ** exponent;
}

/**
 * @param {Growth} growth
 * @param {number} limit
 */
function hostsWithin({ fixed, factor, exponent }, limit) {
    return limit <= fixed ? 0 : Math.floor(((limit - fixed) / factor) ** (1 / exponent) + 1e-9);
}

/**
 * @param {number} hosts
 * @param {{ fixed: number, perHost: number }} state
 */
function checkpointBytes(hosts, { fixed, perHost }) {
    return 2 * hosts * (fixed + (perHost * (hosts + 1)) / 2);
}

/**
 * @param {Pull} pull
 * @param {Costs} costs
 */
function cpuOfPull({ requests, open, bytes, connections }, costs) {
    return (
        connections * costs.connection +
        (requests - open) * (costs.request + costs.check) +
        open * costs.request +
        bytes * costs.byte
    );
}

/**
 * @param {number} hosts
 * @param {Pull} image
 * @param {Costs} costs
 * @param {Site} site
 */
function storm(hosts, image, costs, site) {
    const pull = sentBy(site, image);
    const cpu = (hosts * cpuOfPull(pull, costs)) / (site.replicas * site.cores);
    const network = (hosts * pull.bytes) / (site.replicas * site.bytesPerSecond);
    const alone = aloneSeconds(pull, costs, site);
    const busy = Math.max(cpu, network);
    const seconds = Math.max(busy, site.window + alone);
    return {
        cpu,
        network,
        alone,
        seconds,
        bottleneck: seconds > busy ? "none" : cpu >= network ? "CPU" : "network",
    };
}

/**
 * The part of a pull that the registry itself sends.
 *
 * @template {Pull} T
 * @param {Site} site
 * @param {T} pull
 * @returns {T}
 */
function sentBy(site, pull) {
    return site.isRedirecting ? { ...pull, bytes: 0 } : pull;
}

/**
 * @param {Pull} pull
 * @param {Costs} costs
 * @param {Site} site
 */
function aloneSeconds(pull, costs, site) {
    return Math.max(
        pull.bytes / site.bytesPerSecond,
        cpuOfPull(pull, costs) / Math.min(site.cores, pull.parallel),
    );
}

/**
 * @param {number} hosts
 * @param {Pull} pull
 * @param {Costs} costs
 * @param {Site} site
 * @param {number} limit
 */
function replicasFor(hosts, pull, costs, site, limit) {
    const { cpu, network } = storm(hosts, pull, costs, { ...site, replicas: 1 });
    return Math.max(1, Math.ceil(Math.max(cpu, network) / limit));
}

/** @param {readonly number[]} values */
function mean(values) {
    return values.reduce((sum, value) => sum + value, 0) / values.length;
}

module.exports = {
    fitPower,
    at,
    hostsWithin,
    checkpointBytes,
    cpuOfPull,
    sentBy,
    storm,
    replicasFor,
};
