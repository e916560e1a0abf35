// @ts-check
// What the doctor found, in Prometheus' text format.

/**
 * @typedef {object} Report
 * @property {string} registry host and port, the label that tells registries apart
 * @property {import("./registry.mjs").Finding[]} checks
 * @property {{ name: string, isFine: boolean }[]} clients
 * @property {{ size: number, available: number } | undefined} data bytes; undefined when it cannot be asked
 * @property {number} now ms since 1970
 */

/** @typedef {{ labels?: Record<string, string>, value: number }} Sample */

/**
 * @param {Report} report
 * @returns {string}
 */
export function asMetrics({ registry, checks, clients, data, now }) {
    /** @type {[string, string, Sample[]][]} */
    const metrics = [
        [
            "check_ok",
            "1 when this part of the registry is as the last up left it, else 0.",
            checks.map(({ part, isFine }) => ({ labels: { part }, value: Number(isFine) })),
        ],
        [
            "client_ok",
            "1 when this client host trusts and reaches the registry as the last up left it, else 0.",
            clients.map(({ name, isFine }) => ({
                labels: { client: name },
                value: Number(isFine),
            })),
        ],
        [
            "certificate_expires_timestamp_seconds",
            "When the certificate of the server, or of an authority, ends.",
            checks.flatMap(({ part, expires }) =>
                expires === undefined ? [] : [{ labels: { part }, value: expires / 1000 }],
            ),
        ],
        [
            "data_size_bytes",
            "Size of the file system that the images lie on.",
            data === undefined ? [] : [{ value: data.size }],
        ],
        [
            "data_available_bytes",
            "Space on that file system that the registry may still fill.",
            data === undefined ? [] : [{ value: data.available }],
        ],
        [
            "doctor_timestamp_seconds",
            "When the doctor looked.",
            [{ value: Math.floor(now / 1000) }],
        ],
    ];
    return metrics
        .filter(([, , samples]) => samples.length > 0)
        .map(([name, help, samples]) => {
            const full = `private_registry_${name}`;
            const lines = unique(samples.map((sample) => line(full, registry, sample)));
            return [`# HELP ${full} ${help}`, `# TYPE ${full} gauge`, ...lines, ""].join("\n");
        })
        .join("");
}

/**
 * @param {string} name
 * @param {string} registry
 * @param {Sample} sample
 */
function line(name, registry, { labels = {}, value }) {
    const pairs = Object.entries({ registry, ...labels }).map(
        ([label, text]) => `${label}="${escape(text)}"`,
    );
    return `${name}{${pairs.join(",")}} ${value}`;
}

/**
 * One resource can differ twice, and two series of one name would make the whole file unreadable.
 *
 * @param {string[]} lines
 */
function unique(lines) {
    return [...new Set(lines)];
}

/** @param {string} text */
function escape(text) {
    return text.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`));
}
