/**
 * How a request may fail whose registry restarts or is collected meanwhile, by the message of its error. All else is a fault: an
 * answer of 500, an image that is not intact.
 */
const ALLOWED: Readonly<Record<string, RegExp>> = {
    "refused or cut while the registry restarts":
        /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|^aborted$|disconnected before secure TLS/,
    "502 of the gateway while the registry restarts": /^502 instead of \d+: .*"UNAVAILABLE"/,
    "405 while the collector runs": /^405 instead of \d+: /,
    "400 for a manifest whose layers were collected before it came":
        /^400 instead of 201: .*"MANIFEST_BLOB_UNKNOWN"/,
};

/** How many of these failures there are of each kind that is allowed, and those that are of none. */
export function sortFailures(failures: readonly string[]): {
    readonly allowed: Readonly<Record<string, number>>;
    readonly others: readonly string[];
} {
    const kindOf = (failure: string) =>
        Object.keys(ALLOWED).find((kind) => ALLOWED[kind]?.test(failure));
    return {
        allowed: Object.fromEntries(
            Object.keys(ALLOWED).map((kind) => [
                kind,
                failures.filter((failure) => kindOf(failure) === kind).length,
            ]),
        ),
        others: failures.filter((failure) => kindOf(failure) === undefined),
    };
}
