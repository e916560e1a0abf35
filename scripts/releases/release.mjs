// @ts-check
// npm run release: makes a release of what is committed on main, and pushes nothing.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { released, unreleased } from "./changelog.mjs";
import { BRANCH, problemsOf } from "./refusals.mjs";
import { git, read, ReleaseError, ROOT, run, tryGit } from "./tree.mjs";

/** The files that a release changes, besides those that name the package's archive. */
const FILES = ["package.json", "package-lock.json", "CHANGELOG.md"];
/** Ignored by git: what was made for each release, and the last commit that has passed .ci/run. */
const FOLDER = join(ROOT, ".release");
const PROVEN = join(FOLDER, "proven");

/** The tests while they run, as the process group that they are. @type {number | undefined} */
let tests;
// A signal ends what runs at the moment, and what fails is taken back: this program stays for that.
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => tests !== undefined && process.kill(-tests, signal));
}

try {
    await main();
} catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    process.stderr.write(`release: ${error.message}\n`);
    process.exitCode = 1;
}

async function main() {
    const { version, isDryRun } = readArguments();
    refuse(problemsOf(version));
    const commit = git("rev-parse", "HEAD");
    if (isDryRun) {
        showPlan(version, commit);
        return;
    }
    if (!isProven(commit)) {
        await prove(commit);
        // It took its time.
        if (git("rev-parse", "HEAD") !== commit)
            throw new ReleaseError("main has another commit than the one that was tested");
        refuse(problemsOf(version));
    }
    make(version, commit);
    const tag = `v${version}`;
    print(
        `Release ${version} is made: a commit, the tag ${tag}, and in .release/${version}:`,
        ...readdirSync(join(FOLDER, version)).map((name) => `  ${name}`),
        "Nothing was pushed. To publish it:",
        `  git push --atomic origin ${BRANCH} ${tag}`,
        "To take it back before that:",
        `  git tag --delete ${tag} && git reset --hard ${commit.slice(0, 12)} && rm -r .release/${version}`,
    );
}

function readArguments() {
    try {
        const { values, positionals } = parseArgs({
            allowPositionals: true,
            options: { "dry-run": { type: "boolean", default: false } },
        });
        const [version = "", ...more] = positionals;
        if (version === "" || more.length > 0) throw new Error("one version is wanted");
        return { version, isDryRun: values["dry-run"] };
    } catch (error) {
        const cause = error instanceof Error ? (error.message.split(". ")[0] ?? "") : "";
        process.stderr.write(`release: ${cause}; see npm run release -- --help\n`);
        process.exit(2);
    }
}

/** @param {import("./refusals.mjs").Problem[]} problems */
function refuse(problems) {
    if (problems.length === 0) return;
    const lines = problems.map(({ what, fix }) => `  ${what}\n    do: ${fix}`);
    throw new ReleaseError(`refused, and nothing was changed:\n${lines.join("\n")}`);
}

/**
 * @param {string} version
 * @param {string} commit
 */
function showPlan(version, commit) {
    const tests = isProven(commit)
        ? "not test it again: it has passed .ci/run here"
        : "run .ci/run in a fresh clone of it";
    const { former, naming } = namedArchive();
    print(
        `${git("log", "-1", "--format=%h %s", commit)}`,
        `Release ${version} of this commit would`,
        `  ${tests}`,
        `  set the version in ${FILES.slice(0, 2).join(" and ")}, and move what is unreleased in ${FILES[2]} to [${version}] - ${today()}`,
        `  name its archive where ${former} is named: ${naming.join(", ")}`,
        `  commit that as "Release ${version}", with the annotated tag v${version}`,
        `  put the package and SHA256SUMS into .release/${version}`,
        "Nothing was changed. Its notes:",
        "",
        unreleased(read("CHANGELOG.md")) ?? "",
    );
}

/** @param {string} commit */
function isProven(commit) {
    try {
        return readFileSync(PROVEN, "utf8").trim() === commit;
    } catch {
        return false;
    }
}

/**
 * Has the commit pass everything that CI asks of it, where nothing of this working tree helps.
 *
 * @param {string} commit
 */
async function prove(commit) {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-release-"));
    try {
        run("git", ["clone", "--quiet", ROOT, folder]);
        run("git", ["-C", folder, "checkout", "--quiet", "--detach", commit]);
        print(`.ci/run in a fresh clone of ${commit.slice(0, 12)} …`);
        const child = spawn("sh", [".ci/run"], {
            cwd: folder,
            env: { ...withoutNpm(process.env), CI: "true" },
            stdio: ["ignore", "inherit", "inherit"],
            detached: true,
        });
        tests = child.pid;
        const [code] = await once(child, "close").finally(() => (tests = undefined));
        if (code !== 0)
            throw new ReleaseError(".ci/run failed on that commit, so nothing was changed");
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(PROVEN, `${commit}\n`);
}

/**
 * What a shell has that npm did not start: npm puts this working tree's programs first on PATH.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
function withoutNpm(environment) {
    const kept = Object.entries(environment).filter(
        ([name]) => !name.startsWith("npm_") && name !== "INIT_CWD",
    );
    const path = (environment.PATH ?? "")
        .split(delimiter)
        .filter((entry) => !entry.endsWith("/node_modules/.bin"));
    return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/**
 * All of it, or nothing.
 *
 * @param {string} version
 * @param {string} before the commit that it is a release of
 */
function make(version, before) {
    const notes = unreleased(read("CHANGELOG.md")) ?? "";
    const folder = join(FOLDER, version);
    const partial = `${folder}.partial`;
    const tag = `v${version}`;
    const { former, naming } = namedArchive();
    const files = [...FILES, ...naming];
    try {
        run("npm", ["version", version, "--no-git-tag-version", "--ignore-scripts"]);
        writeFileSync(join(ROOT, "CHANGELOG.md"), released(read("CHANGELOG.md"), version, today()));
        for (const file of naming) {
            writeFileSync(join(ROOT, file), read(file).replaceAll(former, archive(version)));
        }
        run("git", ["commit", "--quiet", "--message", `Release ${version}`, "--", ...files]);
        const message = `private-registry ${version}\n\n${notes}\n`;
        // Its headings are no comments.
        run("git", ["tag", "--annotate", "--cleanup=whitespace", "--file=-", tag], message);
        pack(partial);
        rmSync(folder, { recursive: true, force: true });
        renameSync(partial, folder);
    } catch (error) {
        rmSync(partial, { recursive: true, force: true });
        tryGit("tag", "--delete", tag);
        tryGit("reset", "--quiet", "--soft", before);
        tryGit("checkout", "--quiet", before, "--", ...files);
        const cause = error instanceof Error ? error.message : String(error);
        throw new ReleaseError(`${cause}\nEverything is as it was before.`);
    }
}

/**
 * The package and its checksum, in a folder.
 *
 * @param {string} folder
 */
function pack(folder) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    // .npmrc keeps scripts of packages from running; what builds this one is our own.
    run("npm", ["pack", "--ignore-scripts=false", "--pack-destination", folder]);
    const sums = readdirSync(folder).map((name) => {
        const bytes = readFileSync(join(folder, name));
        return `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
    });
    writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
}

/** @param {string} version */
function archive(version) {
    return `private-registry-${version}.tgz`;
}

/** The archive of this version, and the files that name it: the examples take it into their projects, and documents show it. */
function namedArchive() {
    const former = archive(JSON.parse(read("package.json")).version);
    const naming = git("ls-files", "*.md", "*/package.json", ":!CHANGELOG.md")
        .split("\n")
        .filter((file) => read(file).includes(former));
    return { former, naming };
}

function today() {
    return new Date().toISOString().slice(0, 10);
}

/** @param {string[]} lines */
function print(...lines) {
    process.stdout.write(`${lines.join("\n")}\n`);
}
