// @ts-check
// The figures of all subjects by number of hosts.
import { median } from "../measure.mjs";
import { figure } from "../readme.mjs";

/** @typedef {import("./cost.mjs").Cost} Cost */
/** @typedef {keyof Cost} What */
/** @typedef {{ file: number, exported: number }} StateSize bytes of the backend's file, and of what `pulumi stack export` prints */

const HEADS = { wall: "wall, s", cpu: "CPU, s", memory: "memory at its peak, MB" };
/** From this number of hosts on, growth is looked at. */
const MANY = 10;

export class Sheet {
    /** @type {Map<string, Map<number, Cost[]>>} */
    #costs = new Map();
    /** @type {Map<number, StateSize>} */
    #states = new Map();
    /** @type {Map<string, Set<number>>} */
    #connections = new Map();

    /** @param {readonly number[]} counts of hosts, ascending */
    constructor(counts) {
        this.counts = counts;
    }

    /**
     * @param {string} name
     * @param {number} count
     * @param {Cost} cost
     */
    add(name, count, { wall, cpu, memory }) {
        const costs = this.#costs.get(name) ?? new Map();
        this.#costs.set(
            name,
            costs.set(count, [...(costs.get(count) ?? []), { wall, cpu, memory }]),
        );
    }

    /**
     * Logins on one host by one command.
     *
     * @param {string} kind what the command did there
     * @param {number} logins
     */
    addConnections(kind, logins) {
        this.#connections.set(kind, (this.#connections.get(kind) ?? new Set()).add(logins));
    }

    /**
     * @param {number} count
     * @param {StateSize} size
     */
    addState(count, size) {
        this.#states.set(count, size);
    }

    /**
     * KB of each form.
     *
     * @param {number} count
     * @returns {StateSize}
     */
    statePerHost(count) {
        const [all, fixed] = [this.#states.get(count), this.#states.get(0)];
        const perHost = (/** @type {keyof StateSize} */ form) =>
            ((all?.[form] ?? NaN) - (fixed?.[form] ?? NaN)) / count / 1000;
        return { file: perHost("file"), exported: perHost("exported") };
    }

    /**
     * Samples at each number of hosts.
     *
     * @param {string} name
     */
    rounds(name) {
        const costs = this.#costs.get(name);
        return this.counts.map((count) => costs?.get(count)?.length ?? 0).join(", ");
    }

    /**
     * @param {string} name
     * @param {number} count
     * @param {What} what
     */
    median(name, count, what) {
        return median((this.#costs.get(name)?.get(count) ?? []).map((cost) => cost[what]));
    }

    /**
     * The exponent of a power of the number of hosts, fitted to what they add to 0 hosts; where ours is nothing without hosts, to
     * an up that changes nothing. NaN when they add less than the runs of one number differ by.
     *
     * @param {string} name
     * @param {What} what
     */
    growth(name, what) {
        const costs = this.#costs.get(name);
        const without = costs?.has(0) ? name : "ours: no-op";
        const fixed = name.startsWith("ours") ? this.median(without, 0, what) : 0;
        const points = [...(costs?.keys() ?? [])]
            .filter((count) => count >= MANY)
            .map((count) => [Math.log(count), Math.log(this.median(name, count, what) - fixed)]);
        const mean = (/** @type {number} */ axis) =>
            points.reduce((sum, point) => sum + (point[axis] ?? NaN), 0) / points.length;
        const [x, y] = [mean(0), mean(1)];
        const sum = (/** @type {(point: number[]) => number} */ term) =>
            points.reduce((total, point) => total + term(point), 0);
        return (
            sum(([px = NaN, py = NaN]) => (px - x) * (py - y)) / sum(([px = NaN]) => (px - x) ** 2)
        );
    }

    /** @type {(name: string, what: What) => string} */
    #growthFigure(name, what) {
        const growth = this.growth(name, what);
        return Number.isNaN(growth) ? "" : figure(growth);
    }

    /** Connections that every host saw, of each kind; the most where they differ. */
    connectionRatios() {
        const aims = { changed: "= 1", "left alone": "= 0", "looked at": "= 1" };
        return Object.entries(aims).map(([kind, aim]) => {
            const seen = [...(this.#connections.get(kind) ?? [])];
            const wanted = Number(aim.slice(2));
            const odd = seen.find((count) => count !== wanted);
            return {
                name: `connections to a host that is ${kind}, by one command`,
                value: odd ?? seen[0] ?? NaN,
                aim,
            };
        });
    }

    /** All samples by a name that says what they are. */
    samples() {
        return Object.fromEntries(
            [...this.#costs].flatMap(([name, costs]) =>
                [...costs].flatMap(([count, all]) =>
                    whats.map((what) => [
                        `${name}, ${count} hosts: ${HEADS[what]}`,
                        all.map((cost) => cost[what]),
                    ]),
                ),
            ),
        );
    }

    /** One table for each of wall, CPU and memory, with the numbers of hosts as its columns. */
    tables() {
        return whats.map((what) => ({
            head: [HEADS[what], ...this.counts.map(String), "growth"],
            rows: [...this.#costs].sort(oursFirst).map(([name, costs]) => {
                const many = [...costs.keys()].filter((count) => count >= MANY);
                return [
                    name,
                    ...this.counts.map((count) =>
                        costs.has(count) ? figure(this.median(name, count, what)) : "",
                    ),
                    many.length > 1 && what !== "memory" ? this.#growthFigure(name, what) : "",
                ];
            }),
        }));
    }
}

/** @type {(a: readonly [string, unknown], b: readonly [string, unknown]) => number} */
const oursFirst = ([a], [b]) => Number(b.startsWith("ours")) - Number(a.startsWith("ours"));

const whats = /** @type {const} */ (["wall", "cpu", "memory"]);
