import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run";
import type { Run, TestStack } from "./stack";

const FAILURES = join(__dirname, "../../scripts/setup/failures.mjs");
/** What scripts/setup/deploy.sh keeps of the engine's log. */
const KEPT = /"(resourcePreEvent|resOpFailedEvent)":|"severity":"error"/;

/** What `npm run up` or `npm run destroy` does, and what it says of the client hosts that failed. */
export async function deploy(
    stack: TestStack,
    command: "up" | "destroy",
): Promise<Run & { readonly failures: string }> {
    const log = stack.path("events");
    const options = ["--yes", "--skip-preview", "--continue-on-error", "--event-log", log];
    const result = await stack.pulumi([command, ...options], { PULUMI_DEBUG_COMMANDS: "1" });
    // Of the rest, which holds keys in clear, nothing reaches the disk there.
    const lines = readFileSync(log, "utf8").split("\n");
    writeFileSync(log, lines.filter((line) => KEPT.test(line)).join("\n"));
    const { stderr } = stack.note(await run("node", [FAILURES, log, command, stack.name]));
    return { ...result, failures: stderr };
}
