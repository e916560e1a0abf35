// @ts-check
// The registries that the suite is run against: a bare one, ours, and ours with a gateway and permissions.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startOpenRegistry } from "../bare.mjs";
import { startOurs } from "../ours.mjs";
import { attempt } from "../run.mjs";
import { withWorkspace } from "../workspace.mjs";

export const BARE = "bare registry";
export const OURS = "ours";
export const GATEWAY = "ours, gateway and permissions";

/** An account that may do what the suite does, and no more. */
const PERMISSIONS = {
    gateway: true,
    teams: {
        dev: { push: ["conformance/*"], delete: ["conformance/*"] },
        other: { pull: ["other/*"] },
    },
};

/**
 * Starts a bare registry of the same image without TLS and accounts, and takes it away again after the use.
 *
 * @param {string | undefined} image unset: the one that ours has by itself
 * @param {(subject: import("./suite.mjs").Subject) => Promise<T>} use
 * @template T
 */
export function withBare(image, use) {
    return withWorkspace(async (workspace) => {
        const container = `${workspace.name}-bare`;
        try {
            const port = await startOpenRegistry(container, image);
            return await use({ name: BARE, registry: `127.0.0.1:${port}` });
        } finally {
            await attempt("docker", ["rm", "--force", "--volumes", container]);
        }
    });
}

/**
 * Sets up a stack of ours, and takes it away again after the use.
 *
 * @param {{ hasGateway?: boolean, settings?: Readonly<Record<string, unknown>> }} options further configuration
 * @param {(subject: import("./suite.mjs").Subject) => Promise<T>} use
 * @template T
 */
export function withOurs({ hasGateway = false, settings = {} }, use) {
    return withWorkspace(async (workspace) => {
        const { registry, caCertificate, account } = await startOurs(workspace, "ours", {
            ...(hasGateway ? PERMISSIONS : {}),
            ...settings,
        });
        const authorities = join(workspace.folder, "ca.crt");
        writeFileSync(authorities, caCertificate);
        return use({ name: hasGateway ? GATEWAY : OURS, registry, authorities, account });
    });
}
