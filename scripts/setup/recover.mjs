// @ts-check
// After a run that was killed: its lock goes, and what it made without living to record it.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { find, readState, tryPulumi } from "../shared/state.mjs";
import { findHalfMade, replaceHalfMade } from "./half-made.mjs";
import { endOrphans } from "./orphans.mjs";

/** @typedef {import("../shared/state.mjs").Resource} Resource */

// The engine leaves a log of its own.
process.umask(0o077);
const [, , stack = ""] = process.argv;

// They may be at work still.
const orphans = await endOrphans();
if (orphans > 0) process.stdout.write(`ended ${orphans} processes whose engine was killed\n`);
mendBackend(process.env.PULUMI_BACKEND_URL ?? "");
if (tryPulumi(["cancel", "--yes"], stack).status !== 0) process.exit(1);
const { resources, unfinished } = readState(stack);
const provider = find(resources, "registry-docker");
if (provider !== undefined) removeUnrecorded(provider);

// A refresh finds them there, and forgets that they are not whole.
const halfMade = findHalfMade(stack);
const flags = ["--yes", "--skip-preview", "--clear-pending-creates"];
const { status, stdout } = tryPulumi(["refresh", ...flags], stack);
if (status !== 0) {
    process.stdout.write(stdout);
    process.exit(1);
}
replaceHalfMade(halfMade, stack);
// What a provider that was killed had asked for, a busy Docker may have made only since.
if (provider !== undefined) removeUnrecorded(provider);
const option = stack === "" ? "" : ` -- --stack ${stack}`;
process.stdout.write(`Ready to go on: npm run up${option}, or npm run destroy${option}\n`);

/**
 * Containers of this stack that the state does not know, and networks and volumes that were being made. The volume with
 * the images is not among them: the next run takes it over.
 *
 * @param {Resource} provider of Docker
 */
function removeUnrecorded({ urn, inputs: { host } }) {
    const [head = "", project] = urn.split("::");
    const label = `label=private-registry.stack=${project}/${head.replace("urn:pulumi:", "")}`;
    const known = new Set(resources.map(({ id }) => id));
    const containers = docker(host, ["ps", "--all", "--quiet", "--no-trunc", "--filter", label]);
    for (const id of containers.split("\n").filter((line) => line !== "" && !known.has(line))) {
        docker(host, ["rm", "--force", "--volumes", id]);
        process.stdout.write(`removed the container ${id.slice(0, 12)}\n`);
    }
    for (const { type, urn, inputs } of unfinished) {
        const kind = /^docker:index\/(network|volume):/.exec(type)?.[1];
        if (kind === undefined || urn.endsWith("-data")) continue;
        const name = docker(host, [kind, "rm", inputs.name]);
        if (name !== "") process.stdout.write(`removed the ${kind} ${name}\n`);
    }
}

/**
 * What it printed; nothing when it failed.
 *
 * @param {string} host
 * @param {string[]} args
 */
function docker(host, args) {
    const { stdout } = spawnSync("docker", ["--host", host, ...args], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
    });
    return (stdout ?? "").trim();
}

/**
 * A backend in a folder keeps what it knows of each file in a second one, which it does not write in one step: one that is
 * empty makes the state, which is whole, unreadable ("failed to load checkpoint: EOF"). Without any it is read.
 *
 * @param {string} url
 */
function mendBackend(url) {
    if (!url.startsWith("file://")) return;
    const path = url.replace(/^file:\/\//, "").replace(/\?.*$/, "");
    const folder = join(path.replace(/^~/, homedir()), ".pulumi");
    if (!existsSync(folder)) return;
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    for (const path of names.map((name) => join(folder, name))) {
        if (path.endsWith(".attrs") && statSync(path).size === 0) rmSync(path);
    }
}
