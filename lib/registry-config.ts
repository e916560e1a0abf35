import { hostAndPort } from "./address";
import type { Upstream } from "./mirror-config";
import type { RedisCache, S3Storage, Services } from "./storage-config";

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

/** Names of the settings that only some registries have. */
const FILES = {
    storageAuthorities: "storage-ca.crt",
    redisAuthorities: "redis-ca.crt",
    redisAddress: "redis-address",
    redisForget: "redis-forget",
    upstreamAuthorities: "upstream-ca.crt",
    upstreamCredentials: "upstream-credentials.json",
} as const;

/** A program of its own: `registryConfig` names it, and it takes no arguments from there. */
export const CREDENTIAL_HELPER = "upstream-login";

/** What a registry has besides its configuration: other services, and another registry that it fetches images from. */
export interface Connections<Secret = string> extends Services<Secret> {
    readonly upstream?: Upstream<Secret>;
}

/** What of the registry's configuration depends on the stack. */
export interface RegistryConfigArgs extends Connections {
    /** Signs upload sessions; must stay the same while an upload runs. */
    readonly httpSecret: string;
    readonly deleteEnabled: boolean;
    readonly readOnly: boolean;
    /** Whether the debug server listens for a published metrics port, or on the container's loopback only. */
    readonly metricsPublished: boolean;
    readonly listens: Listening;
}

/**
 * `directly`: with TLS and accounts of its own; `openly`: with TLS, and for anybody. The others are behind a gateway, which has
 * the accounts: `on-socket` that only the gateway has; `to-gateway` with TLS, and for nobody but who shows the gateway's
 * certificate.
 */
export type Listening = "directly" | "openly" | "on-socket" | "to-gateway";

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
            ...(args.s3 === undefined
                ? { filesystem: { rootdirectory: CONTAINER.data } }
                : s3Driver(args.s3)),
            cache: { blobdescriptor: args.redis === undefined ? "inmemory" : "redis" },
            // A mirror deletes what it has kept for long enough, and lets nobody else do so.
            delete: { enabled: args.deleteEnabled || args.upstream !== undefined },
            maintenance: {
                readonly: { enabled: args.readOnly || args.upstream !== undefined },
                uploadpurging: { enabled: true, age: "168h", interval: "24h", dryrun: false },
            },
        },
        http: {
            ...listener(args.listens),
            // A layer goes over HTTP/2 at half the speed, for twice the CPU.
            http2: { disabled: true },
            secret: args.httpSecret,
            draintimeout: `${DRAIN_SECONDS}s`,
            headers: { "X-Content-Type-Options": ["nosniff"] },
            debug: {
                addr: `${args.metricsPublished ? "" : "127.0.0.1"}:${CONTAINER.debugPort}`,
                prometheus: { enabled: args.metricsPublished, path: "/metrics" },
            },
        },
        ...(args.listens === "directly" ? { auth: ACCOUNTS } : {}),
        ...(args.upstream === undefined ? {} : { proxy: proxySection(args.upstream) }),
        ...(args.redis === undefined ? {} : { redis: redisSection(args.redis) }),
        health: { storagedriver: { enabled: true, interval: "10s", threshold: 3 } },
    };
    return `${JSON.stringify(config, null, 2)}\n`;
}

function listener(listens: Listening) {
    const addr = `:${CONTAINER.port}`;
    switch (listens) {
        case "directly":
        case "openly":
            return { addr, tls: TLS };
        case "on-socket":
            return { net: "unix", addr: CONTAINER.socket };
        case "to-gateway":
            return { addr, tls: { ...TLS, clientcas: [TLS.certificate] } };
    }
}

const TLS = {
    certificate: `${CONTAINER.settings}/tls.crt`,
    key: `${CONTAINER.settings}/tls.key`,
    minimumtls: "tls1.2",
};
const ACCOUNTS = { htpasswd: { realm: REALM, path: `${CONTAINER.settings}/htpasswd` } };
function s3Driver(s3: S3Storage) {
    return {
        s3: {
            bucket: s3.bucket,
            region: s3.region,
            ...(s3.endpoint === undefined ? {} : { regionendpoint: s3.endpoint }),
            forcepathstyle: s3.forcePathStyle,
            ...(s3.rootDirectory === "" ? {} : { rootdirectory: `/${s3.rootDirectory}` }),
            accesskey: s3.accessKey,
            secretkey: s3.secretKey,
            encrypt: s3.encrypt,
        },
        redirect: { disable: !s3.redirect },
    };
}

/**
 * The login comes from a program: given as text, the registry would ask the upstream how to use it before it serves anything,
 * and not start while the upstream is down.
 */
function proxySection({ url, ttl }: Upstream) {
    return {
        remoteurl: url,
        ttl,
        exec: { command: `${CONTAINER.settings}/${CREDENTIAL_HELPER}` },
    };
}

/** It goes on without Redis, and shall do so soon: every request would wait for it. */
function redisSection({ host, port, username, password, db, caCertificate }: RedisCache) {
    return {
        addrs: [hostAndPort(host, port)],
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        db,
        maxretries: -1,
        dialtimeout: "500ms",
        readtimeout: "500ms",
        writetimeout: "500ms",
        ...(caCertificate === undefined
            ? {}
            : { tls: { rootcas: [`${CONTAINER.settings}/${FILES.redisAuthorities}`] } }),
    };
}

/** The files beside the registry's configuration that these need, by name. May hold secrets. */
export function serviceFiles({ s3, redis, upstream }: Connections): Record<string, string> {
    return {
        ...(s3?.caCertificate === undefined
            ? {}
            : { [FILES.storageAuthorities]: s3.caCertificate }),
        ...(redis?.caCertificate === undefined
            ? {}
            : { [FILES.redisAuthorities]: redis.caCertificate }),
        // The tools of the image cannot speak TLS.
        ...(redis === undefined || redis.caCertificate !== undefined
            ? {}
            : {
                  [FILES.redisAddress]: `${redis.host} ${redis.port}\n`,
                  [FILES.redisForget]: redisCommands(redis, ["FLUSHDB"]),
              }),
        ...(upstream === undefined ? {} : upstreamFiles(upstream)),
    };
}

/** Names of those files, which are known before what is in them. */
export function serviceFileNames({ s3, redis, upstream }: Connections<unknown>): string[] {
    const hidden = "";
    return Object.keys(
        serviceFiles({
            s3: s3 && { ...s3, accessKey: hidden, secretKey: hidden },
            redis: redis && { ...redis, password: hidden },
            upstream: upstream && { ...upstream, credentials: undefined },
        }),
    );
}

/** @see https://github.com/docker/docker-credential-helpers#development */
function upstreamFiles({ credentials, caCertificate }: Upstream): Record<string, string> {
    const { username = "", password = "" } = credentials ?? {};
    return {
        [FILES.upstreamCredentials]: `${JSON.stringify({ Username: username, Secret: password })}\n`,
        [CREDENTIAL_HELPER]: `#!/bin/sh\nexec cat ${CONTAINER.settings}/${FILES.upstreamCredentials}\n`,
        ...(caCertificate === undefined ? {} : { [FILES.upstreamAuthorities]: caCertificate }),
    };
}

/** The environment that these need. Holds no secret: everybody on the Docker host can see it. */
export function serviceEnvironment({ s3, upstream }: Connections<unknown>): string[] {
    return [
        ...(s3?.caCertificate === undefined
            ? []
            : [`AWS_CA_BUNDLE=${CONTAINER.settings}/${FILES.storageAuthorities}`]),
        // Those of the image's own folder are trusted as well.
        ...(upstream?.caCertificate === undefined
            ? []
            : [`SSL_CERT_FILE=${CONTAINER.settings}/${FILES.upstreamAuthorities}`]),
        ...(upstream?.proxy === undefined
            ? []
            : [`HTTPS_PROXY=${upstream.proxy}`, `HTTP_PROXY=${upstream.proxy}`]),
    ];
}

/**
 * Commands for a database of a Redis as they go over the line, with the login in front. It ends the connection after them.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export function redisCommands(
    { username, password, db }: RedisCache,
    ...commands: readonly (readonly string[])[]
): string {
    const login =
        password === undefined
            ? []
            : [["AUTH", ...(username === undefined ? [] : [username]), password]];
    return [...login, ["SELECT", String(db)], ...commands, ["QUIT"]]
        .map((words) => {
            const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
            return `*${words.length}\r\n${bulks.join("")}`;
        })
        .join("");
}
