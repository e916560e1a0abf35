// @ts-check
// The text of a stack's file with client hosts.

/** The name that client hosts know the registry by. */
export const HOSTNAME = "registry.example.test";

/** @typedef {{ host: string, port?: number }} Place */

/**
 * A file with these settings, in JSON, which is YAML too.
 *
 * @param {readonly Place[]} places where the hosts are
 * @param {string} hostKey of all of them
 * @param {Record<string, unknown>} settings
 */
export function stackFileWith(places, hostKey, settings) {
    const clients = places.map((place, index) => [`host${index + 1}`, { ...place, hostKey }]);
    const values = { hostname: HOSTNAME, ...settings, clients: Object.fromEntries(clients) };
    const config = Object.entries(values).map(([key, value]) => [`private-registry:${key}`, value]);
    return JSON.stringify({ config: Object.fromEntries(config) });
}
