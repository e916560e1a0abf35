import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PART = join(__dirname, "../../scripts/setup/deploy.sh");
/** Stands in for pulumiw: writes what it was called with into the log that it is told. */
const PULUMIW = `#!/bin/sh
for log; do :; done
printf '{"resourcePreEvent":"%s"}\\n{"other":1}\\n' "$1" >"$log"
exit 3
`;

test("a run whose number a killed one had keeps the engine's log as any other does", () => {
    const root = mkdtempSync(join(tmpdir(), "private-registry-deploy-"));
    try {
        writeFileSync(join(root, "pulumiw"), PULUMIW, { mode: 0o755 });
        const script = `set -eu; root=$1; . "$2"; folder=$root/.pulumi-state/setup
            mkdir -p "$folder"; echo before >"$folder/events.$$"; mkfifo "$folder/events.$$.pipe"
            run_logged up; echo "$code"; cat "$events"`;
        const { stdout, stderr } = spawnSync("sh", ["-c", script, "sh", root, PART], {
            encoding: "utf8",
        });
        expect([stdout, stderr]).toEqual(['3\n{"resourcePreEvent":"up"}\n', ""]);
        expect(readdirSync(join(root, ".pulumi-state/setup"))).toEqual([]);
    } finally {
        rmSync(root, { recursive: true });
    }
});
