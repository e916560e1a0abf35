import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "./run";
import type { TestStack } from "./stack";

const RECOVER = join(__dirname, "../../scripts/setup/recover.mjs");
/** Runs pulumi for pulumiw; a signal that it gets goes on to the engine. */
const RUN = join(__dirname, "../../scripts/setup/run.mjs");
const FLAGS = ["--yes", "--skip-preview", "--non-interactive", "--color", "never"];

/** How a process ended. */
export interface End {
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
}

/** Runs pulumi and does something to it, once, as soon as it says something; returns how it ended. */
export async function interrupted(
    stack: TestStack,
    command: string,
    said: string,
    act: (child: ChildProcess) => unknown,
    program: readonly [string, ...string[]] = ["pulumi"],
): Promise<End> {
    const child = spawn(program[0], [...program.slice(1), command, ...FLAGS], {
        cwd: stack.folder,
        env: stack.environment,
        stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data) => {
        const isSaid = stdout.includes(said);
        stdout += String(data);
        if (!isSaid && stdout.includes(said)) act(child);
    });
    child.stderr.on("data", (data) => (stderr += String(data)));
    // After all that it has said, not as soon as it has ended.
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    stack.note({ stdout, stderr });
    if (!stdout.includes(said)) {
        throw new Error(`pulumi ${command} never said "${said}": ${stdout}${stderr}`);
    }
    return { code, signal };
}

/** As pulumiw runs the engine. */
export const WRAPPED = [process.execPath, RUN, "pulumi"] as const;

/** Runs pulumi and sends it a signal after so many milliseconds, unless it has ended by then; returns how it ended. */
export async function interruptedAfter(
    stack: TestStack,
    command: string,
    milliseconds: number,
    signal: NodeJS.Signals,
): Promise<End> {
    // Killed is the engine alone.
    const [program, ...args] = signal === "SIGKILL" ? (["pulumi"] as const) : WRAPPED;
    const child = spawn(program, [...args, command, ...FLAGS], {
        cwd: stack.folder,
        env: stack.environment,
        stdio: "ignore",
        // Without a terminal, which would have given Ctrl-C to the engine by itself.
        detached: true,
    });
    const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    const timer = setTimeout(() => child.kill(signal), milliseconds);
    const [code, endedBy] = await ended;
    clearTimeout(timer);
    return { code, signal: endedBy };
}

/** As `npm run recover` does. */
export async function recover(stack: TestStack): Promise<void> {
    const options = { cwd: stack.folder, env: stack.environment };
    const { code, stdout, stderr } = stack.note(await run("node", [RECOVER], options));
    if (code !== 0) throw new Error(stdout + stderr);
    expect(stdout).toContain("Ready to go on: npm run up, or npm run destroy");
}

/** Command lines of the processes that any run of a stack has started and that are still there, some seconds later too. */
export async function leftProcesses(stack: TestStack): Promise<string[]> {
    for (let tries = 0; ; tries++) {
        const left = processesOf(stack);
        if (left.length === 0 || tries === 100) return left;
        await sleep(100);
    }
}

/** What a run starts has the stack's folder in its environment. */
function processesOf({ folder }: TestStack): string[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => {
            try {
                const isOurs = readFileSync(join("/proc", pid, "environ"), "utf8").includes(folder);
                const command = readFileSync(join("/proc", pid, "cmdline"), "utf8");
                return isOurs ? [command.replaceAll("\0", " ").trim()] : [];
            } catch {
                // It has ended, or is another user's.
                return [];
            }
        })
        .filter((command) => command !== "");
}
