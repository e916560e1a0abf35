// @ts-check
// The working tree that a release is made of, and commands that run in it.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** Says what went wrong. */
export class ReleaseError extends Error {}

/**
 * Runs a command that has to succeed; shows what it says only when it does not.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [input]
 */
export function run(command, args, input = "") {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
        cwd: ROOT,
        encoding: "utf8",
        input,
    });
    if (status !== 0) {
        const said = error?.message ?? `${stdout}${stderr}`.trim();
        throw new ReleaseError(`${command} ${args[0]} failed:\n${said}`);
    }
    return stdout;
}

/** @param {string[]} args */
export function git(...args) {
    return run("git", args).trimEnd();
}

/** @param {string[]} args */
export function tryGit(...args) {
    return spawnSync("git", args, { cwd: ROOT, stdio: "ignore" }).status === 0;
}

/** @param {string} file */
export function read(file) {
    return readFileSync(join(ROOT, file), "utf8");
}
