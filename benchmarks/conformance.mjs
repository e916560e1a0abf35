// @ts-check
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import report from "./conformance/report.js";
import { BARE, GATEWAY, OURS, withBare, withOurs } from "./conformance/subjects.mjs";
import { buildSuite, runSuite, suiteVersion } from "./conformance/suite.mjs";
import { interleave, medians } from "./measure.mjs";
import { withWorkspace } from "./workspace.mjs";

const COUNTED = /** @type {const} */ (["passed", "failed", "skipped", "disabled"]);

export const title = "What is left of the registry's features, and the time that they take";
export const about = `
All of the conformance suite of the OCI distribution specification 1.1 (\`github.com/opencontainers/distribution-spec/conformance\`
${suiteVersion()}) against a bare registry of the same image without TLS and accounts, against our stack, and against ours
with a gateway and an account that may only do what the suite does. Every run of the suite is compared with the first one against the bare
registry, test by test, and counted over all runs: one that fails for another reason counts as worse. The counts of tests are the suite's own, steps and groups of tests
included; the seconds are the suite's as well. \`npm run conformance\` does one round of it.`;

/** Runs the suite in turns, and compares what it reports. */
export function measure() {
    return withWorkspace((workspace) =>
        withBare(undefined, (bare) =>
            withOurs({}, (ours) =>
                withOurs({ hasGateway: true }, (guarded) =>
                    compare(join(workspace.folder, "reports"), [bare, ours, guarded]),
                ),
            ),
        ),
    );
}

/**
 * @param {string} folder
 * @param {import("./conformance/suite.mjs").Subject[]} subjects
 */
async function compare(folder, subjects) {
    mkdirSync(folder);
    const suite = await buildSuite();
    /** @type {Map<string, import("./conformance/report.js").Report[]>} */
    const reports = new Map(subjects.map(({ name }) => [name, []]));
    const samples = await interleave([
        subjects.map((subject) => [
            subject.name,
            async () => {
                const found = await runSuite(suite, subject, join(folder, subject.name));
                reports.get(subject.name)?.push(found);
                return found.seconds;
            },
        ]),
    ]);
    const [standard] = reports.get(BARE) ?? [];
    if (standard === undefined) throw new Error("nothing to compare with");
    const of = medians(samples);
    const ratios = [OURS, GATEWAY].flatMap((name) => {
        const list = (reports.get(name) ?? []).flatMap((one) => report.differences(standard, one));
        const better = list.filter(({ isBetter }) => isBetter).length;
        return [
            { name: `${name}: tests that are worse`, value: list.length - better, aim: "= 0" },
            { name: `${name}: tests that are better`, value: better },
            { name: `${name}: time / bare registry's`, value: of(name) / of(BARE) },
        ];
    });
    const counts = [...reports].map(([name, [first]]) => {
        const figures = COUNTED.map((what) => `${first?.counts[what]} ${what}`);
        return `${name}: ${figures.join(", ")}`;
    });
    return {
        unit: "s",
        samples,
        ratios,
        facts: [`${counts.join("; ")}. ${standard.tests.length} tests are compared one by one.`],
    };
}
