// Tests of the benchmarks' own parts, which are ES modules; tests/unit/benchmarks.test.ts runs them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { interleave } from "../../benchmarks/measure.mjs";
import { renderReadme } from "../../benchmarks/readme.mjs";
import { split } from "../../benchmarks/transfers.mjs";

const RESULTS = join(import.meta.dirname, "../../benchmarks/results");

test("each of those that are compared goes first in its turn", async () => {
    const order = [];
    const subject = (name) => [name, async () => order.push(name)];
    const samples = await interleave(
        [subject("one"), ["a", "b", "c"].map(subject), subject("last")],
        { rounds: 3 },
    );
    const rounds = ["one a b c last", "one b c a last", "one c a b last", "one a b c last"];
    assert.equal(order.join(" "), rounds.join(" "));
    assert.deepEqual(samples.b, [7, 14, 18]);
});

test("so many clients as there are said to be have something to do", () => {
    const layers = (count) => Array.from({ length: count }, (_, digest) => ({ digest }));
    for (const count of [1, 3, 8, 64]) {
        const shares = split(layers(count), 8);
        assert.equal(shares.length, 8);
        assert.ok(shares.every((share) => share.length > 0));
        assert.equal(new Set(shares.flat().map(({ digest }) => digest)).size, count);
    }
    assert.deepEqual(split(layers(4), 2).flat().length, 4);
});

test("what was measured on a busy machine says so", () => {
    for (const file of readdirSync(RESULTS).filter((name) => name.endsWith(".json"))) {
        const load = JSON.parse(readFileSync(join(RESULTS, file), "utf8")).machine.loadBefore;
        const page = renderReadme({ [file.replace(/\.json$/, "")]: { title: "T", about: "" } });
        assert.equal(page.includes(`**Busy machine, load ${load} before`), Number(load) > 1, file);
    }
});
