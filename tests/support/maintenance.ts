import { join } from "node:path";
import { type Result, run } from "./run";
import type { TestStack } from "./stack";

/** A maintenance command of a stack, without the script that sets up what is missing. */
export async function maintain(
    stack: TestStack,
    command: "gc" | "retention" | "backup" | "restore" | "move-to-s3",
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
): Promise<Result> {
    const script = join(__dirname, "../../scripts/maintenance", `${command}.mjs`);
    const options = { cwd: stack.folder, env: { ...stack.environment, ...env } };
    return stack.note(await run("node", [script, ...args], options));
}
