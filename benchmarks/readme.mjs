// @ts-check
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BUSY } from "./machine.mjs";
import { median } from "./measure.mjs";

const introduction = (
    /** @type {number} */ minutes,
    /** @type {string} */ slow,
) => `<!-- Written by benchmarks/readme.mjs with the results; edit that instead. -->

# Benchmarks

\`npm run bench\` measures everything but ${slow} (${minutes} minutes, as long as the results below took) and writes this page and
[results/](results); \`sh scripts/bench NAME...\` measures only what is named. Nothing is asserted about time, here or in the tests.

- What is compared was measured in one run, in turns: each round measures every line of a table once, and begins with another
  one where none needs what another leaves. A line shows the median of its samples, five after a warm-up unless said otherwise,
  with the smallest and the largest beside it.
- What counts are the ratios. Seconds are those of one machine, and of what else it did: its load when a benchmark began
  stands with the results. On two cores, a load above ${BUSY} before the start means that the figures are worth little, and such results
  are marked as those of a busy machine; each benchmark waits for less, three minutes at most.
- Everything is made under names of its own and taken away again, also after a failure or Ctrl-C. It needs a Docker daemon on
  this machine (not a remote one), openssl and curl, and skopeo for \`crowd\`; ab and htpasswd (Debian: apache2-utils) are used where present.
`;

const RESULTS = join(import.meta.dirname, "results");

/**
 * The page of all results.
 *
 * @param {Record<string, import("./main.mjs").Benchmark>} benchmarks
 */
export function renderReadme(benchmarks) {
    const all = Object.entries(benchmarks);
    const names = (/** @type {boolean} */ isSlow) =>
        all.filter(([, it]) => (it.isSlow ?? false) === isSlow).map(([name]) => name);
    const seconds = names(false).reduce((sum, name) => sum + (resultOf(name)?.took ?? 0), 0);
    const slow = names(true).map((name) => `\`${name}\``);
    return [
        introduction(Math.round(seconds / 60), slow.join(" and ")),
        ...all.map(([name, it]) => section(name, it)),
    ].join("\n");
}

/**
 * @param {string} name
 * @returns {import("./main.mjs").Result | undefined}
 */
function resultOf(name) {
    const path = join(RESULTS, `${name}.json`);
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/**
 * @param {string} name
 * @param {import("./main.mjs").Benchmark} benchmark
 */
function section(name, { title, about }) {
    const heading = `## ${name}: ${title[0]?.toLowerCase()}${title.slice(1)}\n${about}\n`;
    const result = resultOf(name);
    if (result === undefined) return `${heading}\nNot measured yet.\n`;
    const { machine, samples, unit, tables, ratios, facts } = result;
    const rows = Object.entries(samples).map(([label, values]) => [
        label,
        figure(median(values)),
        values.length === 1
            ? ""
            : `${figure(Math.min(...values))} to ${figure(Math.max(...values))}`,
    ]);
    const verdicts = ratios.map(({ name: label, value, aim }) => [
        label,
        figure(value),
        aim ?? "",
        aim === undefined ? "" : meets(value, aim) ? "met" : "**not met**",
    ]);
    return [
        heading,
        ...(Number(machine.loadBefore) > BUSY
            ? [`**Busy machine, load ${machine.loadBefore} before the start.**\n`]
            : []),
        ...(existsSync(join(RESULTS, `${name}.svg`)) ? [`![${title}](results/${name}.svg)\n`] : []),
        ...(ratios.length > 0 ? [table(["compared", "value", "aim", ""], verdicts)] : []),
        ...(tables ?? [{ head: ["measured", `median, ${unit}`, "range"], rows }]).map((it) =>
            table(it.head, it.rows),
        ),
        ...facts.map((fact) => `${fact}\n`),
        `${[
            `${result.date.slice(0, 16).replace("T", " ")} UTC, ${Math.round(result.took)} s in all`,
            `${machine.processor}, ${machine.memory}`,
            machine.system,
            `Pulumi ${machine.pulumi}, Node.js ${machine.node}, Docker ${machine.docker}`,
            ...[machine.images, machine.tools].filter((it) => it),
            ...(machine.program ? [`this program at ${machine.program}`] : []),
            `load before: ${machine.loadBefore}`,
        ].join(" · ")}\n`,
    ].join("\n");
}

/**
 * @param {number} value
 * @param {string} aim such as "<= 1.5", ">= 2", "= 1" or "0.9 to 1.1"
 */
function meets(value, aim) {
    const [least, most] = aim.split(" to ").map(Number);
    if (least !== undefined && most !== undefined) return value >= least && value <= most;
    const [sign, limit] = aim.split(" ");
    if (sign === "=") return value === Number(limit);
    return sign === "<=" ? value <= Number(limit) : value >= Number(limit);
}

/** @param {number} value */
export function figure(value) {
    return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
    const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(" | ")} |`;
    return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}
