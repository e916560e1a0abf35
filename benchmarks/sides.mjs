// @ts-check
// What transfers are compared on: a bare registry with TLS and no accounts, our stack, and our stack with a gateway and permissions.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate, startRegistry } from "./bare.mjs";
import { startOurs } from "./ours.mjs";
import { attempt, must } from "./run.mjs";
import { withWorkspace } from "./workspace.mjs";

export const BARE = "registry alone";
export const OURS = "ours";
export const GATEWAY = "ours, gateway";
export const SIDES = [BARE, OURS, GATEWAY];

/**
 * One of the registries that are compared.
 *
 * @typedef {object} Side
 * @property {string} name
 * @property {string} host
 * @property {number} port
 * @property {string} account user name and password; empty: none
 * @property {string} container whose registry it is
 * @property {string[]} containers all that serve
 * @property {boolean} [isPlain] without TLS
 * @property {string[]} [curlOptions] lines of curl's own configuration
 */

/**
 * @typedef {object} Place
 * @property {Side[]} sides in the order of SIDES
 * @property {string} host this machine's address on a network of Docker's, which all are published on
 * @property {string} folder for files
 * @property {string} certificates folder with the bare registry's
 */

/**
 * Sets up all sides, measures, and takes them away again.
 *
 * @template T
 * @param {(place: Place) => Promise<T>} measure
 * @returns {Promise<T>}
 */
export function withSides(measure) {
    // Two stacks of one program need two backends.
    return withWorkspace((direct) =>
        withWorkspace(async (workspace) => {
            const { folder, name: network } = workspace;
            const certificates = join(folder, "certificates");
            mkdirSync(certificates);
            chmodSync(folder, 0o755);
            await makeCertificate(certificates);
            const container = `${workspace.name}-bare`;
            const host = await makeNetwork(network);
            try {
                const port = await startRegistry(container, certificates, "", undefined, host);
                const bare = { host, port, account: "", container, containers: [container] };
                const permissions = {
                    teams: { dev: { push: ["bench/*"] }, web: { pull: ["web/*"] } },
                };
                const sides = [
                    { name: BARE, ...bare },
                    await startSide(direct, OURS, host),
                    await startSide(workspace, GATEWAY, host, permissions),
                ];
                return await measure({ sides, host, folder, certificates });
            } finally {
                await attempt("docker", ["rm", "--force", "--volumes", container]);
                await attempt("docker", ["network", "rm", network]);
            }
        }),
    );
}

/**
 * Makes a network of Docker's, for this machine's address on it: on 127.0.0.1 every byte passes Docker's own proxy.
 *
 * @param {string} name
 */
export async function makeNetwork(name) {
    await must("docker", ["network", "create", name]);
    const format = "{{(index .IPAM.Config 0).Gateway}}";
    return (await must("docker", ["network", "inspect", "--format", format, name])).trim();
}

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} name
 * @param {string} host
 * @param {Readonly<Record<string, unknown>>} settings
 * @returns {Promise<Side>}
 */
async function startSide(workspace, name, host, settings = {}) {
    const { port, user } = await startOurs(workspace, "ours", settings, host);
    const container = `private-registry-${workspace.name}`;
    const others = name === GATEWAY ? [`${container}-gateway`, `${container}-access`] : [];
    return { name, host, port, account: user, container, containers: [container, ...others] };
}
