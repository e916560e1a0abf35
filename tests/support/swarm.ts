import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alone } from "./alone";
import { docker } from "./docker";
import { must } from "./run";

/** One task of a service. */
export interface Task {
    readonly id: string;
    readonly slot: number;
    /** What became of it, and since when. */
    readonly state: string;
    readonly since: string;
    /** Whether it is to go on. */
    readonly isWanted: boolean;
    readonly env: readonly string[];
}

interface TaskDetails {
    ID: string;
    Slot: number;
    Status: { State: string; Timestamp: string };
    DesiredState: string;
    Spec: { ContainerSpec: { Env?: string[] } };
}

/** Words that a docker command prints, one or more a line. */
export async function words(...args: string[]): Promise<string[]> {
    return (await must("docker", args)).split(/\s+/).filter((word) => word !== "");
}

/** All tasks of a service that the swarm remembers, running ones and past ones. */
export async function tasksOf(service: string): Promise<Task[]> {
    let found = "";
    while (found === "") {
        const ids = await words("service", "ps", "--quiet", "--no-trunc", service);
        const { code, stdout, stderr } = await docker("inspect", ...ids);
        if (code === 0) found = stdout;
        // The swarm has forgotten an old one since it listed it.
        else if (!/no such/i.test(stderr)) throw new Error(stderr);
    }
    const details = JSON.parse(found) as TaskDetails[];
    return details.map(({ ID, Slot, Status, DesiredState, Spec }) => ({
        id: ID,
        slot: Slot,
        state: Status.State,
        since: Status.Timestamp,
        isWanted: DesiredState === "running",
        env: Spec.ContainerSpec.Env ?? [],
    }));
}

/** The tasks of a service that run now and are to go on. */
export async function runningTasks(service: string): Promise<Task[]> {
    return (await tasksOf(service)).filter(
        ({ state, isWanted }) => state === "running" && isWanted,
    );
}

/** What the tests of this machine know together: who uses its Swarm, a file each, and which Swarm one of them has made. */
const SHARED = join(tmpdir(), "private-registry-test-swarm");
const MADE = join(SHARED, "made");

/**
 * Runs a test where this machine's Docker manages a Swarm: in the one that there is, or else in one that is made for it. The
 * last test that uses such a one takes it away, unless somebody else has begun to use it meanwhile.
 */
export async function withSwarm(test: () => Promise<void>): Promise<void> {
    const mark = join(SHARED, `${process.pid}-${randomBytes(4).toString("hex")}`);
    await alone("swarm", () => enter(mark));
    try {
        await test();
    } finally {
        await alone("swarm", () => leave(mark));
    }
}

/** Does something where this machine's Docker is in no Swarm, and sees to it that no test makes one meanwhile; or does nothing. */
export function unlessInSwarm(work: () => Promise<void>): Promise<void> {
    return alone("swarm", async () => {
        if ((await swarmId()) === "") await work();
    });
}

async function enter(mark: string): Promise<void> {
    mkdirSync(SHARED, { recursive: true });
    const { code, stderr } = await docker("swarm", "init", "--advertise-addr", "127.0.0.1");
    if (code === 0) writeFileSync(MADE, await swarmId());
    else if (!stderr.includes("already part of a swarm")) throw new Error(stderr);
    writeFileSync(mark, "");
}

async function leave(mark: string): Promise<void> {
    rmSync(mark);
    const isUsed = readdirSync(SHARED).some((name) => isAlive(Number(name.split("-")[0])));
    if (isUsed || !(await isOurs()) || !(await isUnused())) return;
    await docker("swarm", "leave", "--force");
    // Docker makes it for a swarm, and leaves it.
    await docker("network", "rm", "docker_gwbridge");
    rmSync(SHARED, { recursive: true });
}

/** Whether the Swarm is one that a test has made. */
async function isOurs(): Promise<boolean> {
    return existsSync(MADE) && readFileSync(MADE, "utf8") === (await swarmId());
}

/** Empty where there is none. */
async function swarmId(): Promise<string> {
    const format = "{{with .Swarm.Cluster}}{{.ID}}{{end}}";
    return (await must("docker", ["info", "--format", format])).trim();
}

function isAlive(pid: number): boolean {
    try {
        return process.kill(pid, 0);
    } catch {
        return false;
    }
}

async function isUnused(): Promise<boolean> {
    const used = await Promise.all([
        words("service", "ls", "--quiet"),
        words("secret", "ls", "--quiet"),
        words("network", "ls", "--filter", "scope=swarm", "--format", "{{.Name}}"),
    ]);
    return used.flat().every((name) => name === "ingress");
}
