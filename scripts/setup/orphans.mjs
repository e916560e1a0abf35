// @ts-check
// The plugins of an engine that was killed: they look only every five minutes whether it is still there.
import { spawnSync } from "node:child_process";
import { connect } from "node:net";

/** As the engine starts them: with its own address as the last argument. */
const PLUGIN = /^\S*pulumi-(?:resource|language)-[a-z0-9-]+(?: .*)? 127\.0\.0\.1:(\d+)$/;
const ENGINE = /^(\S*\/)?pulumi(\s|$)/;

/** Ends every plugin that this user may end and whose engine is gone; returns how many. */
export async function endOrphans() {
    const processes = list();
    const ended = [...processes].map(async ([pid, { parent, command }]) => {
        const port = PLUGIN.exec(command)?.[1];
        // An engine in a container is seen here too, and its address leads nowhere from here.
        const hasEngine = ENGINE.test(processes.get(parent)?.command ?? "");
        return port !== undefined && !hasEngine && (await isClosed(Number(port))) && end(pid);
    });
    return (await Promise.all(ended)).filter(Boolean).length;
}

function list() {
    const { stdout } = spawnSync("ps", ["-A", "-o", "pid=", "-o", "ppid=", "-o", "args="], {
        encoding: "utf8",
        maxBuffer: 1 << 26,
        stdio: ["ignore", "pipe", "ignore"],
    });
    const lines = (stdout ?? "").matchAll(/^ *(\d+) +(\d+) +(.*?) *$/gm);
    return new Map(
        [...lines].map(([, pid, parent, command = ""]) => [
            Number(pid),
            { parent: Number(parent), command },
        ]),
    );
}

/**
 * Whether nothing listens there: nobody can ask for anything of what was started to serve it.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isClosed(port) {
    return new Promise((resolve) => {
        const socket = connect({ host: "127.0.0.1", port });
        socket.on("connect", () => {
            socket.destroy();
            resolve(false);
        });
        socket.on("error", (error) => resolve("code" in error && error.code === "ECONNREFUSED"));
    });
}

/** @param {number} pid */
function end(pid) {
    try {
        return process.kill(pid, "SIGKILL");
    } catch {
        // It has just ended, or is another user's.
        return false;
    }
}
