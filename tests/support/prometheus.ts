import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Result, run } from "./run";

export const MONITORING = join(__dirname, "../../monitoring");

/** For what only Prometheus' own tool can say; skipped where it is not installed (Debian: apt-get install prometheus). */
export const testWithPromtool =
    spawnSync("promtool", ["--version"]).error === undefined ? test : test.skip;

export function promtool(args: readonly string[], input = ""): Promise<Result> {
    return run("promtool", args, { cwd: MONITORING, input });
}

export interface Rule {
    readonly alert: string;
    readonly expr: string;
}

export interface Panel {
    readonly id: number;
    readonly title: string;
    readonly gridPos: Record<"x" | "y" | "w" | "h", number>;
    readonly targets: readonly { readonly expr: string }[];
}

export function rules(): Rule[] {
    const { groups } = parse(readFileSync(join(MONITORING, "rules.yml"), "utf8")) as {
        groups: { rules: Rule[] }[];
    };
    return groups.flatMap((group) => group.rules);
}

export function panels(): Panel[] {
    const text = readFileSync(join(MONITORING, "dashboard.json"), "utf8");
    return (JSON.parse(text) as { panels: Panel[] }).panels;
}

const OPERATORS = ["and", "or", "unless", "offset"];

/** The metrics that a PromQL expression asks for, each with the labels that it selects or groups by. */
export function metricsOf(expr: string): Map<string, Set<string>> {
    const grouping = /\b(?:by|without)\s*\(([^)]*)\)/g;
    const groups = [...expr.matchAll(grouping)].flatMap(([, list = ""]) => list.split(/,\s*/));
    const found = new Map<string, Set<string>>();
    // A name that is no function, with its selector, so that what stands in that is not taken for a name.
    const selection = /(?<!\w)([a-z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?/g;
    for (const [, name = "", selector = ""] of expr.replace(grouping, "").matchAll(selection)) {
        if (OPERATORS.includes(name)) continue;
        const labels = [...selector.matchAll(/(\w+)\s*[=!]/g)].map(([, label = ""]) => label);
        found.set(name, new Set([...(found.get(name) ?? []), ...labels, ...groups]));
    }
    return found;
}

/** The metrics in Prometheus' text format, each with all labels that its series have, and the series with their values. */
export function parseMetrics(text: string): {
    readonly names: Map<string, Set<string>>;
    readonly series: Map<string, number>;
} {
    const names = new Map<string, Set<string>>();
    const series = new Map<string, number>();
    for (const line of text.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
        const end = line.lastIndexOf(" ");
        const key = line.slice(0, end);
        const name = key.replace(/\{.*$/, "");
        const labels = [...key.matchAll(/(\w+)="/g)].map(([, label = ""]) => label);
        names.set(name, new Set([...(names.get(name) ?? []), ...labels]));
        series.set(key, Number(line.slice(end + 1)));
    }
    return { names, series };
}
