import { differences, readReport } from "../../benchmarks/conformance/report";

type Case = readonly [name: string, status: string, reason?: string];

/** A report as the suite writes it. */
function report(...cases: Case[]) {
    const tests = cases.map(
        ([name, status, reason]) =>
            `    <testcase name="OCI/${name}" classname="" time="0.1" status="${status}">\n` +
            (reason === undefined ? "" : `      <system-out>${reason}</system-out>\n`) +
            "      <system-err>&lt;testcase name=&#34;OCI/other&#34; status=&#34;failure&#34;&gt;</system-err>\n" +
            "    </testcase>",
    );
    return readReport(
        `<testsuites time="1.5" tests="850" failures="94" skipped="16" disabled="2">\n` +
            `  <testsuite name="OCI" tests="850" failures="93" errors="1" disabled="2" skipped="16" time="1.5">\n${tests.join("\n")}\n  </testsuite>\n</testsuites>`,
    );
}

const digest = (character: string) => `sha256:${character.repeat(64)}`;

test("a report is read with the suite's own counts", () => {
    const read = report(
        ["a", "passed"],
        ["b &amp; c", "failure", "is &#34;x&#34;&#xA;and &lt;y&gt;"],
    );
    expect(read).toEqual({
        counts: { passed: 738, failed: 94, skipped: 16, disabled: 2 },
        seconds: 1.5,
        tests: [
            { name: "OCI/a", status: "passed", reason: "" },
            { name: "OCI/b & c", status: "failure", reason: 'is "x"\nand <y>' },
        ],
    });
    expect(() => readReport("<testsuites></testsuites>")).toThrow("no tests");
});

test("what differs in every run is no difference, nor is the order of tests of the same name", () => {
    const reason = (character: string, repository: string, size: number) =>
        `expected ${digest(character)} of conformance/${repository}/repo1, "size":${size}, ` +
        `"Content-Length", expected "${size}", received ["${size + 1}"]`;
    const bare = report(
        ["a", "passed"],
        ["a", "failure", reason("1", "0f0f0f0f", 17)],
        ["b", "skipped"],
    );
    const other = report(
        ["b", "skipped"],
        ["a", "failure", reason("2", "a1a1a1a1", 177)],
        ["a", "passed"],
    );
    expect(differences(bare, other)).toEqual([]);
});

test.each<[string, Case, Case, boolean]>([
    ["that fails", ["a", "passed"], ["a", "failure", "404"], false],
    ["that is skipped", ["a", "passed"], ["a", "skipped"], false],
    ["that fails for another reason", ["a", "failure", "500"], ["a", "failure", "403"], false],
    ["that passes for the first time", ["a", "failure", "500"], ["a", "passed"], true],
])("a test %s is a difference", (_, there, here, isBetter) => {
    const rest: Case[] = [
        ["a", "passed"],
        ["b", "passed"],
    ];
    const words = ([, status, reason]: Case) => (reason ? `${status}: ${reason}` : status);
    expect(differences(report(there, ...rest), report(...rest, here))).toEqual([
        { name: "OCI/a", isBetter, bare: words(there), other: words(here) },
    ]);
});

test("a test that only one of them has is a difference, and not a better one", () => {
    const [short, long] = [report(["a", "passed"]), report(["a", "passed"], ["a", "passed"])];
    expect(differences(long, short)).toEqual([{ name: "OCI/a", isBetter: false, bare: "passed" }]);
    expect(differences(short, long)).toEqual([{ name: "OCI/a", isBetter: false, other: "passed" }]);
});
