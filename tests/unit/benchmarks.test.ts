import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeTests } from "../support/node-tests";

const PROJECT = join(__dirname, "../..");

nodeTests(join(PROJECT, "tests/support/benchmarks.mjs"), [
    "each of those that are compared goes first in its turn",
    "so many clients as there are said to be have something to do",
    "what was measured on a busy machine says so",
]);

/** What is said of scale and does not come from a measurement: assumptions, limits of other programs, examples of hosts. */
const ASSUMED = ["10", "1,000", "100,000", "131,072", "15", "200", "100", "8680", "3"];

test("the page on scale has no figure that a measurement would change, but for one that still holds", () => {
    const page = readFileSync(join(PROJECT, "docs/scale.md"), "utf8")
        .replace(/```[^]*?```/g, "")
        .replace(/\]\([^)]*\)/g, "]");
    const [, some = ""] = /some (\d+) hosts/.exec(page) ?? [];
    const figures = page.match(/\d[\d,.]*\d|\d/g) ?? [];
    expect(figures.filter((figure) => ![...ASSUMED, some].includes(figure))).toEqual([]);

    const { tables } = JSON.parse(
        readFileSync(join(PROJECT, "benchmarks/results/scale.json"), "utf8"),
    ) as { tables: { head: string[]; rows: string[][] }[] };
    const limits = tables.find(({ head }) => head[0] === "limit")?.rows ?? [];
    const [first] = limits;
    expect(first?.[0]).toContain("client hosts in the stack's file");
    expect(Math.round(Number(first?.[1]) / 10) * 10).toBe(Number(some));
    for (const document of ["docs/operations.md", "docs/troubleshooting.md"]) {
        const text = readFileSync(join(PROJECT, document), "utf8");
        expect(text).toContain(`some ${some} client hosts`);
    }
});
