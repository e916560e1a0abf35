// @ts-check
// Runs the documents that are named, or all: each in a clone and a home of its own, its commands in one shell.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshEnvironment, makeClone } from "./clone.mjs";
import { readDocument } from "./document.mjs";
import { difference } from "./expectation.mjs";
import { Session } from "./session.mjs";

/** @typedef {import("./document.mjs").Command} Command */
/** @typedef {import("./document.mjs").Document} Document */
/** @typedef {{ name: string, document: Document }} Named */

const root = join(import.meta.dirname, "../..");
const names = process.argv.slice(2).filter((argument) => argument !== "--list");
const isList = names.length < process.argv.length - 2;
const unknown = names.filter((name) => !existsSync(join(root, name)));
if (unknown.length > 0) {
    process.stderr.write(
        `docs: no such document: ${unknown.join(", ")}; give its path from the project's folder, such as README.md\n`,
    );
    process.exit(2);
}

const documents = (names.length > 0 ? names : everyDocument()).map((name) => ({
    name,
    document: readDocument(readFileSync(join(root, name), "utf8")),
}));
const problems = documents.flatMap(({ name, document }) =>
    document.problems.map((problem) => `${name}:${problem}`),
);
if (problems.length > 0) {
    process.stderr.write(`${problems.join("\n")}\n`);
    process.exit(2);
}

/** @type {Session | undefined} */
let session;
let isStopped = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.once(signal, () => {
        isStopped = true;
        session?.kill();
    });
}

let commands = 0;
/** @type {string[]} */
const failed = [];
if (!isList) {
    const work = mkdtempSync(join(tmpdir(), "private-registry-docs-"));
    try {
        for (const named of documents.filter(({ document }) => document.steps.length > 0)) {
            if (!isStopped && !(await runDocument(work, named))) failed.push(named.name);
        }
    } finally {
        rmSync(work, { recursive: true, force: true });
    }
}

const skipped = documents.flatMap(({ name, document }) =>
    document.skipped.map(({ line, reason }) => `  ${name}:${line}  ${reason.replace(/\s+/g, " ")}`),
);
print(
    `${isList ? "" : "\n"}${skipped.length === 0 ? "every block is run" : `not run:\n${skipped.join("\n")}`}`,
);
if (!isList) {
    print(
        `docs: ${commands} commands of ${documents.length} documents, ${failed.length === 0 ? "all as shown" : `failed: ${failed.join(", ")}`}`,
    );
}
process.exitCode = failed.length > 0 || isStopped ? 1 : 0;

/** Everything that is ours to read: the README first, as its reader does. */
function everyDocument() {
    const listed = execFileSync(
        "git",
        ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        { cwd: root, encoding: "utf8" },
    );
    return listed
        .split("\n")
        .filter((name) => name !== "" && existsSync(join(root, name)))
        .sort(
            (a, b) => Number(b === "README.md") - Number(a === "README.md") || a.localeCompare(b),
        );
}

/**
 * Whether all of it was as shown.
 *
 * @param {string} work
 * @param {Named} named
 */
async function runDocument(work, { name, document }) {
    print(`\n${name}`);
    const clone = join(work, "private-registry");
    makeClone(root, clone);
    const environment = freshEnvironment(clone, join(work, "home"));
    session = new Session(work, clone, environment);
    /** @type {string[]} */
    const cleanUp = [];
    let isAsShown = true;
    for (const step of document.steps) {
        if (step.kind === "after") cleanUp.unshift(step.text);
        else {
            const result = await runStep(name, step);
            isAsShown &&= result === "as shown";
            // What follows builds on it.
            if (result === "failed") break;
        }
        if (isStopped) break;
    }
    await session.end();
    session = undefined;
    for (const text of cleanUp) {
        // Not to be stopped by the signal that stopped the rest.
        const cleaner = new Session(work, clone, environment);
        const { code, output } = await cleaner.run(text);
        await cleaner.end();
        if (code !== 0) {
            isAsShown = false;
            print(
                `  ${name}: what was to be done afterwards ended with ${code}: ${text}\n${indented(output)}`,
            );
        }
    }
    return isAsShown && !isStopped;
}

/**
 * @param {string} name
 * @param {Document["steps"][number]} step
 * @returns {Promise<"as shown" | "differs" | "failed">}
 */
async function runStep(name, step) {
    const started = Date.now();
    const place = `${name}:${step.line}`;
    const [first = "", ...more] = step.text.split("\n");
    const title = `${step.kind === "command" ? "" : "(unseen) "}${first}${more.length > 0 ? " …" : ""}`;
    if (step.kind === "command") commands++;
    const typed =
        step.kind === "command" && step.stdin !== undefined
            ? await session?.run(step.stdin)
            : undefined;
    const text = step.kind === "command" && step.asRoot ? asRoot(step.text) : step.text;
    const { code, output } = (await session?.run(text, typed?.output)) ?? { code: 255, output: "" };
    const wanted = step.kind === "command" ? step.exit : 0;
    const expected = step.kind === "command" ? step.expected : undefined;
    const failure =
        typed !== undefined && typed.code !== 0
            ? `what was to be typed ended with ${typed.code}:\n${indented(typed.output)}`
            : code !== wanted
              ? `it ended with ${code}${wanted === 0 ? "" : `, not with ${wanted}`}`
              : undefined;
    const reason = failure ?? (expected && difference(expected, output));
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    print(`  ${reason === undefined ? "ok    " : "FAILED"} ${place}  ${title}  (${seconds} s)`);
    if (reason === undefined) return "as shown";
    print(`${place}: ${reason}\n  command:\n${indented(step.text)}`);
    if (expected !== undefined) print(`  expected:\n${indented(expected.join("\n"))}`);
    print(`  got:\n${indented(output)}`);
    return failure === undefined ? "differs" : "failed";
}

/** @param {string} text */
function asRoot(text) {
    return process.getuid?.() === 0
        ? text
        : `sudo -n env PATH="$PATH" HOME="$HOME" sh -c '${text.replaceAll("'", "'\\''")}'`;
}

/** @param {string} text */
function indented(text) {
    return text
        .trimEnd()
        .split("\n")
        .map((line) => `    ${line}`)
        .join("\n");
}

/** @param {string} line */
function print(line) {
    process.stdout.write(`${line}\n`);
}
