import * as fc from "fast-check";
import {
    at,
    checkpointBytes,
    type Costs,
    cpuOfPull,
    exponent,
    fitGrowth,
    hostsWithin,
    type Pull,
    replicasFor,
    type Site,
    storm,
} from "../../benchmarks/scale/model";
import { simulate } from "../../benchmarks/scale/simulation";

const PULL = { requests: 14, open: 1, connections: 14, head: 3, bytes: 2e8, parallel: 4 };
const COSTS: Costs = { connection: 5e-4, request: 5e-4, check: 2e-3, byte: 1e-9 };
const SITE: Site = {
    replicas: 1,
    cores: 2,
    bytesPerSecond: 1.25e9,
    window: 0,
    isRedirecting: false,
};

const amount = fc.integer({ min: 1, max: 5000 });
const somePull = fc.record({
    requests: fc.integer({ min: 4, max: 30 }),
    open: fc.constantFrom(0, 1),
    connections: fc.integer({ min: 1, max: 4 }),
    head: fc.constantFrom(1, 2, 3),
    bytes: fc.integer({ min: 0, max: 1e9 }),
    parallel: fc.integer({ min: 1, max: 4 }),
});
const someCosts: fc.Arbitrary<Costs> = fc.record({
    connection: fc.double({ min: 0, max: 1e-2, noNaN: true }),
    request: fc.double({ min: 1e-6, max: 1e-2, noNaN: true }),
    check: fc.double({ min: 0, max: 1e-2, noNaN: true }),
    byte: fc.double({ min: 0, max: 1e-8, noNaN: true }),
});
const someSite: fc.Arbitrary<Site> = fc.record({
    replicas: fc.integer({ min: 1, max: 5 }),
    cores: fc.integer({ min: 1, max: 8 }),
    bytesPerSecond: fc.integer({ min: 1e6, max: 1e10 }),
    window: fc.integer({ min: 0, max: 10 }),
    isRedirecting: fc.boolean(),
});

const part = (max: number) => fc.double({ min: max / 1000, max, noNaN: true });

test("a fit finds what the points were made of", () => {
    fc.assert(
        fc.property(
            part(1),
            part(0.01),
            fc.integer({ min: 0, max: 10 }),
            (linear, square, fixed) => {
                const made = { fixed, linear, square };
                const points = [10, 50, 200].map((hosts) => [hosts, at(made, hosts)] as const);
                const fit = fitGrowth(points, fixed);
                expect(fit.linear / linear).toBeCloseTo(1, 5);
                expect(fit.square / square).toBeCloseTo(1, 5);
                expect(exponent(points, fixed)).toBeGreaterThan(1);
                expect(exponent(points, fixed)).toBeLessThan(2);
            },
        ),
    );
});

test("whatever was measured, more hosts never cost less", () => {
    const values = fc.array(fc.double({ min: 3, max: 1000, noNaN: true }), {
        minLength: 3,
        maxLength: 3,
    });
    fc.assert(
        fc.property(values, amount, amount, (measured, hosts, more) => {
            const points = [10, 50, 200].map(
                (count, index) => [count, measured[index] ?? 3] as const,
            );
            const fit = fitGrowth(points, 2);
            expect(at(fit, hosts + more)).toBeGreaterThanOrEqual(at(fit, hosts));
        }),
    );
});

test("what is said of a limit is the last number of hosts that keeps within it", () => {
    const growths = fc.record({
        fixed: fc.integer({ min: 0, max: 10 }),
        linear: part(1),
        square: fc.oneof(fc.constant(0), part(0.01)),
    });
    fc.assert(
        fc.property(growths, amount, (growth, limit) => {
            const most = hostsWithin(growth, limit);
            if (most > 0) expect(at(growth, most)).toBeLessThanOrEqual(limit * 1.000001);
            expect(at(growth, most + 1)).toBeGreaterThan(limit);
        }),
    );
});

test("points that no host costs more than are no fit", () => {
    expect(() => fitGrowth([[10, 3]], 1)).toThrow("two points");
    expect(() =>
        fitGrowth(
            [
                [0, 3],
                [10, 2],
                [20, 5],
            ],
            2,
        ),
    ).toThrow("two points");
});

test("an up writes its whole state twice for each host", () => {
    expect(checkpointBytes(0, { fixed: 100, perHost: 10 })).toBe(0);
    // 110 twice, then 120 twice.
    expect(checkpointBytes(2, { fixed: 100, perHost: 10 })).toBe(2 * 110 + 2 * 120);
});

test("a pull costs each of its parts once", () => {
    expect(cpuOfPull(PULL, { connection: 1, request: 0, check: 0, byte: 0 })).toBe(14);
    expect(cpuOfPull(PULL, { connection: 0, request: 1, check: 0, byte: 0 })).toBe(14);
    expect(cpuOfPull(PULL, { connection: 0, request: 0, check: 1, byte: 0 })).toBe(13);
    expect(cpuOfPull(PULL, { connection: 0, request: 0, check: 0, byte: 1 })).toBe(2e8);
});

test.each<[string, Partial<Site>, Partial<Pull>, string]>([
    ["the network for whole images", {}, {}, "network"],
    ["the cores for small ones", {}, { bytes: 1e6 }, "CPU"],
    ["the cores where the storage sends the layers", { isRedirecting: true }, {}, "CPU"],
    ["nothing when hosts take their time", { window: 3600 }, {}, "none"],
])("what bounds a storm of a thousand: %s", (_, site, pull, bottleneck) => {
    expect(storm(1000, { ...PULL, ...pull }, COSTS, { ...SITE, ...site }).bottleneck).toBe(
        bottleneck,
    );
});

test("more hosts, bytes or costs never make a storm shorter; more replicas, cores or network never longer", () => {
    fc.assert(
        fc.property(
            amount,
            amount,
            somePull,
            someCosts,
            someSite,
            (hosts, more, pull, costs, site) => {
                const { seconds } = storm(hosts, pull, costs, site);
                const slower = [
                    storm(hosts + more, pull, costs, site),
                    storm(hosts, { ...pull, bytes: pull.bytes + more }, costs, site),
                    storm(hosts, { ...pull, requests: pull.requests + more }, costs, site),
                    storm(hosts, pull, { ...costs, check: costs.check * (1 + more) }, site),
                    storm(hosts, pull, costs, { ...site, window: site.window + more }),
                ];
                const faster = [
                    storm(hosts, pull, costs, { ...site, replicas: site.replicas + more }),
                    storm(hosts, pull, costs, { ...site, cores: site.cores + more }),
                    storm(hosts, pull, costs, {
                        ...site,
                        bytesPerSecond: site.bytesPerSecond * (1 + more),
                    }),
                    storm(hosts, pull, costs, { ...site, isRedirecting: true }),
                ];
                for (const other of slower)
                    expect(other.seconds).toBeGreaterThanOrEqual(seconds * 0.999999);
                for (const other of faster)
                    expect(other.seconds).toBeLessThanOrEqual(seconds * 1.000001);
            },
        ),
    );
});

test("the replicas that a storm is said to need are enough, and one less is not", () => {
    fc.assert(
        fc.property(
            amount,
            amount,
            somePull,
            someCosts,
            someSite,
            (hosts, limit, pull, costs, site) => {
                const replicas = replicasFor(hosts, pull, costs, site, limit);
                const busy = (count: number) => {
                    const { cpu, network } = storm(hosts, pull, costs, {
                        ...site,
                        replicas: count,
                    });
                    return Math.max(cpu, network);
                };
                expect(busy(replicas)).toBeLessThanOrEqual(limit * 1.000001);
                if (replicas > 1) expect(busy(replicas - 1)).toBeGreaterThan(limit * 0.999999);
            },
        ),
    );
});

describe("the simulation", () => {
    const run = (hosts: number, site: Partial<Site> = {}, pull: Partial<typeof PULL> = {}) =>
        simulate({
            hosts,
            pull: { ...PULL, ...pull },
            costs: COSTS,
            site: { ...SITE, ...site },
            patience: 10,
            seed: 1,
        });

    test("is the same for the same seed, and another for another", () => {
        expect(run(100)).toEqual(run(100));
        const storm = { hosts: 100, pull: PULL, costs: COSTS, site: SITE, patience: 10 };
        expect(simulate({ ...storm, seed: 2 }).complete).not.toBe(run(100).complete);
    });

    test("is never done before the least that the model says, and close to it when a part is always busy", () => {
        for (const bytes of [1e6, 2e8]) {
            for (const replicas of [1, 3]) {
                const { complete } = run(900, { replicas }, { bytes });
                const { seconds } = storm(900, { ...PULL, bytes }, COSTS, { ...SITE, replicas });
                // The CPU time of a request varies around its mean.
                expect(complete / seconds).toBeGreaterThan(0.98);
                expect(complete / seconds).toBeLessThan(1.1);
            }
        }
    });

    test("sends what comes before the layers one after the other", () => {
        const pull = { ...PULL, requests: 15, connections: 15, open: 0, head: 14, bytes: 0 };
        const costs = { connection: 0, request: 1, check: 0, byte: 0 };
        const site = { ...SITE, cores: 8 };
        const { p50 } = simulate({ hosts: 1, pull, costs, site, patience: 10, seed: 1 });
        // A request takes half of its mean at the least, and one and a half of it at the most.
        expect(p50).toBeGreaterThan(7.5);
        expect(p50).toBeLessThan(22.5);
        const { p50: atOnce } = simulate({
            ...{ hosts: 1, costs, site, patience: 10, seed: 1 },
            pull: { ...pull, head: 3 },
        });
        expect(atOnce).toBeLessThan(p50);
    });

    test("serves every request of every host, with nothing busier than it can be", () => {
        fc.assert(
            fc.property(
                fc.integer({ min: 1, max: 40 }),
                somePull,
                someCosts,
                someSite,
                (hosts, pull, costs, site) => {
                    const outcome = simulate({ hosts, pull, costs, site, patience: 10, seed: 3 });
                    expect(outcome.events).toBe(2 * hosts * pull.requests);
                    expect(outcome.p50).toBeGreaterThan(0);
                    expect(outcome.p50).toBeLessThanOrEqual(outcome.p95);
                    expect(outcome.p95).toBeLessThanOrEqual(outcome.complete);
                    expect(outcome.utilisation.cpu).toBeLessThanOrEqual(1.000001);
                    expect(outcome.utilisation.network).toBeLessThanOrEqual(1.000001);
                },
            ),
        );
    });

    test("counts the hosts that would have given up", () => {
        expect(run(10).impatient).toBe(0);
        expect(run(30_000, {}, { bytes: 1e6 }).impatient).toBeGreaterThan(0);
    });
});
