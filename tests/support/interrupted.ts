import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { run } from "./run";
import type { TestStack } from "./stack";

const RECOVER = join(__dirname, "../../scripts/setup/recover.mjs");
const FLAGS = ["--yes", "--skip-preview", "--non-interactive", "--color", "never"];

/** Runs pulumi and does something to it, once, as soon as it says something; returns how it ended. */
export async function interrupted(
    stack: TestStack,
    command: string,
    said: string,
    act: (child: ChildProcess) => unknown,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    const child = spawn("pulumi", [command, ...FLAGS], {
        cwd: stack.folder,
        env: stack.environment,
        stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (data) => {
        if (printed.includes(said)) return;
        printed += String(data);
        if (printed.includes(said)) act(child);
    });
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    child.stdout.destroy();
    if (!printed.includes(said)) throw new Error(`pulumi ${command} never said "${said}"`);
    return { code, signal };
}

/** As `npm run recover` does. */
export async function recover(stack: TestStack): Promise<void> {
    const options = { cwd: stack.folder, env: stack.environment };
    const { code, stdout, stderr } = await run("node", [RECOVER], options);
    if (code !== 0) throw new Error(stdout + stderr);
    expect(stdout).toContain("Ready to go on: npm run up, or npm run destroy");
}
