/** A number of hosts, and what was measured with it. */
export type Point = readonly [hosts: number, value: number];

/** `fixed + linear * hosts + square * hosts ^ 2`: each host has its cost, and its part of writing everybody's state. */
export interface Growth {
    readonly fixed: number;
    readonly linear: number;
    readonly square: number;
}

/** What a client does to pull one image. */
export interface Pull {
    readonly requests: number;
    /** Those among the requests that show no account, and are refused without a look at any. */
    readonly open: number;
    readonly connections: number;
    readonly bytes: number;
    /** Layers at the same time. */
    readonly parallel: number;
}

/** CPU seconds of the registry. */
export interface Costs {
    /** For a connection with its TLS handshake. */
    readonly connection: number;
    /** For a request, without the check of its account. */
    readonly request: number;
    /** For the check of an account's password. */
    readonly check: number;
    /** For a byte sent. */
    readonly byte: number;
}

/** What serves the pulls. */
export interface Site {
    readonly replicas: number;
    /** Of each replica. */
    readonly cores: number;
    /** Of each replica's network. */
    readonly bytesPerSecond: number;
    /** Seconds in which all hosts begin. */
    readonly window: number;
    /** Whether the storage sends the layers, and the registry only says where they are. */
    readonly isRedirecting: boolean;
}

/** What fits best what was measured, over what no host costs: least squares of relative residuals, no part negative. */
export function fitGrowth(points: readonly Point[], fixed: number): Growth;

/** The exponent of the one power of the number of hosts that fits best what they add to what none costs: 1 is linear. */
export function exponent(points: readonly Point[], fixed: number): number;

export function at(growth: Growth, hosts: number): number;

/** The most hosts for which a growth stays within a limit. */
export function hostsWithin(growth: Growth, limit: number): number;

/** Bytes that a first `up` writes as states: all of it, before and after each host. */
export function checkpointBytes(
    hosts: number,
    state: { readonly fixed: number; readonly perHost: number },
): number;

/** CPU seconds of the registry for one pull. */
export function cpuOfPull(pull: Pull, costs: Costs): number;

/** The part of a pull that the registry itself sends: not the layers where the storage does. */
export function sentBy<T extends Pull>(site: Site, pull: T): T;

/**
 * The least that a deploy storm takes, every host pulling once: what the busiest part needs for all of them (its utilisation
 * cannot be over 1), or the last host's own pull when nothing is busy.
 */
export function storm(
    hosts: number,
    pull: Pull,
    costs: Costs,
    site: Site,
): {
    /** Seconds that the cores of each replica work. */
    readonly cpu: number;
    /** Seconds that the network of each replica sends. */
    readonly network: number;
    /** Seconds of one pull with nobody else there. */
    readonly alone: number;
    readonly seconds: number;
    readonly bottleneck: "CPU" | "network" | "none";
};

/** Replicas that a storm needs to be over within a number of seconds. */
export function replicasFor(
    hosts: number,
    pull: Pull,
    costs: Costs,
    site: Site,
    limit: number,
): number;
