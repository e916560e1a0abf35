import { createHash } from "node:crypto";
import {
    cpSync,
    existsSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { copyCheckout } from "../support/checkout";
import { must, type Result, run } from "../support/run";

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- Something that users asked for.

## [0.0.1] - 2026-01-01

- The first one.
`;
/** Leaves a word of having run, and where, beside the repositories. */
const CI = `#!/bin/sh
set -eu
git rev-parse HEAD >"$RUNS/$$"
test "$PWD" != "$CHECKOUT"
test -z "$(git status --porcelain)"
test "$CI" = true
if env | grep -e '^npm_' -e '^PATH=.*node_modules/.bin'; then exit 1; fi
`;

/** What this checkout has, as one commit on main of a repository of its own. */
class Checkout {
    private readonly base = mkdtempSync(join(tmpdir(), "private-registry-release-test-"));
    public readonly folder = join(this.base, "checkout");
    private readonly runs = join(this.base, "runs");
    public readonly version: string;
    public readonly next: string;

    public constructor(template: string) {
        cpSync(template, this.base, { recursive: true, verbatimSymlinks: true });
        const manifest = JSON.parse(this.read("package.json")) as { version: string };
        this.version = manifest.version;
        this.next = `${Number(this.version.split(".")[0]) + 1}.0.0`;
    }

    public read(...path: string[]): string {
        return readFileSync(join(this.folder, ...path), "utf8");
    }

    public write(path: string, text: string): void {
        writeFileSync(join(this.folder, path), text);
    }

    public async git(...args: string[]): Promise<string> {
        return (await must("git", ["-C", this.folder, ...args])).trim();
    }

    public async commit(path: string, text: string): Promise<void> {
        this.write(path, text);
        await this.git("commit", "--quiet", "--all", "--message", path);
    }

    public release(...args: string[]): Promise<Result> {
        const env = {
            ...process.env,
            // As npm run does it.
            PATH: [join(this.folder, "node_modules/.bin"), process.env.PATH].join(delimiter),
            npm_lifecycle_event: "release",
            RUNS: this.runs,
            CHECKOUT: this.folder,
        };
        return run("sh", ["scripts/release", ...args], { cwd: this.folder, env });
    }

    /** Commits that .ci/run was run for. */
    public tested(): string[] {
        return readdirSync(this.runs).map((name) =>
            readFileSync(join(this.runs, name), "utf8").trim(),
        );
    }

    /** All that a release may change. */
    public async state(): Promise<unknown> {
        return {
            head: await this.git("rev-parse", "HEAD"),
            branch: await this.git("branch", "--show-current"),
            tags: await this.git("tag", "--list"),
            status: await this.git("status", "--porcelain"),
            staged: await this.git("diff", "--cached"),
            files: ["package.json", "package-lock.json", "CHANGELOG.md", "README.md"].map((file) =>
                this.read(file),
            ),
            made: existsSync(join(this.folder, ".release"))
                ? readdirSync(join(this.folder, ".release")).filter((name) => name !== "proven")
                : [],
        };
    }

    public dispose(): void {
        rmSync(this.base, { recursive: true, force: true });
    }
}

let template: string;
let checkout: Checkout;

beforeAll(async () => {
    template = mkdtempSync(join(tmpdir(), "private-registry-release-template-"));
    const folder = join(template, "checkout");
    await must("mkdir", ["-p", folder, join(template, "runs")]);
    // Without what no package is made from.
    await copyCheckout(folder, ["benchmarks", "docs", "offline", "tests"]);
    writeFileSync(join(folder, "CHANGELOG.md"), CHANGELOG);
    writeFileSync(join(folder, ".ci/run"), CI);
    const git = (...args: string[]) => must("git", ["-C", folder, ...args]);
    await git("init", "--quiet", "--initial-branch", "main");
    writeFileSync(join(folder, ".git/info/exclude"), "/node_modules\n");
    await git("config", "user.name", "Somebody");
    await git("config", "user.email", "somebody@example.test");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "All of it");
});
afterAll(() => rmSync(template, { recursive: true, force: true }));
beforeEach(() => (checkout = new Checkout(template)));
afterEach(() => checkout.dispose());

test("makes commit, tag, package and checksums of a tested commit, and pushes nothing", async () => {
    const before = await checkout.git("rev-parse", "HEAD");
    const remote = join(checkout.folder, "../remote");
    await checkout.git("clone", "--quiet", "--bare", ".", remote);
    await checkout.git("remote", "add", "origin", remote);
    const { next } = checkout;

    const day = () => new Date().toISOString().slice(0, 10);
    const days = [day()];
    const { code, stdout, stderr } = await checkout.release(next);
    days.push(day());
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`git push --atomic origin main v${next}`);
    expect(checkout.tested()).toEqual([before]);
    expect(await checkout.git("rev-parse", "HEAD~1")).toBe(before);
    expect(await must("git", ["-C", remote, "rev-parse", "main"])).toBe(`${before}\n`);
    expect(await must("git", ["-C", remote, "tag"])).toBe("");

    expect(await checkout.git("status", "--porcelain")).toBe("");
    expect(await checkout.git("log", "-1", "--format=%s")).toBe(`Release ${next}`);
    const changed = await checkout.git("diff", "--name-only", before);
    const examples = readdirSync(join(checkout.folder, "examples")).map(
        (name) => `examples/${name}/package.json`,
    );
    expect(changed.split("\n").sort()).toEqual(
        ["CHANGELOG.md", "README.md", ...examples, "package-lock.json", "package.json"].sort(),
    );
    for (const file of ["README.md", ...examples]) {
        const text = checkout.read(file);
        expect([file, text.includes(`private-registry-${next}.tgz`)]).toEqual([file, true]);
        expect(text).not.toContain(`private-registry-${checkout.version}.tgz`);
    }
    const manifest = JSON.parse(checkout.read("package.json")) as { version: string };
    const lock = JSON.parse(checkout.read("package-lock.json")) as {
        version: string;
        packages: Record<string, { version: string }>;
    };
    expect([manifest.version, lock.version, lock.packages[""]?.version]).toEqual([
        next,
        next,
        next,
    ]);
    const releasedOn = (today: string) =>
        CHANGELOG.replace("## [Unreleased]\n", `## [Unreleased]\n\n## [${next}] - ${today}\n`);
    expect(days.map(releasedOn)).toContain(checkout.read("CHANGELOG.md"));

    expect(await checkout.git("cat-file", "-t", `v${next}`)).toBe("tag");
    expect(await checkout.git("tag", "--list", "--format=%(contents)", `v${next}`)).toBe(
        `private-registry ${next}\n\n### Added\n\n- Something that users asked for.`,
    );
    const folder = join(checkout.folder, ".release", next);
    const [sums = "", archive = "", ...more] = readdirSync(folder).sort();
    expect([sums, archive, more]).toEqual([
        "SHA256SUMS",
        expect.stringMatching(new RegExp(`^.*private-registry-${next}\\.tgz$`)),
        [],
    ]);
    const digest = createHash("sha256")
        .update(readFileSync(join(folder, archive)))
        .digest("hex");
    expect(readFileSync(join(folder, sums), "utf8")).toBe(`${digest}  ${archive}\n`);
    expect(await must("tar", ["-xzOf", join(folder, archive), "package/package.json"])).toContain(
        `"version": "${next}"`,
    );
});

test("--dry-run shows what would be done, and changes nothing", async () => {
    const before = await checkout.state();
    const { code, stdout } = await checkout.release(checkout.next, "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toContain(`the annotated tag v${checkout.next}`);
    expect(stdout).toContain("Something that users asked for.");
    expect(await checkout.state()).toEqual(before);
    expect(checkout.tested()).toEqual([]);
});

const REFUSED: Readonly<Record<string, { prepare: () => unknown; says: RegExp }>> = {
    "another branch": {
        prepare: () => checkout.git("switch", "--quiet", "--create", "side"),
        says: /this is side, not main\n {4}do: git switch main/,
    },
    "no branch": {
        prepare: () => checkout.git("switch", "--quiet", "--detach"),
        says: /this is no branch at all, not main/,
    },
    "a changed file": {
        prepare: () => checkout.write("index.ts", ""),
        says: /the working tree has changes: M index\.ts/,
    },
    "a new file": {
        prepare: () => checkout.write("new.ts", ""),
        says: /the working tree has changes: \?\? new\.ts/,
    },
    "a tag that is there": {
        prepare: () => checkout.git("tag", `v${checkout.next}`),
        says: /the tag v\S+ is there already/,
    },
    "a changelog without Unreleased": {
        prepare: () => checkout.commit("CHANGELOG.md", "# Changelog\n"),
        says: /CHANGELOG\.md has no section ## \[Unreleased\]/,
    },
    "nothing under Unreleased": {
        prepare: () =>
            checkout.commit("CHANGELOG.md", CHANGELOG.replace("- Something that users", "### x")),
        says: /CHANGELOG\.md says nothing under Unreleased/,
    },
    "a section of that version": {
        prepare: () =>
            checkout.commit("CHANGELOG.md", `${CHANGELOG}\n## [${checkout.next}] - 2026-01-02\n`),
        says: /CHANGELOG\.md has a section of \S+ already/,
    },
};

test.each(Object.keys(REFUSED))("refuses %s, and changes nothing", async (name) => {
    const refused = REFUSED[name];
    await refused?.prepare();
    const before = await checkout.state();
    for (const options of [[], ["--dry-run"]]) {
        const { code, stderr } = await checkout.release(checkout.next, ...options);
        expect([code, stderr]).toEqual([1, expect.stringMatching(refused?.says ?? "")]);
    }
    expect(await checkout.state()).toEqual(before);
    expect(checkout.tested()).toEqual([]);
});

test("refuses what is no greater version in three numbers", async () => {
    const before = await checkout.state();
    for (const [version, says] of [
        ["1.0", '"1.0" is no version X.Y.Z'],
        [`${checkout.next}-rc.1`, "is no version X.Y.Z"],
        ["9.01.0", '"9.01.0" is no version X.Y.Z'],
        [checkout.version, "is not greater than"],
        ["0.0.9", "0.0.9 is not greater than"],
    ] as const) {
        const { code, stderr } = await checkout.release(version);
        expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
    }
    expect(await checkout.state()).toEqual(before);
});

test("says everything that stands in the way at once", async () => {
    checkout.write("CHANGELOG.md", "# Changelog\n");
    await checkout.git("switch", "--quiet", "--create", "side");
    const { stderr } = await checkout.release("0.0.0");
    for (const says of ["not greater", "has changes", "this is side", "no section"])
        expect(stderr).toContain(says);
});

test.each([[[]], [["1.0.0", "2.0.0"]], [["1.0.0", "--force"]]])(
    "takes one version and --dry-run, not %j",
    async (args) => {
        const { code, stderr } = await checkout.release(...args);
        expect([code, stderr]).toEqual([2, expect.stringContaining("--help")]);
    },
);

test("a commit that fails .ci/run is not released, and one that has passed it is not tested again", async () => {
    await checkout.commit(".ci/run", `${CI}test -f "$RUNS/../mended"\n`);
    const before = await checkout.state();
    const failed = await checkout.release(checkout.next);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(".ci/run failed")]);
    expect(await checkout.state()).toEqual(before);

    writeFileSync(join(checkout.folder, "../mended"), "");
    // What comes after the tests fails.
    await checkout.git("config", "commit.gpgSign", "true");
    await checkout.git("config", "gpg.program", "false");
    const unsigned = await checkout.release(checkout.next);
    expect([unsigned.code, unsigned.stderr]).toEqual([
        1,
        expect.stringMatching(/git commit failed[^]*Everything is as it was before/),
    ]);
    expect(await checkout.state()).toEqual(before);
    expect(checkout.tested()).toHaveLength(2);

    await checkout.git("config", "commit.gpgSign", "false");
    expect((await checkout.release(checkout.next)).code).toBe(0);
    expect(checkout.tested()).toHaveLength(2);

    await checkout.commit("CHANGELOG.md", CHANGELOG);
    expect((await checkout.release(checkout.next.replace(".0.0", ".1.0"))).code).toBe(0);
    expect(checkout.tested()).toHaveLength(3);
});

test("ended while it tests, it ends what it has started and leaves nothing", async () => {
    await checkout.commit(".ci/run", `${CI}echo "$$ $PWD" >"$RUNS/../running"\nsleep 600\n`);
    const before = await checkout.state();
    const running = join(checkout.folder, "../running");
    const release = checkout.release(checkout.next);
    while (!existsSync(running) || readFileSync(running, "utf8") === "") await sleep(50);
    const [group = "", folder = ""] = readFileSync(running, "utf8").trim().split(" ");
    const parent = await must("ps", ["-o", "ppid=", "-p", group]);
    process.kill(Number(parent), "SIGTERM");
    const { code, stderr } = await release;
    expect([code, stderr]).toEqual([1, expect.stringContaining(".ci/run failed")]);
    const left = await must("ps", ["-A", "-o", "pgid=,stat=,args="]);
    expect(left).not.toMatch(new RegExp(`^ *${group} +[^Z]`, "m"));
    expect(existsSync(folder)).toBe(false);
    expect(await checkout.state()).toEqual(before);
});

test("a package that cannot be made leaves neither commit nor tag", async () => {
    const manifest = JSON.parse(checkout.read("package.json")) as { scripts: object };
    const prepack = { ...manifest.scripts, prepack: "echo broken >&2; exit 1" };
    await checkout.commit("package.json", JSON.stringify({ ...manifest, scripts: prepack }));
    const before = await checkout.state();
    const { code, stderr } = await checkout.release(checkout.next);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/npm pack failed:[^]*broken/)]);
    expect(await checkout.state()).toEqual(before);
});

test("a tag that cannot be made leaves no commit either", async () => {
    await checkout.git("config", "tag.gpgSign", "true");
    await checkout.git("config", "gpg.program", "false");
    const before = await checkout.state();
    const { code, stderr } = await checkout.release(checkout.next);
    expect([code, stderr]).toEqual([1, expect.stringContaining("git tag failed")]);
    expect(await checkout.state()).toEqual(before);
});
