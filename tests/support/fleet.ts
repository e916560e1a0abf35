import type { ClientHost, ClientNetwork } from "./client-host";

/** The name that the client hosts of the tests know the registry by. */
export const REGISTRY_NAME = "registry.example.test";

/** Configuration of one client: how to log in to this host. */
export function client(host: ClientHost, fields: Record<string, unknown> = {}) {
    return { host: host.address, hostKey: host.hostKey, ...fields };
}

/** Configuration of a stack whose registry these clients reach at the gateway of their network. */
export function fleet(
    network: ClientNetwork,
    clients: Record<string, Record<string, unknown>>,
    config: Record<string, unknown> = {},
): Record<string, unknown> {
    return {
        hostname: REGISTRY_NAME,
        address: network.gateway,
        bindAddress: network.gateway,
        ssh: { privateKeyPath: network.key.privateKeyPath },
        clients,
        ...config,
    };
}
