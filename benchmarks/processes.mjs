// @ts-check
// What containers take of the machine, by the daemon's own count and the kernel's.
import { existsSync, readFileSync } from "node:fs";
import { must } from "./run.mjs";

/**
 * CPU seconds that containers have used since they were started.
 *
 * @param {readonly string[]} containers
 */
export async function cpuSeconds(containers) {
    let sum = 0;
    for (const container of containers) {
        const path = `http://localhost/containers/${container}/stats?stream=false&one-shot=true`;
        const stats = await must("curl", ["-sSf", "--unix-socket", "/var/run/docker.sock", path]);
        sum += JSON.parse(stats).cpu_stats.cpu_usage.total_usage / 1e9;
    }
    return sum;
}

/**
 * The most memory that a container's registry ever had, in bytes, without what the kernel keeps of its files. NaN where this
 * machine is not the Docker host.
 *
 * @param {string} container
 */
export async function peakMemory(container) {
    const first = (
        await must("docker", ["inspect", "--format", "{{.State.Pid}}", container])
    ).trim();
    const status = (/** @type {string} */ pid) =>
        existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
    const list = `/proc/${first}/task/${first}/children`;
    const children = existsSync(list) ? readFileSync(list, "utf8").trim().split(" ") : [];
    const pids = [first, ...children].filter((pid) => /^Name:\s+registry$/m.test(status(pid)));
    const kibibytes = pids.map((pid) => Number(/^VmHWM:\s+(\d+) kB$/m.exec(status(pid))?.[1]));
    return Math.max(...kibibytes, pids.length === 0 ? NaN : 0) * 1024;
}
