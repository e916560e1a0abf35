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
function fitGrowth(points, fixed) {
    const used = above(points, fixed);
    const sum = (/** @type {(hosts: number, value: number) => number} */ term) =>
        used.reduce((total, [hosts, value]) => total + term(hosts, value), 0);
    // Residuals in relation to what was measured: a minute is not more worth than a second.
    const [nn, nq, qq] = [2, 3, 4].map((power) =>
        sum((hosts, value) => hosts ** power / value ** 2),
    );
    const [n, q] = [1, 2].map((power) => sum((hosts, value) => hosts ** power / value));
    if (nn === undefined || nq === undefined || qq === undefined) throw new Error("no sums");
    if (n === undefined || q === undefined) throw new Error("no sums");
    const determinant = nn * qq - nq * nq;
    const [linear, square] = [(n * qq - q * nq) / determinant, (q * nn - n * nq) / determinant];
    // Nothing becomes cheaper with more hosts: where the best fit says so, the best one that does not is taken.
    if (square < 0) return { fixed, linear: n / nn, square: 0 };
    if (linear < 0) return { fixed, linear: 0, square: q / qq };
    return { fixed, linear, square };
}

/**
 * @param {readonly Point[]} points
 * @param {number} fixed
 */
function exponent(points, fixed) {
    const logs = above(points, fixed).map(([hosts, value]) => [Math.log(hosts), Math.log(value)]);
    const x = mean(logs.map(([hosts = NaN]) => hosts));
    const y = mean(logs.map(([, value = NaN]) => value));
    return (
        mean(logs.map(([hosts = NaN, value = NaN]) => (hosts - x) * (value - y))) /
        mean(logs.map(([hosts = NaN]) => (hosts - x) ** 2))
    );
}

/**
 * What hosts add to what none costs.
 *
 * @param {readonly Point[]} points
 * @param {number} fixed
 */
function above(points, fixed) {
    const used = points
        .filter(([hosts, value]) => hosts > 0 && value > fixed)
        .map(([hosts, value]) => /** @type {const} */ ([hosts, value - fixed]));
    if (used.length < 2) throw new Error("a fit needs two points above what no host costs");
    return used;
}

/**
 * @param {Growth} growth
 * @param {number} hosts
 */
function at({ fixed, linear, square }, hosts) {
    return fixed + linear * hosts + square * hosts ** 2;
}

/**
 * @param {Growth} growth
 * @param {number} limit
 */
function hostsWithin({ fixed, linear, square }, limit) {
    const left = limit - fixed;
    if (left <= 0) return 0;
    // The root in the form that also holds without a square.
    return Math.floor((2 * left) / (linear + Math.sqrt(linear ** 2 + 4 * square * left)) + 1e-9);
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
    fitGrowth,
    exponent,
    at,
    hostsWithin,
    checkpointBytes,
    cpuOfPull,
    sentBy,
    storm,
    replicasFor,
};
