// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { within } from "./within.mjs";

/**
 * Runs a command to its end, without a shell, with a text on its standard input.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} input
 * @param {number} [patienceMs] after which it is ended, with an error; for good when it is not given
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export async function run(command, args, input, patienceMs) {
    const child = spawn(command, args);
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    try {
        const [stdout, stderr, [code]] = await (patienceMs === undefined
            ? ended
            : within(ended, patienceMs));
        return { code: code ?? 1, stdout, stderr };
    } finally {
        // Nothing to one that has ended.
        child.kill();
    }
}
