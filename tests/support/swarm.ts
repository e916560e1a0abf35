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
    const ids = await words("service", "ps", "--quiet", "--no-trunc", service);
    const details = JSON.parse(await must("docker", ["inspect", ...ids])) as TaskDetails[];
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

/**
 * Runs a test where this machine's Docker manages a swarm: in the one that there is, or else in one that is gone
 * afterwards, unless somebody has begun to use it meanwhile.
 */
export async function withSwarm(test: () => Promise<void>): Promise<void> {
    const made = await docker("swarm", "init", "--advertise-addr", "127.0.0.1");
    const isOurs = made.code === 0;
    if (!isOurs && !made.stderr.includes("already part of a swarm")) {
        throw new Error(made.stderr);
    }
    try {
        await test();
    } finally {
        if (isOurs && (await isUnused())) {
            await docker("swarm", "leave", "--force");
            // Docker makes it for a swarm, and leaves it.
            await docker("network", "rm", "docker_gwbridge");
        }
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
