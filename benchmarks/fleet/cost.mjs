// @ts-check
// What a command costs with everything that it starts: a control group counts it, whoever waits for whom.
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { seconds } from "../measure.mjs";
import { run } from "../run.mjs";

const ROOT = "/sys/fs/cgroup";
const IS_V1 = existsSync(join(ROOT, "cpuacct"));
/** Milliseconds between two looks at the memory. */
const INTERVAL = 50;

/**
 * @typedef {object} Cost
 * @property {number} wall seconds
 * @property {number} cpu seconds, user and system
 * @property {number} memory MB, the most that all of it held at one time without what is read from files
 */

/**
 * Runs a command to its end and counts; what it leaves behind is ended.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("../run.mjs").RunOptions} options
 * @returns {Promise<Cost & import("../run.mjs").Ended>}
 */
export async function costOf(command, args, options = {}) {
    const name = `private-registry-bench-${process.pid}`;
    const folders = (IS_V1 ? ["cpuacct", "memory"] : ["."]).map((part) => join(ROOT, part, name));
    folders.forEach((folder) => mkdirSync(folder));
    const [cpu = "", memory = cpu] = folders;
    const enter =
        'until [ "$1" = -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"';
    let most = 0;
    const looking = setInterval(() => (most = Math.max(most, readMemory(memory))), INTERVAL);
    try {
        /** @type {import("../run.mjs").Ended | undefined} */
        let ended;
        const wall = await seconds(async () => {
            ended = await run(
                "sh",
                ["-c", enter, "sh", ...folders, "--", command, ...args],
                options,
            );
        });
        if (ended === undefined) throw new Error("nothing was run");
        return { ...ended, wall, cpu: readCpu(cpu), memory: most };
    } finally {
        clearInterval(looking);
        await empty(cpu);
        folders.forEach((folder) => rmdirSync(folder));
    }
}

/** @param {string} folder */
function readCpu(folder) {
    return IS_V1
        ? Number(readFileSync(join(folder, "cpuacct.usage"), "utf8")) / 1e9
        : numberIn(join(folder, "cpu.stat"), "usage_usec") / 1e6;
}

/** @param {string} folder */
function readMemory(folder) {
    return numberIn(join(folder, "memory.stat"), IS_V1 ? "total_rss" : "anon") / 1e6;
}

/**
 * @param {string} path
 * @param {string} name
 */
function numberIn(path, name) {
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(readFileSync(path, "utf8"))?.[1] ?? NaN);
}

/**
 * Ends what is left in a group, such as the connections that are kept for the next run.
 *
 * @param {string} folder
 */
async function empty(folder) {
    for (;;) {
        const left = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
        if (left.length === 0) return;
        for (const id of left) {
            try {
                process.kill(Number(id), "SIGKILL");
            } catch {
                // It has ended by itself.
            }
        }
        await sleep(20);
    }
}
