// @ts-check
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { outerEnvironment, withCheckout } from "./checkout.mjs";
import { interleave, medians, say, seconds } from "./measure.mjs";
import { must, run } from "./run.mjs";
import { PROJECT } from "./workspace.mjs";

const ROUNDS = 15;

export const title = "Set-up by ./pulumiw, and its check when all is there";
export const about = `
The check: \`./pulumiw version\` against the same \`pulumi version\` without it, and \`./pulumiw --exec true\`, which also asks
Docker as every \`up\` does; ${ROUNDS} rounds after a warm-up. The rest is one run each of \`./pulumiw --setup\` in a copy of
this project without \`node_modules\`, by the step lines that it prints, whole seconds each: "second clone" finds the
tools' cache filled, "new tools' cache" finds it empty, while Go's and npm's own caches are warm. Docker and the registry's
image are there in both. What the cold caches of a new machine cost is measured apart: setup-cold.`;

/** Measures the warm check, and set-ups of a new clone with warm caches. */
export async function measure() {
    const pulumiw = join(PROJECT, "pulumiw");
    const options = { env: { ...outerEnvironment(), PULUMIW_QUIET: "1" } };
    const samples = await interleave(
        [
            [
                ["pulumi version", () => seconds(() => must("pulumi", ["version"]))],
                ["pulumiw version", () => seconds(() => must(pulumiw, ["version"], options))],
            ],
            [
                ["true", () => seconds(() => must("true", []))],
                [
                    "pulumiw --exec true",
                    () => seconds(() => must(pulumiw, ["--exec", "true"], options)),
                ],
            ],
        ],
        { rounds: ROUNDS },
    );
    const of = medians(samples);

    say("second clone");
    Object.assign(samples, await setUp("second clone", {}));
    say("new tools' cache");
    const goCache = (await run("go", ["env", "GOCACHE"])).stdout.trim();
    const warm = goCache === "" ? {} : { GOCACHE: goCache };
    Object.assign(samples, await setUp("new tools' cache", { XDG_CACHE_HOME: "cache", ...warm }));
    return {
        unit: "s",
        samples,
        ratios: [
            {
                name: "pulumiw version - pulumi version, s",
                value: of("pulumiw version") - of("pulumi version"),
                aim: "<= 0.3",
            },
            {
                name: "pulumiw --exec true - true, s",
                value: of("pulumiw --exec true") - of("true"),
                aim: "<= 0.3",
            },
        ],
        facts: [],
    };
}

/**
 * One set-up in a new clone. Settings whose value is the name of a folder get one beside the clone.
 *
 * @param {string} label
 * @param {NodeJS.ProcessEnv} settings
 * @param {(checkout: string) => Promise<unknown>} prepare
 * @returns {Promise<Record<string, number[]>>}
 */
export function setUp(label, settings, prepare = () => Promise.resolve()) {
    return withCheckout({ hasPackages: false }, async (checkout) => {
        const env = { ...outerEnvironment() };
        for (const [name, value = ""] of Object.entries(settings)) {
            const isOwn = /^[a-z-]+$/.test(value);
            env[name] = isOwn ? join(checkout, "..", value) : value;
            if (isOwn) mkdirSync(env[name], { recursive: true });
        }
        await prepare(checkout);
        let printed = "";
        const took = await seconds(async () => {
            const pulumiw = join(checkout, "pulumiw");
            const { code, stderr } = await run(pulumiw, ["--setup"], { cwd: checkout, env });
            if (code !== 0) throw new Error(`./pulumiw --setup: exit ${code}\n${stderr}`);
            printed = stderr;
        });
        const steps = [
            ...printed.matchAll(/^ {2}(\S.*): (failed after )?(?:(\d+) min )?(\d+) s$/gm),
        ].map(([, step, failed, minutes = "0", rest]) => [
            `${label}: ${step}${failed === undefined ? "" : " (failed)"}`,
            [Number(minutes) * 60 + Number(rest)],
        ]);
        return { [`${label}: whole`]: [took], ...Object.fromEntries(steps) };
    });
}
