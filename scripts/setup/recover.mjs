// @ts-check
// After a run that was killed: its lock goes, and what it made without living to record it.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { find, readState, tryPulumi } from "../check/state.mjs";

// The engine leaves a log of its own.
process.umask(0o077);
const [, , stack = ""] = process.argv;

mendBackend(process.env.PULUMI_BACKEND_URL ?? "");
if (tryPulumi(["cancel", "--yes"], stack).status !== 0) process.exit(1);
const { resources, unfinished } = readState(stack);
const host = find(resources, "registry-docker")?.inputs.host;

for (const { type, urn, inputs } of unfinished) {
    const kind = /^docker:index\/(container|network|volume):/.exec(type)?.[1];
    // The volume with the images is taken over by the next run.
    if (kind === undefined || urn.endsWith("-data")) continue;
    const force = kind === "network" ? [] : ["--force"];
    const { stdout } = spawnSync("docker", ["--host", host, kind, "rm", ...force, inputs.name], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
    });
    if (stdout.trim() !== "") process.stdout.write(`removed the ${kind} ${stdout.trim()}\n`);
}

const flags = ["--yes", "--skip-preview", "--clear-pending-creates"];
const { status, stdout } = tryPulumi(["refresh", ...flags], stack);
if (status !== 0) {
    process.stdout.write(stdout);
    process.exit(1);
}
const option = stack === "" ? "" : ` -- --stack ${stack}`;
process.stdout.write(`Ready to go on: npm run up${option}, or npm run destroy${option}\n`);

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
