import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "./docker";
import { must } from "./run";

/** What a process has of the machine. */
export interface Footprint {
    readonly pid: number;
    /** Resident memory, in bytes. */
    readonly memory: number;
    /** Open files and connections. */
    readonly descriptors: number;
}

/** The footprint of what a container is for: its first process, or what that one, a shell, has started. Needs root. */
export async function footprint(container: string): Promise<Footprint> {
    const { Pid } = (await inspect(container)).State as unknown as { Pid: number };
    const children = readFileSync(`/proc/${Pid}/task/${Pid}/children`, "utf8").trim().split(" ");
    const name = (pid: string) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    const pid = children.find((child) => child !== "" && name(child) === "registry") ?? String(Pid);
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return {
        pid: Number(pid),
        memory: Number(kibibytes?.[1]) * 1024,
        descriptors: readdirSync(`/proc/${pid}/fd`).length,
    };
}

/** CPU seconds that a container has used, as the benchmarks count them: on a Docker host with Linux. */
export async function cpuSeconds(container: string): Promise<number> {
    const module = join(__dirname, "../../benchmarks/processes.mjs");
    const program = `import { cpuSeconds } from ${JSON.stringify(module)};
        console.log(await cpuSeconds([process.argv[1]]));`;
    return Number(await must("node", ["--input-type=module", "--eval", program, container]));
}

/** Command lines of all processes that this machine has during some work, but for those that end within some milliseconds. */
export async function commandLinesDuring(work: () => Promise<void>): Promise<string> {
    const lines = new Set<string>();
    const timer = setInterval(() => {
        for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
            try {
                lines.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
            } catch {
                // It has ended meanwhile.
            }
        }
    }, 15);
    try {
        await work();
    } finally {
        clearInterval(timer);
    }
    return [...lines].join("\n");
}
