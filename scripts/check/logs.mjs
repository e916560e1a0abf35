// @ts-check
// npm run logs: the log of the registry's container, one line per request. With `-` it reads a log from standard input.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { find, readResources } from "./state.mjs";

/** Requests that are remembered at most, to put together what the log says of one in several lines. */
const REMEMBERED = 10_000;

// The engine leaves a log of its own.
process.umask(0o077);
const { positionals, values: options } = readOptions();
/** Names of the accounts whose login was refused, by the request's id. */
const refused = new Map();
const ended = new Set();
let isBehindGateway = false;

process.stdout.on("error", () => process.exit(0));
const inputs = positionals[0] === "-" ? [process.stdin] : containerLog();
for (const input of inputs) {
    createInterface({ input }).on("line", (line) => {
        const entry = read(line);
        if (entry !== undefined && isWanted(entry)) {
            process.stdout.write(`${options.json ? JSON.stringify(entry) : asText(entry)}\n`);
        }
    });
}

function readOptions() {
    try {
        return parseArgs({
            allowPositionals: true,
            options: {
                follow: { type: "boolean", short: "f", default: false },
                since: { type: "string" },
                user: { type: "string" },
                repository: { type: "string" },
                json: { type: "boolean", default: false },
                stack: { type: "string", short: "s", default: "" },
            },
        });
    } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        process.stderr.write(
            `logs: ${cause.replace(/\. To .*$/, "")} (see npm run logs -- --help)\n`,
        );
        process.exit(2);
    }
}

function containerLog() {
    const resources = readResources(options.stack);
    const service = find(resources, "registry-server-service")?.inputs.name;
    const name = service ?? find(resources, "registry-server-container")?.inputs.name;
    const host = find(resources, "registry-docker")?.inputs.host;
    if (name === undefined) {
        process.stderr.write("The stack has no registry: nothing was deployed. Run: npm run up\n");
        process.exit(1);
    }
    // Of each request the one that clients talk to knows most; the other one has its own to say.
    const gateway = find(resources, "registry-gateway-container")?.inputs.name;
    isBehindGateway = gateway !== undefined;
    const flags = [
        ...(options.follow ? ["--follow"] : []),
        ...(options.since === undefined ? [] : ["--since", options.since]),
    ];
    return [gateway, name]
        .filter((place) => place !== undefined)
        .flatMap((place) => {
            const command = place === service ? ["service", "logs", "--raw"] : ["logs"];
            const child = spawn("docker", ["--host", host, ...command, ...flags, place], {
                stdio: ["ignore", "pipe", "pipe"],
            });
            child.once("error", ({ message }) => {
                process.stderr.write(`logs: docker: ${message}\n`);
                process.exitCode = 1;
            });
            child.once("exit", (code) => (process.exitCode ||= code ?? 1));
            return [child.stdout, child.stderr];
        });
}

/**
 * What a line of the log says: a request that ended, or something of the registry itself.
 *
 * @typedef {{ time: string, user: string | null, method: string, repository: string | null, uri: string,
 *     status: number, bytes: number | null, duration: string | null, address: string, client: string, error: string | null }} Request
 * @typedef {{ time: string | null, level: string, message: string }} Notice
 */

/**
 * @param {string} text
 * @returns {Request | Notice | undefined}
 */
function read(text) {
    /** @type {Record<string, any>} */
    let line;
    try {
        line = JSON.parse(text);
    } catch {
        // What Go's server writes by itself, such as a handshake with somebody who does not trust the certificate.
        return { time: null, level: "warning", message: text };
    }
    if (line.ts !== undefined) return ofGateway(line);
    const { time, level, msg = "", "http.request.id": id } = line;
    if (id !== undefined && isBehindGateway) return undefined;
    if (id === undefined) {
        return ["debug", "info"].includes(level) ? undefined : { time, level, message: msg };
    }
    if (msg === "user failed to authenticate") remember(refused, id, line.username);
    const refusal = /^error authorizing context: (.*)$/.exec(msg)?.[1];
    const status = refusal === undefined ? line["http.response.status"] : statusOf(refusal);
    // A request with several errors has a line for each.
    if (status === undefined || ended.has(id)) return undefined;
    ended.add(id);
    if (ended.size > REMEMBERED) ended.delete(ended.values().next().value);
    return {
        time,
        user: line["auth.user.name"] ?? refused.get(id) ?? null,
        method: line["http.request.method"],
        repository: line["vars.name"] ?? null,
        // Behind the question mark an upload has the state of its session.
        uri: line["http.request.uri"].replace(/\?_state=.*$/, ""),
        status,
        bytes: line["http.response.written"] ?? null,
        duration: line["http.response.duration"] ?? null,
        address: line["http.request.remoteaddr"],
        client: line["http.request.useragent"] ?? "",
        error: refusal === undefined ? errorOf(line) : causeOf(refusal, refused.has(id)),
    };
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

/** @param {Request | Notice} entry */
function isWanted(entry) {
    const { user, repository } = options;
    if (!("status" in entry)) return user === undefined && repository === undefined;
    return (
        (user === undefined || entry.user === user) &&
        (repository === undefined || entry.repository === repository)
    );
}

/** @param {Request | Notice} entry */
function asText(entry) {
    const words =
        "status" in entry
            ? [
                  entry.time,
                  entry.status,
                  entry.method,
                  entry.user ?? "-",
                  entry.address,
                  entry.uri,
                  ...(entry.bytes === null ? [] : [`${entry.bytes} B`]),
                  ...(entry.duration === null ? [] : [entry.duration]),
                  ...(entry.error === null ? [] : [`(${entry.error})`]),
              ]
            : [...(entry.time === null ? [] : [entry.time]), entry.level, entry.message];
    // Names and paths come from strangers: no control character of theirs reaches the terminal.
    return words.join(" ").replace(/\p{Cc}/gu, "?");
}
