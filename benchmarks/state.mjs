// @ts-check
import { randomBytes } from "node:crypto";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { outerEnvironment, withCheckout } from "./checkout.mjs";
import { Fleet } from "./fleet/hosts.mjs";
import { say } from "./measure.mjs";
import { attempt, must } from "./run.mjs";
import { freePort, removeOwned } from "./workspace.mjs";

const RUNS = Number(process.env.BENCH_STATE_RUNS ?? 200);
const GOAL_RUNS = 200;
const HOSTS = 20;
const MB = 1_000_000;

export const title = "Growth of the managed backend";
export const about = `
Sizes of the files in \`.pulumi-state\` of a copy of this project before and after no-op runs of
\`./pulumiw up --yes --skip-preview\`, with everything that \`pulumiw\` does after a run, of a stack with ${HOSTS} client hosts.
"Written" is what the runs added in new files before that was pruned: the growth without it. \`BENCH_STATE_RUNS\` is the number
of runs, ${GOAL_RUNS} by itself.`;

/** Measures what no-op runs leave behind. */
export function measure() {
    return withCheckout({ hasPackages: true }, async (checkout) => {
        const stack = `bench${randomBytes(4).toString("hex")}`;
        const options = { cwd: checkout, env: { ...outerEnvironment(), PULUMI_STACK: stack } };
        const state = join(checkout, ".pulumi-state");
        const pulumiw = join(checkout, "pulumiw");
        const up = () => must(pulumiw, ["up", "--yes", "--skip-preview"], options);
        const fleet = await Fleet.create(`${stack}-hosts`, join(checkout, ".state-keys"));
        try {
            const hosts = fleet.addresses(0, HOSTS);
            await fleet.start(hosts);
            const places = hosts.map((host) => ({ host }));
            const file = fleet.stackFile(places, await freePort());
            writeFileSync(join(checkout, `Pulumi.${stack}.yaml`), file);
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
                        name: `growth in ${RUNS} runs / 2 MB`,
                        value: grown / 2,
                        aim: RUNS >= GOAL_RUNS ? "<= 1" : undefined,
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
            await fleet.dispose();
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
