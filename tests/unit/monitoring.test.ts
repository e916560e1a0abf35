import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import {
    metricsOf,
    MONITORING,
    panels,
    promtool,
    rules,
    testWithPromtool,
} from "../support/prometheus";

const METRICS = join(__dirname, "../../scripts/check/metrics.mjs");

function asMetrics(changes: Record<string, unknown> = {}): string {
    const report = {
        registry: "registry.example:5000",
        checks: [],
        clients: [],
        now: 1_800_000_000_000,
        ...changes,
    };
    const program = `import { asMetrics } from ${JSON.stringify(METRICS)};
        process.stdout.write(asMetrics(${JSON.stringify(report)}));`;
    return execFileSync("node", ["--input-type=module", "-e", program], { encoding: "utf8" });
}

const samples = (text: string) => text.split("\n").filter((line) => /^[^#]/.test(line));

test("what the doctor found, as metrics", () => {
    const checks = [
        { part: "Docker", text: "", isFine: true },
        { part: "certificate", text: "", isFine: false, expires: 1_900_000_000_000 },
    ];
    const clients = [
        { name: "build1", isFine: true },
        { name: 'b"2\\', isFine: false },
    ];
    const text = asMetrics({ checks, clients, data: { size: 2048, available: 1024 } });
    const registry = 'registry="registry.example:5000"';
    expect(samples(text)).toEqual([
        `private_registry_check_ok{${registry},part="Docker"} 1`,
        `private_registry_check_ok{${registry},part="certificate"} 0`,
        `private_registry_client_ok{${registry},client="build1"} 1`,
        `private_registry_client_ok{${registry},client="b\\"2\\\\"} 0`,
        `private_registry_certificate_expires_timestamp_seconds{${registry},part="certificate"} 1900000000`,
        `private_registry_data_size_bytes{${registry}} 2048`,
        `private_registry_data_available_bytes{${registry}} 1024`,
        `private_registry_doctor_timestamp_seconds{${registry}} 1800000000`,
    ]);
});

test("what cannot be asked is left out, and no series is there twice", () => {
    const gone = { part: "container", text: "", isFine: false };
    const text = asMetrics({ checks: [gone, gone] });
    expect(samples(text)).toEqual([
        'private_registry_check_ok{registry="registry.example:5000",part="container"} 0',
        'private_registry_doctor_timestamp_seconds{registry="registry.example:5000"} 1800000000',
    ]);
});

test("every alert has a case in which it fires and one in which it does not", () => {
    const { tests } = parse(readFileSync(join(MONITORING, "rules.test.yml"), "utf8")) as {
        tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const cases = tests.flatMap((each) => each.alert_rule_test);
    const names = (fires: boolean) =>
        new Set(
            cases
                .filter(({ exp_alerts }) => exp_alerts.length > 0 === fires)
                .map(({ alertname }) => alertname),
        );
    const alerts = new Set(rules().map(({ alert }) => alert));
    expect([names(true), names(false)]).toEqual([alerts, alerts]);
});

testWithPromtool("the alerts fire when they should, says promtool", async () => {
    for (const args of [
        ["check", "rules", "rules.yml"],
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "rules.test.yml"],
    ]) {
        const { code, stdout, stderr } = await promtool(args);
        expect([args, code, code === 0 ? "" : stdout + stderr]).toEqual([args, 0, ""]);
    }
});

testWithPromtool("every query of the dashboard is one, says promtool", async () => {
    const queries = panels().flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const group = { name: "g", rules: queries.map((expr, at) => ({ record: `r${at}`, expr })) };
    const folder = mkdtempSync(join(tmpdir(), "private-registry-queries-"));
    try {
        const file = join(folder, "rules.yml");
        writeFileSync(file, JSON.stringify({ groups: [group] }));
        const { code, stderr } = await promtool(["check", "rules", "--lint=none", file]);
        expect([code, stderr]).toEqual([0, ""]);
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test("the panels of the dashboard have an id and a place of their own", () => {
    const all = panels();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const cells = all.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...all.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
});

test("the names that a query asks for are found in it", () => {
    const expr =
        'sum by (job, le) (rate(a_total{code=~"5..", x="b_c{"}[5m])) / 2 > 1e3 or d_e unless d_e offset 10m';
    expect(metricsOf(expr)).toEqual(
        new Map([
            ["a_total", new Set(["code", "x", "job", "le"])],
            ["d_e", new Set(["job", "le"])],
        ]),
    );
});
