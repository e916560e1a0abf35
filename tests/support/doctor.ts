import { join } from "node:path";
import { type Result, run } from "./run";
import type { TestStack } from "./stack";

/** The script of `npm run doctor`. */
export const DOCTOR = join(__dirname, "../../scripts/check/doctor.mjs");

/** What `npm run doctor` does, or with `repair` the first half of `npm run up -- --repair`. */
export async function doctor(
    stack: TestStack,
    mode = "",
    env: NodeJS.ProcessEnv = {},
): Promise<Result> {
    const options = { cwd: stack.folder, env: { ...stack.environment, ...env } };
    return stack.note(await run("node", [DOCTOR, "", mode], options));
}

/** Everything is as the last `up` left it; returns what the doctor shows. */
export async function expectHealthy(stack: TestStack): Promise<string> {
    const { code, stdout, stderr } = await doctor(stack);
    if (code !== 0) throw new Error(stdout + stderr);
    expect(stdout).toContain("All is as it was set up.");
    return stdout;
}
