import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../support/run";

const PROJECT = join(__dirname, "../..");

/** `npm run conformance`, inside the set-up that this test runs in. */
function conformance(...args: string[]) {
    return run("node", ["benchmarks/conformance/cli.mjs", ...args], { cwd: PROJECT });
}

/** Counts of a line of the table. */
function counts(table: string, name: string) {
    const line = new RegExp(`^${name} +(\\d+) +(\\d+) +(\\d+) +(\\d+) +\\d+\\.\\d$`, "m").exec(
        table,
    );
    const [passed, failed, skipped, disabled] = (line ?? []).slice(1).map(Number);
    return { passed, failed, skipped, disabled };
}

test("no test of OCI's conformance suite is worse with us than with a bare registry, with a gateway and permissions either", async () => {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-conformance-"));
    try {
        const { code, stdout, stderr } = await conformance("--gateway", "--reports", folder);
        expect([code, stderr]).toEqual([0, expect.stringContaining("ours: the suite runs")]);
        // What the registry of this version can do by itself.
        const bare = counts(stdout, "bare registry");
        expect(bare.passed).toBeGreaterThanOrEqual(738);
        expect(counts(stdout, "ours")).toEqual(bare);
        const gateway = counts(stdout, "ours, gateway and permissions");
        expect(gateway.passed).toBeGreaterThanOrEqual(bare.passed ?? NaN);
        expect(gateway).toMatchObject({ skipped: bare.skipped, disabled: bare.disabled });
        expect(stdout.match(/; 0 worse/g)).toHaveLength(2);
        // Whoever is shown the suite's own report does not get the account with it.
        const report = readFileSync(join(folder, "ours", "report.html"), "utf8");
        expect(report).toMatch(/Authorization:.*\[Basic \*+\]/i);
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test("a feature that is lost is named", async () => {
    const { code, stdout } = await conformance("--set", "deleteEnabled=false");
    expect(code).toBe(1);
    expect(counts(stdout, "ours").passed).toBeLessThan(738);
    expect(stdout).toMatch(
        /^ {2}worse: OCI Conformance Test\/sha256 blobs\/post\+put\/blob-delete$/m,
    );
});
