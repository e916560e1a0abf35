// @ts-check
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { run } from "./run.mjs";

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

function distribution() {
    try {
        const text = readFileSync("/etc/os-release", "utf8");
        return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? "unknown";
    } catch {
        return "unknown";
    }
}
