// @ts-check
// A deploy storm, event by event: hosts that come at random, queues before cores and network. The same seed, the same storm.
"use strict";

const { sentBy } = require("./model");

/**
 * @typedef {import("./simulation").Storm} Storm
 * @typedef {import("./simulation").Outcome} Outcome
 */

/** Spread of a request's CPU time around its mean. */
const SPREAD = 0.5;

/**
 * @param {Storm} input
 * @returns {Outcome}
 */
function simulate({ hosts, pull: image, costs, site, patience, seed }) {
    const pull = sentBy(site, image);
    const random = randomBy(seed);
    const layers = pull.requests - pull.head;
    const replicas = Array.from({ length: site.replicas }, () => ({
        cores: new Float64Array(site.cores),
        network: 0,
    }));
    const queue = new Queue(hosts * pull.parallel + 1);
    const begun = new Float64Array(hosts);
    const ended = new Float64Array(hosts).fill(-1);
    /** Requests that each host has sent, and that it has had an answer to. */
    const sent = new Int32Array(hosts);
    const answered = new Int32Array(hosts);
    const handshakes = pull.connections / pull.requests;
    const work = costs.request + handshakes * costs.connection;
    const bytesPerLayer = pull.bytes / Math.max(1, layers);
    let busyCpu = 0;
    let busyNetwork = 0;
    let impatient = 0;
    let events = 0;
    const waits = new Float64Array(hosts);

    for (let host = 0; host < hosts; host++) {
        begun[host] = site.window * random();
        queue.push(begun[host] ?? 0, host * 2);
        sent[host] = 1;
    }
    for (;;) {
        const next = queue.pop();
        if (next === undefined) break;
        events++;
        const host = next.what >> 1;
        const replica = replicas[host % site.replicas];
        if (replica === undefined) throw new Error("no replica");
        const isAsking = next.what % 2 === 0;
        if (isAsking) {
            const number = answered[host] ?? 0;
            const isLayer = number >= pull.head;
            const bytes = isLayer ? bytesPerLayer : 0;
            const isOpen = number < pull.open;
            const mean = work + (isOpen ? 0 : costs.check) + bytes * costs.byte;
            const cpu = mean * (1 - SPREAD + 2 * SPREAD * random());
            const core = soonest(replica.cores);
            const start = Math.max(next.time, replica.cores[core] ?? 0);
            if (number === 0) waits[host] = start - next.time;
            const done = start + cpu;
            replica.cores[core] = done;
            busyCpu += cpu;
            queue.push(done, host * 2 + 1);
            continue;
        }
        // Layers come after the manifest: an answer that is one has bytes to send.
        const isLayer = (answered[host] ?? 0) >= pull.head;
        let time = next.time;
        if (isLayer) {
            const seconds = bytesPerLayer / site.bytesPerSecond;
            replica.network = Math.max(replica.network, time) + seconds;
            busyNetwork += seconds;
            time = replica.network;
        }
        const done = (answered[host] = (answered[host] ?? 0) + 1);
        if (done === pull.requests) ended[host] = time;
        // One after the other up to the manifest, then as many layers at once as the client takes.
        const open = done < pull.head ? 1 : Math.min(pull.parallel, pull.requests - done);
        while ((sent[host] ?? 0) < Math.min(pull.requests, done + open)) {
            sent[host] = (sent[host] ?? 0) + 1;
            queue.push(time, host * 2);
        }
    }
    const took = ended.map((time, host) => time - (begun[host] ?? 0)).sort();
    const complete = ended.reduce((most, time) => Math.max(most, time), 0);
    for (const wait of waits) if (wait > patience) impatient++;
    return {
        p50: quantile(took, 0.5),
        p95: quantile(took, 0.95),
        complete,
        impatient,
        utilisation: {
            cpu: busyCpu / (complete * site.cores * site.replicas),
            network: busyNetwork / (complete * site.replicas),
        },
        events,
    };
}

/** @param {Float64Array} cores when each is free */
function soonest(cores) {
    let best = 0;
    for (let core = 1; core < cores.length; core++) {
        if ((cores[core] ?? 0) < (cores[best] ?? 0)) best = core;
    }
    return best;
}

/**
 * @param {Float64Array} sorted
 * @param {number} part
 */
function quantile(sorted, part) {
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

/**
 * Numbers from 0 to 1 that look random: mulberry32, a well-known generator of 32 bits.
 *
 * @param {number} seed
 */
function randomBy(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
}

/** What happens next: a binary heap over typed arrays, since there are millions of events. */
class Queue {
    #size = 0;

    /** @param {number} most at the same time */
    constructor(most) {
        this.times = new Float64Array(most);
        this.whats = new Int32Array(most);
    }

    /**
     * @param {number} time
     * @param {number} what
     */
    push(time, what) {
        let at = this.#size++;
        if (at >= this.times.length) throw new Error("more events than were expected");
        while (at > 0) {
            const parent = (at - 1) >> 1;
            if ((this.times[parent] ?? 0) <= time) break;
            this.#move(parent, at);
            at = parent;
        }
        this.times[at] = time;
        this.whats[at] = what;
    }

    pop() {
        if (this.#size === 0) return undefined;
        const first = { time: this.times[0] ?? 0, what: this.whats[0] ?? 0 };
        const last = --this.#size;
        const [time, what] = [this.times[last] ?? 0, this.whats[last] ?? 0];
        let at = 0;
        for (;;) {
            let child = 2 * at + 1;
            if (child >= last) break;
            if (child + 1 < last && (this.times[child + 1] ?? 0) < (this.times[child] ?? 0)) {
                child++;
            }
            if ((this.times[child] ?? 0) >= time) break;
            this.#move(child, at);
            at = child;
        }
        this.times[at] = time;
        this.whats[at] = what;
        return first;
    }

    /**
     * @param {number} from
     * @param {number} to
     */
    #move(from, to) {
        this.times[to] = this.times[from] ?? 0;
        this.whats[to] = this.whats[from] ?? 0;
    }
}

module.exports = { simulate };
