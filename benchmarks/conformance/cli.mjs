// @ts-check
// npm run conformance: the suite against a bare registry and against ours, compared test by test.
import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { table } from "../../scripts/shared/table.mjs";
import { say } from "../measure.mjs";
import { withWorkspace } from "../workspace.mjs";
import report from "./report.js";
import { GATEWAY, OURS, withBare, withOurs } from "./subjects.mjs";
import { buildSuite, runSuite, suiteVersion } from "./suite.mjs";

/** @typedef {{ name: string, found: import("./report.js").Report }} Finished */

try {
    const options = readOptions();
    const [bare, ...others] = await withWorkspace(({ folder }) => runAll(folder, options));
    if (bare === undefined) throw new Error("the suite did not run");
    show(bare, others);
} catch (error) {
    const { message } = /** @type {Error} */ (error);
    say(`conformance: ${message}`);
    process.exitCode = message.startsWith("ended by") ? 130 : 2;
}

function readOptions() {
    const { values } = parseArgs({
        options: {
            gateway: { type: "boolean", default: false },
            set: { type: "string", multiple: true, default: [] },
            reports: { type: "string" },
        },
    });
    const settings = values.set.map((text) => {
        const [key = "", ...rest] = text.split("=");
        if (rest.length === 0) throw new Error(`--set wants KEY=VALUE; given: ${text}`);
        return [key, parse(rest.join("="))];
    });
    return { ...values, settings: Object.fromEntries(settings) };
}

/**
 * @param {string} folder for reports
 * @param {ReturnType<typeof readOptions>} options
 * @returns {Promise<Finished[]>}
 */
async function runAll(folder, { gateway, reports, settings }) {
    say(`suite: ${suiteVersion()}`);
    const suite = await buildSuite();
    const use = async (/** @type {import("./suite.mjs").Subject} */ subject) => {
        const own = join(folder, subject.name);
        say(`${subject.name}: the suite runs`);
        const found = await runSuite(suite, subject, own);
        if (reports !== undefined) {
            const kept = resolve(process.env.INIT_CWD ?? ".", reports, subject.name);
            cpSync(own, kept, { recursive: true });
        }
        return { name: subject.name, found };
    };
    const finished = [await withBare(settings.image, use)];
    say(`${OURS}: up`);
    finished.push(await withOurs({ settings }, use));
    if (gateway) {
        say(`${GATEWAY}: up`);
        finished.push(await withOurs({ hasGateway: true, settings }, use));
    }
    return finished;
}

/**
 * @param {Finished} bare
 * @param {Finished[]} others
 */
function show(bare, others) {
    const rows = [bare, ...others].map(({ name, found: { counts, seconds } }) => [
        name,
        ...[counts.passed, counts.failed, counts.skipped, counts.disabled].map(String),
        seconds.toFixed(1),
    ]);
    const head = ["", "PASSED", "FAILED", "SKIPPED", "DISABLED", "SECONDS"];
    const lines = table([head, ...rows]);
    for (const { name, found } of others) {
        const list = report.differences(bare.found, found);
        const better = list.filter(({ isBetter }) => isBetter);
        const worse = list.filter(({ isBetter }) => !isBetter);
        lines.push(
            "",
            `${name}: ${found.tests.length} tests compared with the ${bare.name}'s; ` +
                `${worse.length} worse, ${better.length} better`,
        );
        for (const difference of list) {
            lines.push(
                `  ${difference.isBetter ? "better" : "worse"}: ${difference.name}`,
                `    ${bare.name}: ${difference.bare ?? "no such test"}`,
                `    ${name}: ${difference.other ?? "no such test"}`,
            );
        }
        if (worse.length > 0) process.exitCode = 1;
    }
    process.stdout.write(`${lines.join("\n")}\n`);
}
