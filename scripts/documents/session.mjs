// @ts-check
// A shell as its user has it: what one command sets, starts or changes is there for the next one.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Only against a command that hangs: nothing is asserted about time. */
const HANGS_AFTER_MS = 60 * 60_000;

/** @typedef {{ code: number, output: string }} Result */

export class Session {
    /**
     * @param {string} folder where it keeps what is run and printed
     * @param {string} cwd
     * @param {NodeJS.ProcessEnv} env
     */
    constructor(folder, cwd, env) {
        this.folder = mkdtempSync(join(folder, "session-"));
        this.commands = 0;
        // Without a terminal, so that what asks for a password reads it from standard input.
        this.shell = spawn("bash", ["--noprofile", "--norc"], {
            cwd,
            env,
            detached: true,
            stdio: ["pipe", "ignore", "ignore", "pipe"],
        });
        this.shell.stdin?.on("error", () => undefined);
        this.hasEnded = new Promise((resolve) => this.shell.once("exit", () => resolve(undefined)));
        const codes = /** @type {import("node:stream").Readable} */ (this.shell.stdio[3]);
        this.codes = createInterface({ input: codes })[Symbol.asyncIterator]();
    }

    /**
     * Runs commands, with stdout and stderr in one, as on a terminal.
     *
     * @param {string} text
     * @param {string} [stdin]
     * @returns {Promise<Result>}
     */
    async run(text, stdin = "") {
        const file = join(this.folder, String(++this.commands));
        writeFileSync(file, `${text}\n`, { mode: 0o600 });
        writeFileSync(`${file}.in`, stdin, { mode: 0o600 });
        writeFileSync(`${file}.out`, "", { mode: 0o600 });
        this.shell.stdin?.write(
            `. '${file}' <'${file}.in' >'${file}.out' 2>&1 3>&-; echo "$?" >&3\n`,
        );
        const guard = setTimeout(() => this.kill(), HANGS_AFTER_MS);
        const { value, done } = await this.codes.next();
        clearTimeout(guard);
        const output = readFileSync(`${file}.out`, "utf8");
        return done
            ? { code: 255, output: `${output}\n[the shell has ended]` }
            : { code: Number(value), output };
    }

    /** Ends the shell and what it has started. */
    async end() {
        this.kill();
        await this.hasEnded;
    }

    kill() {
        try {
            process.kill(-(this.shell.pid ?? 0), "SIGKILL");
        } catch {
            // It has ended.
        }
    }
}
