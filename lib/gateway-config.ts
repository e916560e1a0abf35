import { ACCESS, ANSWERED, ASKED, NO_MOUNT } from "./access-config";
import {
    ERROR_LOG,
    fits,
    isOneOf,
    type Json,
    type JsonObject,
    plainServer,
    refusal,
    type Route,
    seconds,
} from "./caddy";
import { CONTAINER as REGISTRY, DRAIN_SECONDS } from "./registry-config";

/** Where things lie inside the gateway's container. */
export const GATEWAY = {
    port: 5000,
    /** Health, and metrics where they are published. */
    localPort: 5001,
    certificatePort: 5002,
    settings: "/settings",
    config: "/settings/gateway.json",
    /** Certificate and key in one file, so that both change in one step. */
    certificate: "tls.pem",
    /** What it shows to the replicas of a service, and wants from them. */
    linkCertificate: "link.crt",
    linkKey: "link.key",
} as const;

/** The name in the certificate that gateway and replicas show each other. */
export const LINK_NAME = "registry";

/** How long a request waits for a registry that is being replaced. Unit: seconds. */
const PATIENCE_SECONDS = DRAIN_SECONDS + 30;
/** The registry takes no larger manifest, and nothing else but a layer comes near it. Unit: bytes. */
const MANIFEST_BYTES = 4 * 1024 * 1024;
const HEADER_BYTES = 64 * 1024;
/** How long a transfer may stand still, and how slow it may be over all: bytes in a second. */
const STALL_SECONDS = 60;
const SLOWEST_RATE = 1024;

export interface GatewayConfigArgs {
    /** Name of the service whose replicas are the registry; unset: it is one, and listens on its socket. */
    readonly service?: string;
    /** Whether Prometheus metrics are served for a published port, or not at all. */
    readonly metricsPublished: boolean;
}

const ADDRESS = "{http.request.uri}";
const METHOD = "{http.request.method}";

/**
 * What stands between the clients and the registry: a Caddy with TLS, limits and the access log, which asks another one
 * (`accessConfig`) who may do what. Nothing in it changes with accounts or certificates, and so it is never loaded anew:
 * a Caddy that is drops the requests that it has accepted in that moment. The certificate is looked up
 * at each handshake.
 */
export function gatewayConfig({ service, metricsPublished }: GatewayConfigArgs): string {
    const config = {
        admin: { disabled: true, config: { persist: false } },
        logging: { logs: { default: ERROR_LOG, access: accessLog() } },
        apps: {
            http: {
                ...(metricsPublished ? { metrics: {} } : {}),
                servers: {
                    registry: registryServer(service),
                    certificate: plainServer(`127.0.0.1:${GATEWAY.certificatePort}`, [
                        {
                            match: [{ path: [`/${GATEWAY.certificate}`] }],
                            handle: [{ handler: "file_server", root: GATEWAY.settings }],
                        },
                    ]),
                    local: plainServer(
                        `${metricsPublished ? "" : "127.0.0.1"}:${GATEWAY.localPort}`,
                        localRoutes(metricsPublished),
                    ),
                },
            },
            tls: {
                automation: {
                    policies: [
                        {
                            get_certificate: [
                                {
                                    via: "http",
                                    url: `http://127.0.0.1:${GATEWAY.certificatePort}/${GATEWAY.certificate}`,
                                },
                            ],
                        },
                    ],
                },
            },
        },
    };
    return `${JSON.stringify(config, null, 1)}\n`;
}

/** One line for each request, without what is secret in an upload's address. */
function accessLog(): Json {
    return {
        level: "INFO",
        include: ["http.log.access"],
        writer: { output: "stdout" },
        encoder: {
            format: "filter",
            wrap: { format: "json" },
            fields: {
                "request>headers": { filter: "delete" },
                "request>tls": { filter: "delete" },
                resp_headers: { filter: "delete" },
                "request>uri": {
                    filter: "query",
                    actions: [{ type: "delete", parameter: "_state" }],
                },
            },
        },
    };
}

function registryServer(service: string | undefined): Json {
    return {
        listen: [`:${GATEWAY.port}`],
        // See the registry's own configuration.
        protocols: ["h1"],
        automatic_https: { disable: true },
        tls_connection_policies: [{ protocol_min: "tls1.2" }],
        read_header_timeout: seconds(10),
        idle_timeout: seconds(180),
        max_header_bytes: HEADER_BYTES,
        read_idle_timeout: seconds(STALL_SECONDS),
        read_min_rate: SLOWEST_RATE,
        write_idle_timeout: seconds(STALL_SECONDS),
        write_min_rate: SLOWEST_RATE,
        logs: {},
        routes: [
            headers(),
            {
                match: [fits(ADDRESS, "^/v2/")],
                handle: [{ handler: "subroute", routes: apiRoutes(service) }],
                terminal: true,
            },
            {
                match: [fits(ADDRESS, "^/(?:\\?.*)?$")],
                handle: [{ handler: "static_response", status_code: 200 }],
                terminal: true,
            },
            {
                match: [fits(ADDRESS, "^/v2(?:\\?.*)?$")],
                handle: [
                    {
                        handler: "static_response",
                        status_code: 301,
                        headers: { Location: ["/v2/"] },
                    },
                ],
                terminal: true,
            },
            {
                handle: [
                    refusal(
                        404,
                        "NOT_FOUND",
                        "there is nothing here; the registry's API is at /v2/",
                    ),
                ],
            },
        ],
        errors: {
            routes: [
                headers(),
                {
                    match: [isOneOf("{http.error.status_code}", ["413"])],
                    handle: [refusal(413, "SIZE_INVALID", "a manifest has 4 MiB at most")],
                    terminal: true,
                },
                {
                    handle: [
                        refusal(
                            "{http.error.status_code}",
                            "UNAVAILABLE",
                            "the registry does not answer at the moment",
                        ),
                    ],
                },
            ],
        },
    };
}

/** On every answer, whoever gives it. */
function headers(): Route {
    const set = {
        "Strict-Transport-Security": ["max-age=31536000"],
        "X-Content-Type-Options": ["nosniff"],
        "Docker-Distribution-Api-Version": ["registry/2.0"],
    };
    return {
        handle: [
            {
                handler: "headers",
                response: { deferred: true, set, delete: ["Server", "Via"] },
            },
        ],
    };
}

function apiRoutes(service: string | undefined): Route[] {
    const isLayer = { method: ["PATCH", "PUT"], ...fits(ADDRESS, "/blobs/uploads/") };
    return [
        { handle: [asksForAccess()] },
        {
            match: [{ not: [isLayer] }],
            handle: [{ handler: "request_body", max_size: MANIFEST_BYTES }],
        },
        {
            // The registry would take a mount, which is asked for in the address, from a form as well.
            match: [{ method: ["POST"] }],
            handle: [{ handler: "headers", request: { delete: ["Content-Type"] } }],
        },
        { handle: [proxy(service)] },
    ];
}

/** The request goes on when it may; else the client gets the answer that says why not. */
function asksForAccess(): JsonObject {
    const answer = (header: string) => `{http.reverse_proxy.header.${header}}`;
    return {
        handler: "reverse_proxy",
        upstreams: [{ dial: `unix/${ACCESS.socket}` }],
        load_balancing: retries(),
        rewrite: { method: "GET", uri: "/" },
        headers: {
            request: {
                set: { [ASKED.method]: [METHOD], [ASKED.address]: [ADDRESS] },
            },
        },
        handle_response: [
            {
                match: { status_code: [2] },
                routes: [
                    {
                        handle: [
                            // What the access log calls the user.
                            { handler: "vars", "http.auth.user.id": answer(ANSWERED.user) },
                        ],
                    },
                    {
                        match: [isOneOf(answer(ANSWERED.mount), [NO_MOUNT])],
                        handle: [{ handler: "rewrite", uri: "{http.request.uri.path}?" }],
                    },
                ],
            },
        ],
    };
}

/** To the registry. One that is being replaced is waited for: the request is then late, and not lost. */
function proxy(service: string | undefined): JsonObject {
    return {
        handler: "reverse_proxy",
        ...(service === undefined
            ? { upstreams: [{ dial: `unix/${REGISTRY.socket}` }] }
            : replicas(service)),
        load_balancing: retries(),
        headers: { request: { delete: ["Authorization"] } },
    };
}

/** A replica that is to end leaves the DNS two seconds before it does, and is asked nothing more by then. */
function replicas(service: string): JsonObject {
    const certificate = `${GATEWAY.settings}/${GATEWAY.linkCertificate}`;
    return {
        dynamic_upstreams: {
            source: "a",
            name: `tasks.${service}`,
            port: String(REGISTRY.port),
            refresh: "1s",
            versions: { ipv4: true, ipv6: false },
        },
        health_checks: { passive: { fail_duration: "2s", max_fails: 1 } },
        transport: {
            protocol: "http",
            dial_timeout: "2s",
            tls: {
                root_ca_pem_files: [certificate],
                client_certificate_file: certificate,
                client_certificate_key_file: `${GATEWAY.settings}/${GATEWAY.linkKey}`,
                server_name: LINK_NAME,
            },
        },
    };
}

function retries(): JsonObject {
    return { try_duration: seconds(PATIENCE_SECONDS), try_interval: "50ms" };
}

function localRoutes(metricsPublished: boolean): Route[] {
    const health = {
        match: [{ path: ["/health"] }],
        handle: [{ handler: "static_response", status_code: 200 }],
    };
    const metrics = { match: [{ path: ["/metrics"] }], handle: [{ handler: "metrics" }] };
    return metricsPublished ? [health, metrics] : [health];
}
