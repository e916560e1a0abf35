import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** How a command ended and what it printed. */
export interface Result {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

export interface RunOptions {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly input?: string | Buffer;
}

/** Runs a command to its end, without a shell. */
export async function run(
    command: string,
    args: readonly string[],
    options: RunOptions = {},
): Promise<Result> {
    const { input = "", ...rest } = options;
    const child = spawn(command, args, rest);
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const [stdout, stderr, [code, signal]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
    ]);
    return {
        code: (code as number | null) ?? 128,
        stdout,
        stderr: signal === null ? stderr : `${stderr}\n[${String(signal)}]`,
    };
}

/** Runs a command that has to succeed, and returns what it printed. */
export async function must(
    command: string,
    args: readonly string[],
    options: RunOptions = {},
): Promise<string> {
    const { code, stdout, stderr } = await run(command, args, options);
    if (code !== 0) {
        throw new Error(`${command} ${args.join(" ")}: exit ${code}\n${stdout}\n${stderr}`);
    }
    return stdout;
}
