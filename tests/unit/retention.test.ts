import * as fc from "fast-check";
import type { RetentionRule as Rule } from "../../lib/retention";
import { goingManifests, judge, type Tag } from "../../lib/retention-verdicts";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const DAY = 86_400_000;
const tag = (name: string, days: number | undefined, digest = `sha256:${name}`): Tag => ({
    name,
    digest,
    created: days === undefined ? undefined : NOW - days * DAY,
});
const TAGS = [tag("v1", 90), tag("latest", 1), tag("ci-3", 3), tag("ci-40", 40), tag("ci-50", 50)];

function deleted(rules: readonly Rule[], tags: readonly Tag[] = TAGS, repository = "team/app") {
    return judge(repository, tags, rules, NOW)
        .filter(({ isKept }) => !isKept)
        .map((verdict) => verdict.tag.name);
}

test.each<[string, Rule[], string[]]>([
    ["no rule", [], []],
    ["a rule for others", [{ repositories: "other/*", keepLast: 1 }], []],
    ["a name is not a pattern", [{ repositories: "team/ap.", keepLast: 1 }], []],
    ["age", [{ repositories: "team/*", olderThanDays: 30 }], ["v1", "ci-40", "ci-50"]],
    ["exactly that age stays", [{ repositories: "*", olderThanDays: 50 }], ["v1"]],
    ["number", [{ repositories: "team/app", keepLast: 3 }], ["v1", "ci-50"]],
    [
        "names",
        [{ repositories: "*", keepLast: 1, keepTags: ["v*", "ci-4?"] }],
        ["ci-3", "ci-40", "ci-50"],
    ],
    [
        "every condition keeps",
        [{ repositories: "t*p", keepLast: 1, keepTags: ["v*"], olderThanDays: 45 }],
        ["ci-50"],
    ],
    [
        "only the first rule that fits",
        [
            { repositories: "team/*", keepTags: ["*"] },
            { repositories: "*", olderThanDays: 1 },
        ],
        [],
    ],
])("%s", (_, rules, expected) => {
    expect(deleted(rules)).toEqual(expected);
});

test("an image whose age is not known stays, and takes no other one's place", () => {
    const rules = [{ repositories: "*", keepLast: 1 }];
    const dateless = [tag("none", undefined), { ...tag("epoch", 0), created: 0 }, tag("nan", NaN)];
    expect(deleted(rules, [...dateless, tag("a", 1), tag("b", 2)])).toEqual(["b"]);
});

test("of one age the higher number is the newer", () => {
    const tags = [tag("build-9", 5), tag("build-10", 5)];
    expect(deleted([{ repositories: "*", keepLast: 1 }], tags)).toEqual(["build-9"]);
});

test("what is attached to an image goes with its last tag, and counts for nothing", () => {
    const [old, kept, child] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [
        string,
        string,
        string,
    ];
    const tags = [
        tag("old", 90, `sha256:${old}`),
        tag("kept", 2, `sha256:${kept}`),
        tag("also-old", 80, `sha256:${kept}`),
        tag(`sha256-${old}.sig`, 1),
        tag(`sha256-${kept}.sig`, 90),
        tag(`sha256-${child}`, 90),
    ];
    expect(deleted([{ repositories: "*", keepLast: 1 }], tags)).toEqual([
        "old",
        "also-old",
        `sha256-${old}.sig`,
    ]);
});

const name = fc.stringMatching(/^[a-z]{1,2}[0-9]{0,2}$/);
const someTags = fc.uniqueArray(
    fc.record({
        name,
        digest: fc.constantFrom("sha256:1", "sha256:2", "sha256:3"),
        created: fc.option(
            fc.integer({ min: 0, max: 100 }).map((days) => NOW - days * DAY),
            {
                nil: undefined,
            },
        ),
    }),
    { selector: (one) => one.name },
);
const someRule = fc.record(
    {
        repositories: fc.constant("*"),
        keepLast: fc.integer({ min: 1, max: 8 }),
        keepTags: fc.array(
            name.map((text) => `${text.slice(0, 1)}*`),
            { minLength: 1, maxLength: 3 },
        ),
        olderThanDays: fc.integer({ min: 1, max: 100 }),
    },
    { requiredKeys: ["repositories"] },
);

test("no tag is deleted that a condition keeps, and none is kept without one", () => {
    fc.assert(
        fc.property(someTags, someRule, (tags, rule) => {
            const gone = new Set(deleted([rule], tags));
            for (const { name, created } of tags) {
                const isNamed = (rule.keepTags ?? []).some((pattern) =>
                    name.startsWith(pattern.slice(0, -1)),
                );
                const newer = tags.filter((other) => (other.created ?? 0) > (created ?? 0)).length;
                const same = tags.filter((other) => other.created === created).length;
                const isYoung =
                    rule.olderThanDays !== undefined &&
                    NOW - (created ?? 0) <= rule.olderThanDays * DAY;
                const isNewest = newer + same <= (rule.keepLast ?? 0);
                if (isNamed || created === undefined || isYoung || isNewest) {
                    expect(gone).not.toContain(name);
                } else if (newer >= (rule.keepLast ?? 0)) {
                    expect(gone).toContain(name);
                }
            }
        }),
    );
});

test("keepLast alone keeps exactly the newest", () => {
    fc.assert(
        fc.property(someTags, fc.integer({ min: 1, max: 8 }), (tags, keepLast) => {
            const dated = tags.filter(({ created }) => created !== undefined);
            const gone = deleted([{ repositories: "*", keepLast }], tags);
            expect(gone).toHaveLength(Math.max(0, dated.length - keepLast));
            const youngestGone = Math.max(
                ...dated
                    .filter(({ name }) => gone.includes(name))
                    .map(({ created }) => created ?? 0),
            );
            for (const { name, created } of dated.filter(({ name }) => !gone.includes(name))) {
                expect([name, (created ?? 0) >= youngestGone]).toEqual([name, true]);
            }
        }),
    );
});

test("an index goes with its manifests, but for those that something else needs", () => {
    const manifests = new Map([
        ["index", ["amd", "arm", "blob"]],
        ["older", ["arm", "s390"]],
        ["amd", ["config"]],
        ["arm", []],
        ["s390", []],
        ["alone", []],
    ]);
    expect(goingManifests(manifests, ["index"], new Set())).toEqual(["index", "amd"]);
    expect(goingManifests(manifests, ["index", "older"], new Set(["amd"]))).toEqual([
        "index",
        "older",
        "arm",
        "s390",
    ]);
    expect(goingManifests(manifests, ["index", "gone before"], new Set(["index"]))).toEqual([]);
});

test("nothing that stays refers to a manifest that goes", () => {
    const digest = fc.integer({ min: 0, max: 9 }).map(String);
    const graph = fc.dictionary(digest, fc.array(digest, { maxLength: 3 }));
    fc.assert(
        fc.property(graph, fc.array(digest), fc.array(digest), (edges, untagged, tagged) => {
            const manifests = new Map(Object.entries(edges));
            const going = goingManifests(manifests, untagged, new Set(tagged));
            for (const [parent, children] of manifests) {
                if (going.includes(parent)) continue;
                expect(children.filter((child) => going.includes(child))).toEqual([]);
            }
            expect(going.filter((one) => tagged.includes(one) || !manifests.has(one))).toEqual([]);
        }),
    );
});
