// @ts-check
// Connections that start in the registry's container: what it reaches is what counts, and this machine may not reach it.
import { spawn } from "node:child_process";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";

/** @typedef {import("./registry.mjs").Registry} Registry */

/**
 * @param {Registry} registry
 * @param {boolean} isSecure
 * @param {string | undefined} ca PEM
 */
export function agentInContainer(registry, isSecure, ca) {
    const options = { keepAlive: true, maxSockets: 8 };
    const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
    /** @param {any} where */
    const createConnection = ({ host, port }) => {
        const line = open(registry, host, port || (isSecure ? 443 : 80));
        // The certificate is for the host, whatever name the handshake may tell.
        const servername = isIP(host) === 0 ? host : undefined;
        return isSecure ? connect({ socket: line, host, servername, ca }) : line;
    };
    return Object.assign(agent, { createConnection });
}

/**
 * @param {Registry} registry
 * @param {string} host
 * @param {number | string} port
 */
function open(registry, host, port) {
    const bare = host.replace(/^\[|\]$/g, "");
    const child = spawn(
        "docker",
        [
            ...["--host", registry.host, "exec", "--interactive", registry.container],
            ...["busybox", "nc", "-w", "10", bare, String(port)],
        ],
        // A Ctrl-C is for this program.
        { detached: true, stdio: ["pipe", "pipe", "pipe"] },
    );
    let complaint = "";
    child.stderr.on("data", (data) => (complaint += String(data)));
    child.stdin.on("error", () => undefined);
    const line = Duplex.from({ readable: child.stdout, writable: child.stdin });
    child.on("error", (error) => line.destroy(error));
    child.on("close", () =>
        line.destroy(complaint === "" ? undefined : new Error(complaint.trim())),
    );
    line.on("close", () => child.kill());
    // What Node.js' agents ask of a socket.
    const same = () => line;
    const nothings = {
        setTimeout: same,
        setKeepAlive: same,
        setNoDelay: same,
        ref: same,
        unref: same,
    };
    return Object.assign(line, nothings);
}
