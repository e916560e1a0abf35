// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** Ends what is being measured when the user interrupts; what cleans up afterwards does not listen to it. */
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => interruption.abort(new Error(`ended by ${signal}`)));
}

/** @typedef {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string }} RunOptions */
/** @typedef {{ code: number, stdout: string, stderr: string }} Ended */

/**
 * Runs a command to its end, without a shell. After an interruption it is asked to end, waited for, and then an error.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 */
export async function run(command, args, options = {}) {
    interruption.signal.throwIfAborted();
    const child = start(command, args, options);
    const end = () => child.process.kill("SIGTERM");
    interruption.signal.addEventListener("abort", end, { once: true });
    try {
        return await child.ended;
    } finally {
        interruption.signal.removeEventListener("abort", end);
        interruption.signal.throwIfAborted();
    }
}

/**
 * The same for a command that has to succeed; returns what it printed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 */
export async function must(command, args, options = {}) {
    const { code, stdout, stderr } = await run(command, args, options);
    if (code !== 0) {
        throw new Error(`${command} ${args.join(" ")}: exit ${code}\n${stdout}\n${stderr}`);
    }
    return stdout;
}

/**
 * For taking things away: runs also after an interruption, and is no error when it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 */
export async function attempt(command, args, options = {}) {
    const { stdout } = await start(command, args, options).ended.catch(() => ({ stdout: "" }));
    return stdout;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 */
function start(command, args, { input = "", ...options }) {
    // In a group of its own: a terminal's Ctrl-C would end also what takes things away.
    const child = spawn(command, args, { ...options, detached: true });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]).then(
        ([stdout, stderr, [code]]) => ({
            code: /** @type {number | null} */ (code) ?? 128,
            stdout,
            stderr,
        }),
    );
    return { process: child, ended };
}
