// @ts-check
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./measure.mjs";
import { run } from "./run.mjs";

/** The load from which on figures are worth little on two cores. */
export const BUSY = 1;

const PROJECT = join(import.meta.dirname, "..");
/** What benchmarks write themselves, which makes no other program of it. */
const WRITTEN = ["benchmarks/results", "benchmarks/README.md"];

/**
 * How programs that measure say which version they are. Curl's first line has those of its libraries too, and testssl.sh's the
 * colours of a terminal.
 *
 * @type {Readonly<Record<string, readonly [args: string[], version: RegExp]>>}
 */
const TOOLS = {
    ab: [["-V"], /Version (\d\S*)/],
    curl: [["--version"], /^curl (\S+)/],
    openssl: [["version"], /^OpenSSL (\S+)/],
    skopeo: [["--version"], /version (\S+)/],
    testssl: [["--version"], /testssl(?:\.sh)?\s+(?:version )?(\d\S*)/],
};

/**
 * What the figures depend on, without a name or a path of this machine.
 *
 * @param {readonly string[]} tools that measure, of those above
 * @returns {Promise<Record<string, string>>}
 */
export async function describeMachine(tools = []) {
    const [first] = cpus();
    const pulumi = await run("pulumi", ["version"]);
    const docker = await run("docker", ["version", "--format", "{{.Server.Version}}"]);
    return {
        processor: `${cpus().length} x ${first?.model.trim() || "unknown"}`,
        memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
        system: `${distribution()}, ${type()} ${release()}`,
        pulumi: pulumi.stdout.trim(),
        node: process.version,
        docker: docker.stdout.trim(),
        program: await commit(),
        images: images().join(", "),
        tools: (await Promise.all(tools.map(versionOf))).filter((it) => it !== "").join(", "),
        loadBefore: loadavg()[0]?.toFixed(1) ?? "",
    };
}

/** The commit that this program is of, and whether it was changed since; empty outside of a clone. */
async function commit() {
    const git = (/** @type {string[]} */ ...args) =>
        run("git", ["-C", PROJECT, ...args]).catch(() => ({ code: 128, stdout: "" }));
    const { code, stdout } = await git("describe", "--always");
    if (code !== 0) return "";
    const others = WRITTEN.map((path) => `:(exclude)${path}`);
    const changed = await git("diff", "--quiet", "HEAD", "--", ".", ...others);
    return stdout.trim() + (changed.code === 0 ? "" : "-dirty");
}

/** Those of the registry and of the gateway, in every benchmark. */
function images() {
    const text = readFileSync(join(PROJECT, "scripts/setup/versions.sh"), "utf8");
    return ["REGISTRY_IMAGE", "GATEWAY_IMAGE"].map(
        (name) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "unknown",
    );
}

/**
 * Name and version of a program; empty where it is not installed.
 *
 * @param {string} tool
 */
export async function versionOf(tool) {
    const [args = [], pattern = /$^/] = TOOLS[tool] ?? [];
    const said = await run(tool, args).catch(() => undefined);
    if (said === undefined) return "";
    // eslint-disable-next-line no-control-regex
    const version = pattern.exec((said.stdout + said.stderr).replaceAll(/\x1b\[[\d;]*m/g, ""))?.[1];
    return `${tool} ${version ?? "of unknown version"}`;
}

/** Waits until what was measured before is over in the machine's load too, three minutes at most. */
export async function waitForQuiet() {
    for (let tries = 0; (loadavg()[0] ?? 0) >= BUSY && tries < 36; tries++) {
        if (tries === 0) say("waiting for a quiet machine, three minutes at most");
        await sleep(5000);
    }
}

function distribution() {
    try {
        const text = readFileSync("/etc/os-release", "utf8");
        return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? "unknown";
    } catch {
        return "unknown";
    }
}
