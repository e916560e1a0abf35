// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/**
 * Runs a command to its end, without a shell, with a text on its standard input.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} input
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export async function run(command, args, input) {
    const child = spawn(command, args);
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
    ]);
    return { code: code ?? 1, stdout, stderr };
}
