import type { Costs, Pull, Site } from "./model";

export interface Storm {
    readonly hosts: number;
    /** `head`: requests one after the other before the layers. */
    readonly pull: Pull & { readonly head: number };
    readonly costs: Costs;
    readonly site: Site;
    /** Seconds after which a client gives its first connection up. */
    readonly patience: number;
    readonly seed: number;
}

export interface Outcome {
    /** Seconds from a host's begin to its end. */
    readonly p50: number;
    readonly p95: number;
    /** Seconds from the first begin to the last end. */
    readonly complete: number;
    /** Hosts whose first answer was not begun within their patience. They are served all the same. */
    readonly impatient: number;
    /** Part of the time that something works. */
    readonly utilisation: { readonly cpu: number; readonly network: number };
    readonly events: number;
}

/** Every host pulls once. Cores and network serve in the order of arrival; a host stays with its replica. */
export function simulate(storm: Storm): Outcome;
