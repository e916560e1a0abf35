// @ts-check
// The registry's API, over TLS with only the stack's own authorities trusted, as an account that may do everything.
import { Agent, request } from "node:https";
import { isIP } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { MaintenanceError } from "./registry.mjs";

/** How long a registry may take to be read-only or writable. */
const PATIENCE_MS = 100_000;

/** @typedef {import("./registry.mjs").Registry} Registry */
/** @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, body: string }} Answer */

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/**
 * @param {Registry} registry
 * @param {string} method
 * @param {string} path
 * @param {string} [accept]
 * @returns {Promise<Answer>}
 */
export function ask({ hostname, address, port, caBundle, account }, method, path, accept) {
    if (account === undefined) {
        throw new MaintenanceError(
            "no account may do what this needs: no team is an admin\n  Make one: ./pulumiw config set --path teams.ops.admin true && npm run up",
        );
    }
    return new Promise((resolve, reject) => {
        const call = request(
            {
                agent,
                host: address,
                port,
                method,
                path,
                ca: caBundle,
                // The name that the certificate is for, whatever address leads there.
                ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
                auth: account.join(":"),
                headers: accept === undefined ? {} : { accept },
                timeout: 30_000,
            },
            (response) => {
                text(response).then(
                    (body) =>
                        resolve({
                            status: response.statusCode ?? 0,
                            headers: response.headers,
                            body,
                        }),
                    reject,
                );
            },
        );
        call.on("timeout", () => call.destroy(new Error("no answer in 30 s")));
        call.on("error", reject);
        call.end();
    });
}

/**
 * Waits until pushes are refused, or are not. Asks with a manifest that no registry takes.
 *
 * @param {Registry} registry
 * @param {boolean} isReadOnly
 */
export async function waitUntil(registry, isReadOnly) {
    const end = Date.now() + PATIENCE_MS;
    let seen = "";
    while (Date.now() < end) {
        try {
            const { status } = await ask(registry, "PUT", "/v2/maintenance/manifests/none");
            if (isReadOnly ? status === 405 : status === 400) return;
            seen = `a push is answered with ${status}`;
        } catch (error) {
            if (error instanceof MaintenanceError) throw error;
            // Between two registries nothing listens.
            seen = error instanceof Error ? error.message : String(error);
        }
        await sleep(100);
    }
    throw new Error(`the registry is not ${isReadOnly ? "read-only" : "writable"}: ${seen}`);
}
