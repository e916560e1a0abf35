import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SCRIPTS = join(__dirname, "../../scripts/documents");

let project = "";
beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "private-registry-documents-"));
    cpSync(SCRIPTS, join(project, "scripts/documents"), { recursive: true });
    spawnSync("git", ["init", "--quiet"], { cwd: project });
});
afterEach(() => {
    rmSync(project, { recursive: true, force: true });
});

/** A document of these lines, in which ~~~ is the mark of a console block. */
function write(...lines: string[]): void {
    let isOpen = false;
    const text = lines.map((line) => {
        if (line !== "~~~") return line;
        isOpen = !isOpen;
        return isOpen ? "```console" : "```";
    });
    writeFileSync(join(project, "README.md"), `${text.join("\n")}\n`);
}

function runDocs(...args: string[]): { code: number | null; printed: string } {
    const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(project, "scripts/documents/run.mjs"), ...args],
        { encoding: "utf8" },
    );
    return { code: status, printed: stdout + stderr };
}

test("the commands of a document are one session, in a clone and a home of its own", () => {
    write(
        "~~~",
        "$ name=world",
        "$ greet() { echo hello $1; }",
        "$ mkdir deep && cd deep",
        "~~~",
        "Text.",
        "~~~",
        "$ greet $name",
        "hello world",
        "$ basename $PWD",
        "deep",
        "$ LC_ALL=C ls ..",
        "README.md",
        "deep",
        "scripts",
        "$ for n in 1 2; do",
        ">   echo $n",
        "> done",
        "1",
        "2",
        '$ ls -A "$HOME" | grep -v -e npmrc -e config',
        ".cache",
        "# id -u",
        "0",
        "~~~",
    );
    const { code, printed } = runDocs();
    expect(printed).toContain("README.md:2  name=world");
    expect(printed).toContain("docs: 9 commands of 1 documents, all as shown");
    expect(code).toBe(0);
    expect(existsSync(join(project, "deep"))).toBe(false);
});

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER_DIGEST = `sha256:${"b".repeat(64)}`;

/** A document in which each of these is printed, and shown. */
function writeShown(cases: readonly (readonly [string, string, string])[]): void {
    cases.forEach(([name, , printed]) => {
        writeFileSync(join(project, `${name}.txt`), printed);
    });
    write(
        "~~~",
        ...cases.flatMap(([name, shown]) => [`$ cat '${name}.txt'`, ...shown.split("\n")]),
        "~~~",
    );
}

/** The commands that were not as shown. */
function differing(printed: string): string[] {
    return [...printed.matchAll(/^ {2}FAILED \S+ {2}cat '(.*)\.txt' /gm)].map(
        ([, name = ""]) => name,
    );
}

test("what is as shown", () => {
    writeShown([
        ["gaps", "...\nb\n...\nd", "a\nb\nc\nd"],
        ["gaps that are empty", "...\na\n...", "a"],
        ["any text in a line", "it took … in all", "it took ages in all"],
        ["spaces and blank lines", "a b\n\nc", "  a    b\nc\n"],
        ["a digest", `1: digest: ${DIGEST} size: 523`, `1: digest: ${OTHER_DIGEST} size: 528`],
        ["a day", "until 2027-06-13)", "until 2031-01-01)"],
        ["a duration", "created (0.30s) in 4 min 16 s", "created (1m12s) in 3 s"],
        ["an address of a network", "build1 172.20.0.2", "build1 192.168.112.3"],
        ["the banner of npm", "done", "\n> p@1.0.0 up\n> sh scripts/up\n\ndone"],
        ["marks of regular expressions", "a.b (c) [d] $e", "a.b (c) [d] $e"],
    ]);
    const { code, printed } = runDocs();
    expect(differing(printed)).toEqual([]);
    expect(code).toBe(0);
});

test("what is not as shown", () => {
    const cases = [
        ["another line", "a", "b"],
        ["a line more", "a", "a\nb"],
        ["a line less", "a\nb", "a"],
        ["another order", "b\n...\na", "a\nb"],
        ["something else than a digest", `at ${DIGEST}`, "at latest"],
        ["another name beside a day", "build1 2027-06-13", "build2 2027-06-13"],
        ["a dot that would be any character", "a.b", "axb"],
    ] as const;
    writeShown(cases);
    const { code, printed } = runDocs();
    expect(differing(printed)).toEqual(cases.map(([name]) => name));
    expect(code).toBe(1);
});

test("a failure names file, line and command, what was shown and what came", () => {
    write(
        `<!-- after: echo first >>${project}/afterwards -->`,
        "<!-- after:",
        `  echo last >>${project}/afterwards`,
        "-->",
        "~~~",
        "$ printf 'one\\ntwo\\n'",
        "one",
        "three",
        "$ false",
        "$ touch never",
        "~~~",
    );
    const { code, printed } = runDocs();
    expect(code).toBe(1);
    expect(printed).toContain("README.md:6: not as shown: three\n");
    expect(printed).toContain("  command:\n    printf 'one\\ntwo\\n'\n");
    expect(printed).toContain("  expected:\n    one\n    three\n");
    expect(printed).toContain("  got:\n    one\n    two\n");
    // Only a command that fails is the end of the document; what is to be done afterwards is done.
    expect(printed).toContain("README.md:9: it ended with 1\n");
    expect(printed).toContain("failed: README.md");
    expect(printed).not.toContain("never");
    expect(readFileSync(join(project, "afterwards"), "utf8")).toBe("last\nfirst\n");
});

test("a command has to end as it is said to", () => {
    write("<!-- exit 3 (sh -c) -->", "~~~", "$ true", "$ sh -c 'exit 3'", "~~~");
    expect(runDocs()).toMatchObject({ code: 0 });
    write("~~~", "$ sh -c 'exit 3'", "~~~");
    expect(runDocs().printed).toContain("it ended with 3");
    write("<!-- exit 3 (true) -->", "~~~", "$ true", "~~~");
    expect(runDocs().printed).toContain("it ended with 0, not with 3");
});

test("what is typed comes on standard input, and from what was there before", () => {
    write(
        "<!-- before: secret=open-sesame -->",
        "<!-- stdin (read): echo $secret -->",
        "~~~",
        "$ read answer; echo it is $answer",
        "it is open-sesame",
        "~~~",
    );
    expect(runDocs()).toMatchObject({ code: 0 });
});

test("a block that is not run is listed with its reason", () => {
    write("<!-- not run: it would take", "  too long -->", "~~~", "$ touch never && false", "~~~");
    const { code, printed } = runDocs();
    expect(code).toBe(0);
    expect(printed).toContain("not run:\n  README.md:4  it would take too long\n");
});

test.each([
    ["a slip of the pen", ["<!-- befor: true -->"], "1: not a directive: befor: true"],
    ["no reason", ["<!-- not run -->", "~~~", "$ true", "~~~"], "1: 'not run' lacks its text"],
    ["no block", ["<!-- not run: so it is -->"], "1: 'not run' has no block behind it"],
    [
        "no such command",
        ["<!-- exit 1 (false) -->", "~~~", "$ true", "~~~"],
        "1: no command in the next block begins with 'false'",
    ],
    ["no prompt", ["~~~", "true", "~~~"], "2: output before any command: true"],
])("refused before anything is run: %s", (_, lines, problem) => {
    write(...lines);
    expect(runDocs()).toEqual({ code: 2, printed: `README.md:${problem}\n` });
});

test("stopped half-way, it ends what runs and cleans up", async () => {
    write(
        `<!-- after: touch ${project}/afterwards -->`,
        "~~~",
        // Moved there whole, so that it is never read before it is written.
        `$ echo $$ >${project}/written; mv ${project}/written ${project}/shell; sleep 1000`,
        "~~~",
    );
    const child: ChildProcess = spawn(process.execPath, [
        join(project, "scripts/documents/run.mjs"),
    ]);
    while (!existsSync(join(project, "shell"))) await sleep(20);
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(1);
    expect(existsSync(join(project, "afterwards"))).toBe(true);
    const shell = Number(readFileSync(join(project, "shell"), "utf8"));
    expect(() => process.kill(shell, 0)).toThrow();
});
