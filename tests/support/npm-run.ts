import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Result, run, type RunOptions } from "./run";

const PROJECT = join(__dirname, "../..");
/** In the place of pulumiw, which sets up what is missing first: runs the script that it is given, in the folder where it is. */
const WITHOUT_SETUP = `#!/bin/sh
script=$3
shift 3
exec node '${PROJECT}'/"$script" "$@"
`;

/** What `npm run NAME -- ARGS` does in a folder, with the engine that is set up. */
export async function npmRun(
    name: string,
    args: readonly string[],
    { umask = "022", ...options }: RunOptions & { readonly umask?: string },
): Promise<Result> {
    const folder = mkdtempSync(join(tmpdir(), "npm-run-"));
    try {
        symlinkSync(join(PROJECT, "scripts"), join(folder, "scripts"));
        writeFileSync(join(folder, "pulumiw"), WITHOUT_SETUP, { mode: 0o755 });
        const command = [`umask ${umask}; exec sh "$@"`, "sh", join(folder, "scripts", name)];
        return await run("sh", ["-c", ...command, ...args], options);
    } finally {
        rmSync(folder, { recursive: true });
    }
}
