// @ts-check
// What the logs say of requests: those of the registry, and of the gateway.
import { find } from "../shared/state.mjs";

/** Requests that are remembered at most, to put together what the log says of one in several lines. */
const REMEMBERED = 10_000;

/**
 * What a line of the log says: a request that ended, or something of the registry itself.
 *
 * @typedef {{ time: string, user: string | null, method: string, repository: string | null, uri: string,
 *     status: number, bytes: number | null, duration: string | null, address: string, client: string, error: string | null }} Request
 * @typedef {{ time: string | null, level: string, message: string }} Notice
 */

/** @typedef {{ host: string, gateway: string | undefined, registry: string, isService: boolean }} LogPlaces names of containers, or of a service */

/**
 * Where the logs are; undefined where nothing was deployed.
 *
 * @param {import("../shared/state.mjs").Resource[]} resources
 * @returns {LogPlaces | undefined}
 */
export function logPlaces(resources) {
    const service = find(resources, "registry-server-service")?.inputs.name;
    const registry = service ?? find(resources, "registry-server-container")?.inputs.name;
    if (registry === undefined) return undefined;
    return {
        host: find(resources, "registry-docker")?.inputs.host,
        gateway: find(resources, "registry-gateway-container")?.inputs.name,
        registry,
        isService: service !== undefined,
    };
}

/** Reads a log line by line. */
export class LogReader {
    /** Names of the accounts whose login was refused, by the request's id. @type {Map<string, string>} */
    #refused = new Map();
    /** @type {Set<string>} */
    #ended = new Set();

    /** @param {boolean} isBehindGateway whether the gateway tells of each request, and the registry need not */
    constructor(isBehindGateway) {
        this.isBehindGateway = isBehindGateway;
    }

    /**
     * @param {string} text
     * @returns {Request | Notice | undefined}
     */
    read(text) {
        const line = parse(text);
        // What Go's server writes by itself, such as a handshake with somebody who does not trust the certificate.
        if (line === undefined) return { time: null, level: "warning", message: text };
        if (line.ts !== undefined) return ofGateway(line);
        const { time, level, msg = "", "http.request.id": id } = line;
        if (id !== undefined && this.isBehindGateway) return undefined;
        if (id === undefined) {
            return ["debug", "info"].includes(level) ? undefined : { time, level, message: msg };
        }
        if (msg === "user failed to authenticate") remember(this.#refused, id, line.username);
        const refusal = /^error authorizing context: (.*)$/.exec(msg)?.[1];
        const status = refusal === undefined ? line["http.response.status"] : statusOf(refusal);
        // A request with several errors has a line for each.
        if (status === undefined || this.#ended.has(id)) return undefined;
        this.#ended.add(id);
        if (this.#ended.size > REMEMBERED)
            this.#ended.delete(this.#ended.values().next().value ?? "");
        return {
            time,
            user: line["auth.user.name"] ?? this.#refused.get(id) ?? null,
            method: line["http.request.method"],
            repository: line["vars.name"] ?? null,
            // Behind the question mark an upload has the state of its session.
            uri: line["http.request.uri"].replace(/\?_state=.*$/, ""),
            status,
            bytes: line["http.response.written"] ?? null,
            duration: line["http.response.duration"] ?? null,
            address: line["http.request.remoteaddr"],
            client: line["http.request.useragent"] ?? "",
            error: refusal === undefined ? errorOf(line) : causeOf(refusal, this.#refused.has(id)),
        };
    }
}

/**
 * @param {string} text
 * @returns {Record<string, any> | undefined} undefined when it is no JSON object
 */
function parse(text) {
    try {
        const line = JSON.parse(text);
        return typeof line === "object" && line !== null ? line : undefined;
    } catch {
        return undefined;
    }
}

const REPOSITORY = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//;
/** What the gateway's answers mean that it gives itself. */
const CAUSES = { 401: "no login, or a wrong one", 403: "not permitted" };

/**
 * @param {Record<string, any>} line of Caddy
 * @returns {Request | Notice}
 */
function ofGateway({ ts, level, msg, error, request, status, size, duration, user_id: user }) {
    const time = new Date(ts * 1000).toISOString();
    if (status === undefined) {
        return { time, level, message: error === undefined ? msg : `${msg}: ${error}` };
    }
    const { method, uri, remote_ip: ip, remote_port: port } = request;
    const cause = /** @type {Record<number, string>} */ (CAUSES)[status];
    return {
        time,
        user: user || null,
        method,
        repository: REPOSITORY.exec(uri)?.[1] ?? null,
        uri,
        status,
        bytes: size ?? null,
        duration: `${(duration * 1000).toFixed(1)}ms`,
        address: `${ip}:${port}`,
        client: "",
        error: cause ?? (status >= 500 ? "the registry did not answer" : null),
    };
}

/**
 * @param {Map<string, string>} map
 * @param {string} key
 * @param {string} value
 */
function remember(map, key, value) {
    map.set(key, value);
    if (map.size > REMEMBERED) map.delete(map.keys().next().value ?? "");
}

/**
 * The registry does not log the status of a request that it does not let in: 401 when it asks for a login, and 400
 * when it cannot look at the accounts.
 *
 * @param {string} refusal
 */
function statusOf(refusal) {
    return /^(basic authentication challenge|forbidden)/.test(refusal) ? 401 : 400;
}

/**
 * @param {string} refusal
 * @param {boolean} hasName the registry logs a name that was refused only when there is such an account
 */
function causeOf(refusal, hasName) {
    if (hasName) return "wrong password";
    if (refusal.endsWith("authentication failure")) return "no such account";
    return refusal.endsWith("invalid authorization credential") ? "no login" : refusal;
}

/** @param {Record<string, any>} line */
function errorOf({ "err.message": message, "err.detail": detail }) {
    if (message === undefined) return null;
    return typeof detail === "string" ? `${message}: ${detail}` : message;
}
