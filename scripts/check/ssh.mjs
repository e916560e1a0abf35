// @ts-check
// One command on a host over SSH, with the connection that the state has.
import { Client } from "ssh2";
import { run } from "../shared/run.mjs";
import { within } from "../shared/within.mjs";

/** Seconds that a host may take to let a connection in. */
const PATIENCE = 15;

/** @typedef {{ code: number, stdout: string, stderr: string }} Result */

/**
 * Runs a shell command line with this input. Throws when there is no connection, or no end within that time.
 *
 * @param {any} connection as the state has it; undefined for this machine
 * @param {string} command
 * @param {string} input
 * @param {number} patienceMs how long it may take, connection included
 * @returns {Promise<Result>}
 */
export async function runOn(connection, command, input, patienceMs) {
    if (connection === undefined) return run("/bin/sh", ["-c", command], input, patienceMs);
    /** @type {Client[]} */
    const clients = [];
    const work = runOver(clients, connection, command, input);
    try {
        return await within(work, patienceMs);
    } finally {
        clients.forEach((client) => client.end());
    }
}

/**
 * @param {Client[]} clients takes those that have to be ended afterwards, the last one first
 * @param {any} connection
 * @param {string} command
 * @param {string} input
 * @returns {Promise<Result>}
 */
async function runOver(clients, connection, command, input) {
    let socket;
    if (connection.proxy !== undefined) {
        const proxy = await connect(connection.proxy);
        clients.unshift(proxy);
        const way = forward(proxy, connection);
        socket = await within(way, PATIENCE * 1000, "no connection through the proxy");
    }
    const client = await connect(connection, socket);
    clients.unshift(client);
    return execute(client, command, input);
}

/**
 * @param {any} endpoint
 * @param {any} [socket] the way there, when it is not direct
 * @returns {Promise<Client>}
 */
function connect(endpoint, socket) {
    // As the provider reads it: unset is the agent of this session, empty is none.
    const agent = endpoint.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
    const [keyType, key] = (endpoint.hostKey ?? "").split(" ");
    return new Promise((resolve, reject) => {
        const client = new Client();
        client.once("ready", () => resolve(client));
        client.once("error", reject);
        client.on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.map(() => endpoint.password)),
        );
        try {
            client.connect({
                ...(socket === undefined
                    ? { host: endpoint.host, port: endpoint.port }
                    : { sock: socket }),
                username: endpoint.user,
                readyTimeout: PATIENCE * 1000,
                ...(endpoint.privateKey === undefined
                    ? {}
                    : { privateKey: endpoint.privateKey, passphrase: endpoint.privateKeyPassword }),
                ...(endpoint.password === undefined
                    ? {}
                    : { password: endpoint.password, tryKeyboard: true }),
                ...(agent ? { agent } : {}),
                ...(key === undefined
                    ? {}
                    : {
                          algorithms: { serverHostKey: [keyType] },
                          hostVerifier: (/** @type {Buffer} */ shown) =>
                              shown.toString("base64") === key,
                      }),
            });
        } catch (error) {
            // A key that cannot be read.
            reject(error);
        }
    });
}

/**
 * @param {Client} client
 * @param {any} endpoint
 */
function forward(client, { host, port }) {
    return new Promise((resolve, reject) => {
        client.forwardOut("127.0.0.1", 0, host, port, (error, stream) =>
            error === undefined ? resolve(stream) : reject(error),
        );
    });
}

/**
 * @param {Client} client
 * @param {string} command
 * @param {string} input
 * @returns {Promise<Result>}
 */
function execute(client, command, input) {
    return new Promise((resolve, reject) => {
        client.exec(command, (error, stream) => {
            if (error !== undefined) {
                reject(error);
                return;
            }
            let stdout = "";
            let stderr = "";
            stream.on("data", (/** @type {Buffer} */ data) => (stdout += data.toString()));
            stream.stderr.on("data", (/** @type {Buffer} */ data) => (stderr += data.toString()));
            stream.on("close", (/** @type {number | null} */ code) =>
                resolve({ code: code ?? 1, stdout, stderr }),
            );
            stream.end(input);
        });
    });
}
