/** Where things lie inside the registry's container. */
export const CONTAINER = {
    port: 5000,
    debugPort: 5001,
    settings: "/etc/private-registry",
    data: "/var/lib/registry",
    /** Folder of the socket that it listens on behind a gateway. */
    sockets: "/run/registry",
    socket: "/run/registry/registry.sock",
} as const;

/** What a client is told that its account is for. */
export const REALM = "private-registry";

/** How long the registry lets running transfers finish when it is asked to stop. Unit: seconds. */
export const DRAIN_SECONDS = 60;

/** What of the registry's configuration depends on the stack. */
export interface RegistryConfigArgs {
    /** Signs upload sessions; must stay the same while an upload runs. */
    readonly httpSecret: string;
    readonly deleteEnabled: boolean;
    readonly readOnly: boolean;
    /** Whether the debug server listens for a published metrics port, or on the container's loopback only. */
    readonly metricsPublished: boolean;
    /** Whether a gateway has TLS and accounts, and the registry listens on a socket that only the gateway has. */
    readonly behindGateway: boolean;
}

/**
 * The registry's whole configuration file. It is JSON, which is also YAML. A file, and not
 * `REGISTRY_*` variables: those show the HTTP secret in `docker inspect`, leave the rest to the
 * defaults of whoever built the image, and their form of the read-only switch ends the registry.
 *
 * @see https://distribution.github.io/distribution/about/configuration/
 */
export function registryConfig(args: RegistryConfigArgs): string {
    const config = {
        version: "0.1",
        // The access log proper is plain text and knows no account. The registry's own line at the end of
        // a request has account, repository and status; it is of level "info".
        log: { level: "info", formatter: "json", accesslog: { disabled: true } },
        storage: {
            filesystem: { rootdirectory: CONTAINER.data },
            cache: { blobdescriptor: "inmemory" },
            delete: { enabled: args.deleteEnabled },
            maintenance: {
                readonly: { enabled: args.readOnly },
                uploadpurging: { enabled: true, age: "168h", interval: "24h", dryrun: false },
            },
        },
        http: {
            ...(args.behindGateway
                ? { net: "unix", addr: CONTAINER.socket }
                : { addr: `:${CONTAINER.port}`, tls: TLS }),
            secret: args.httpSecret,
            draintimeout: `${DRAIN_SECONDS}s`,
            headers: { "X-Content-Type-Options": ["nosniff"] },
            debug: {
                addr: `${args.metricsPublished ? "" : "127.0.0.1"}:${CONTAINER.debugPort}`,
                prometheus: { enabled: args.metricsPublished, path: "/metrics" },
            },
        },
        ...(args.behindGateway ? {} : { auth: ACCOUNTS }),
        health: { storagedriver: { enabled: true, interval: "10s", threshold: 3 } },
    };
    return `${JSON.stringify(config, null, 2)}\n`;
}

const TLS = {
    certificate: `${CONTAINER.settings}/tls.crt`,
    key: `${CONTAINER.settings}/tls.key`,
    minimumtls: "tls1.2",
};
const ACCOUNTS = { htpasswd: { realm: REALM, path: `${CONTAINER.settings}/htpasswd` } };
