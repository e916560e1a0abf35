// @ts-check
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./measure.mjs";
import { run } from "./run.mjs";

/** The load from which on figures are worth little on two cores. */
const BUSY = 1;

/**
 * What the figures depend on, without a name or a path of this machine.
 *
 * @returns {Promise<Record<string, string>>}
 */
export async function describeMachine() {
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
        loadBefore: loadavg()[0]?.toFixed(1) ?? "",
    };
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
