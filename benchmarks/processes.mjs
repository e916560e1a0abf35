// @ts-check
// What containers take of the machine, by the daemon's own count and the kernel's.
import { existsSync, readFileSync } from "node:fs";
import { must } from "./run.mjs";

/**
 * CPU seconds that containers have used since they were started, by the kernel's count of their groups: Docker's own takes a
 * second to give. NaN where this machine is not the Docker host.
 *
 * @param {readonly string[]} containers
 */
export async function cpuSeconds(containers) {
    const format = ["--format", "{{.State.Pid}}"];
    const pids = (await must("docker", ["inspect", ...format, ...containers])).trim().split("\n");
    return pids.reduce((sum, pid) => sum + secondsOf(pid), 0);
}

/** @param {string} pid */
function secondsOf(pid) {
    const read = (/** @type {string} */ file) =>
        existsSync(file) ? readFileSync(file, "utf8") : "";
    const groups = read(`/proc/${pid}/cgroup`);
    const first = /^\d+:(?:[^:]*,)?cpuacct(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
    if (first !== undefined) {
        return Number(read(`/sys/fs/cgroup/cpuacct${first}/cpuacct.usage`) || NaN) / 1e9;
    }
    const second = /^0::(.*)$/m.exec(groups)?.[1] ?? "";
    const microseconds = /^usage_usec (\d+)$/m.exec(read(`/sys/fs/cgroup${second}/cpu.stat`))?.[1];
    return Number(microseconds ?? NaN) / 1e6;
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
