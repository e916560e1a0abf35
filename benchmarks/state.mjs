// @ts-check
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { outerEnvironment, withCheckout } from "./checkout.mjs";
import { say } from "./measure.mjs";
import { attempt, must } from "./run.mjs";
import { freePort, PROJECT, removeOwned, stackFile } from "./workspace.mjs";

const RUNS = Number(process.env.BENCH_STATE_RUNS ?? 50);
const GOAL_RUNS = 200;
/** How many history entries pulumiw keeps for a stack. */
const KEPT_HISTORY = Number(
    /history\\\.json\/, (\d+)\)/.exec(
        readFileSync(join(PROJECT, "scripts/setup/run.mjs"), "utf8"),
    )?.[1],
);
const MB = 1_000_000;

export const title = "Growth of the managed backend";
export const about = `
Sizes of the files in \`.pulumi-state\` of a copy of this project before and after no-op runs of
\`./pulumiw up --yes --skip-preview\`, with everything that \`pulumiw\` does after a run. "Written" is what the runs added in
new files before that was pruned: the growth without it. The size after ${GOAL_RUNS} runs is extrapolated where fewer were
made (\`BENCH_STATE_RUNS=${GOAL_RUNS}\` makes them): it grows by one history entry a run until ${KEPT_HISTORY} are kept. The stack is the
default one, with no client hosts yet.`;

/** Measures what no-op runs leave behind. */
export function measure() {
    return withCheckout({ hasPackages: true }, async (checkout) => {
        const stack = `bench${randomBytes(4).toString("hex")}`;
        const options = { cwd: checkout, env: { ...outerEnvironment(), PULUMI_STACK: stack } };
        const state = join(checkout, ".pulumi-state");
        const pulumiw = join(checkout, "pulumiw");
        const up = () => must(pulumiw, ["up", "--yes", "--skip-preview"], options);
        writeFileSync(join(checkout, `Pulumi.${stack}.yaml`), stackFile(await freePort()));
        try {
            await must(pulumiw, ["stack", "init", stack], options);
            await up();
            const before = sizes(state);
            let known = before;
            let tenBefore = before;
            let written = 0;
            /** @type {Record<string, number[]>} */
            const samples = { "after the first up": [sum(before) / MB] };
            for (let count = 1; count <= RUNS; count++) {
                await up();
                const now = sizes(state);
                const isNew = (/** @type {string} */ path) => !known.has(path);
                written += sum(new Map([...now].filter(([path]) => isNew(path))));
                known = now;
                if (count === RUNS - 10) tenBefore = now;
                if (count % 10 === 0) {
                    say(`${count} of ${RUNS} runs`);
                    samples[`after ${count} no-op runs`] = [sum(now) / MB];
                }
            }
            samples[`written in ${RUNS} runs`] = [written / MB];
            const grown = (sum(known) - sum(before)) / MB;
            const entry = historyEntry(known) / MB;
            const atGoal = grown + entry * Math.max(0, Math.min(KEPT_HISTORY, GOAL_RUNS) - RUNS);
            return {
                unit: "MB",
                samples,
                ratios: [
                    { name: `growth in ${RUNS} runs / written`, value: grown / (written / MB) },
                    {
                        name: `growth in the last 10 of ${RUNS} runs / 10 history entries`,
                        value: (sum(known) - sum(tenBefore)) / (10 * MB * entry),
                    },
                    {
                        name: `growth in ${GOAL_RUNS} runs / 2 MB`,
                        value: (RUNS >= GOAL_RUNS ? grown : atGoal) / 2,
                        aim: "<= 1",
                    },
                ],
                facts: [
                    `${RUNS} runs, one sample each size. Largest parts at the end: ${largest(known)}.`,
                ],
            };
        } finally {
            const destroy = ["destroy", "--yes", "--skip-preview", "--non-interactive"];
            await attempt(pulumiw, destroy, options);
            await removeOwned(`private-registry/${stack}`);
            await attempt("docker", ["volume", "rm", "--force", `private-registry-${stack}-data`]);
        }
    });
}

/**
 * Size of every file by its path in a folder, without what is only linked there (the plugins).
 *
 * @param {string} folder
 * @param {string} path
 * @returns {Map<string, number>}
 */
function sizes(folder, path = "") {
    const entries = readdirSync(join(folder, path), { withFileTypes: true });
    return new Map(
        entries.flatMap((entry) => {
            const inside = join(path, entry.name);
            if (entry.isDirectory()) return [...sizes(folder, inside)];
            return entry.isFile() ? [[inside, statSync(join(folder, inside)).size]] : [];
        }),
    );
}

/** @param {ReadonlyMap<string, number>} files */
function sum(files) {
    return [...files.values()].reduce((total, size) => total + size, 0);
}

/**
 * What one run leaves in the history for good.
 *
 * @param {ReadonlyMap<string, number>} files
 */
function historyEntry(files) {
    const entries = new Map([...files].filter(([path]) => /\.history\.json(\.|$)/.test(path)));
    return (
        sum(entries) /
        Math.max(1, [...entries.keys()].filter((path) => !path.endsWith(".attrs")).length)
    );
}

/** @param {ReadonlyMap<string, number>} files */
function largest(files) {
    /** @type {Map<string, number>} */
    const parts = new Map();
    for (const [path, size] of files) {
        const part = /^(home\/[^/]+|\.pulumi\/[^/]+|[^/]+)/.exec(path)?.[0] ?? path;
        parts.set(part, (parts.get(part) ?? 0) + size);
    }
    return [...parts]
        .sort(([, a], [, b]) => b - a)
        .slice(0, 4)
        .map(([part, size]) => `${part} ${(size / MB).toFixed(2)} MB`)
        .join(", ");
}
