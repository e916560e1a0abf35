// @ts-check
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, request } from "node:https";
import { must, run } from "./run.mjs";

export const CLIENTS = 8;
export const SECONDS = 2;

/**
 * Where to ask, and for what.
 *
 * @typedef {{ host?: string, path?: string, accept?: string, isPlain?: boolean }} Place
 */

/** ApacheBench where it is, and what to say of it. */
export async function findClient() {
    const hasAb = (await run("sh", ["-c", "command -v ab"])).code === 0;
    /** @type {(port: number, account?: string, place?: Place) => () => Promise<number>} */
    const rate = (port, account, place) => () =>
        hasAb ? loadByAb(port, account, place) : loadByNode(port, account, place);
    const fact = hasAb
        ? "Client: ApacheBench (ab -k), one process."
        : "Client: Node.js (no ab on this machine), one process.";
    return { rate, fact };
}

/**
 * @param {number} port
 * @param {string | undefined} account
 * @param {Place} place
 */
async function loadByAb(
    port,
    account,
    { host = "127.0.0.1", path = "/v2/", accept = "*/*", isPlain } = {},
) {
    const load = ["-q", "-k", "-c", String(CLIENTS), "-t", String(SECONDS), "-n", "1000000"];
    const basic = account === undefined ? [] : ["-A", account];
    const report = await must("ab", [
        ...load,
        ...basic,
        ...["-H", `Accept: ${accept}`],
        `${isPlain ? "http" : "https"}://${host}:${port}${path}`,
    ]);
    const rate = /^Requests per second:\s+([\d.]+)/m.exec(report)?.[1];
    if (rate === undefined || /^Non-2xx responses|^Failed requests:\s+[1-9]/m.test(report)) {
        throw new Error(`ab saw failures:\n${report}`);
    }
    return Number(rate);
}

/**
 * @param {number} port
 * @param {string | undefined} account
 * @param {Place} [place]
 */
async function loadByNode(port, account, place) {
    const kept = { keepAlive: true, maxSockets: CLIENTS };
    const agent = place?.isPlain
        ? new PlainAgent(kept)
        : new Agent({ ...kept, rejectUnauthorized: false });
    const began = performance.now();
    let count = 0;
    const client = async () => {
        while (performance.now() - began < SECONDS * 1000) {
            const status = await get(port, account, agent, place);
            if (status !== 200) throw new Error(`status ${status}`);
            count++;
        }
    };
    try {
        await Promise.all(Array.from({ length: CLIENTS }, client));
        return count / ((performance.now() - began) / 1000);
    } finally {
        agent.destroy();
    }
}

/**
 * Status of one request. The certificate is nobody's business here: a test of trust is elsewhere.
 *
 * @param {number} port
 * @param {string} [auth]
 * @param {Agent | PlainAgent | false} agent
 * @param {Place} place
 * @returns {Promise<number>}
 */
export function get(
    port,
    auth,
    agent = false,
    { host = "127.0.0.1", path = "/v2/", accept = "*/*", isPlain } = {},
) {
    return new Promise((resolve, reject) => {
        const options = { host, port, path, auth, agent, headers: { accept } };
        const ask = isPlain ? plainRequest : request;
        const call = ask({ ...options, rejectUnauthorized: false }, (response) => {
            response.resume();
            response.on("end", () => resolve(response.statusCode ?? 0));
        });
        call.on("error", reject);
        call.end();
    });
}
