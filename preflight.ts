import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { OWNER_LABEL } from "./components/container-parts";
import { mirrorContainer } from "./components/mirror-caches";
import { redisContainer } from "./components/redis-server";
import { hostAndPort, isWildcard } from "./lib/address";
import {
    type DockerContainer,
    isSwarmManager,
    listContainers,
    type PublishedPort,
} from "./lib/docker-api";
import { type DockerEndpoint, parseDockerEndpoint } from "./lib/docker-endpoint";
import { known, type Late } from "./lib/late";
import { mirrorPorts } from "./lib/mirror-config";
import { propertyPath } from "./lib/property-path";
import { type Look, lookAtBucket, lookAtRedis } from "./lib/service-checks";
import type { Settings as AnySettings } from "./lib/settings";
import { lookAtUpstream } from "./lib/upstream-check";

type Settings = AnySettings<Late>;

/** Set for the `up` that ends a move of images into a bucket. */
const MOVE = "PRIVATE_REGISTRY_MOVE";

/**
 * Looks at the Docker host before anything is planned, so that a name or a port that something else
 * has is an error now, and not after the running registry was taken down to make way. So with the
 * bucket and the Redis that the registry is to use.
 */
export async function preflight(settings: Settings): Promise<void> {
    const endpoint = parseDockerEndpoint(settings.dockerHost);
    if (endpoint === undefined) {
        return;
    }
    const containers = await listContainers(endpoint).catch((error: unknown) => {
        throw new pulumi.RunError(unreachable(settings, error));
    });
    const problems = [
        ...containerNames(settings).flatMap((name) => nameProblems(name, settings, containers)),
        ...formerHolderProblems(settings, containers),
        ...(settings.swarm !== undefined && !(await isSwarmManager(endpoint))
            ? [
                  "the Docker host is no manager of a Swarm, and `swarm` is set. " +
                      `Make it one (docker swarm init), or name one: ${settings.say.set("dockerHost", "ssh://user@manager")}`,
              ]
            : []),
        ...(await portProblems(settings, endpoint, containers)),
        ...(await serviceProblems(settings, endpoint)),
        ...(await upstreamProblems(settings)),
    ];
    if (problems.length > 0) {
        throw new pulumi.RunError(`${problems.join("\n")}\nNothing was changed.`);
    }
}

function unreachable({ dockerHost, say }: Settings, error: unknown): string {
    const detail = error instanceof Error ? error.message : String(error);
    return (
        `no Docker daemon answers at ${dockerHost} (${detail}). ` +
        `Start Docker there, or name another one: ${say.set("dockerHost", "ssh://user@host")}`
    );
}

function containerNames({
    containerName,
    gateway,
    mirrors,
    redisServer,
    swarm,
}: Settings): string[] {
    return [
        containerName,
        // In a Swarm it is a service, whose containers have other names.
        ...(redisServer === undefined || swarm !== undefined
            ? []
            : [redisContainer(containerName)]),
        ...(gateway === undefined ? [] : [`${containerName}-gateway`, `${containerName}-access`]),
        ...Object.keys(mirrors).map((mirror) => mirrorContainer(containerName, mirror)),
    ];
}

function nameProblems(
    name: string,
    { owner, say }: Settings,
    containers: readonly DockerContainer[],
): string[] {
    const holder = containers.find(({ Names }) => Names.includes(`/${name}`));
    const holderOwner = holder?.Labels[OWNER_LABEL];
    if (holder === undefined || holderOwner === owner) {
        return [];
    }
    const whose =
        holderOwner === undefined
            ? "is not from this program"
            : `belongs to the stack ${holderOwner}`;
    return [
        `the container name "${name}" is taken by a container that ${whose}. ` +
            `Remove it (docker rm ${name}), or take another name: ${say.set("containerName", "<name>")}`,
    ];
}

/** What has the port and is to go has it until the end of a run, and what comes in its place wants it before. */
function formerHolderProblems(
    { containerName, gateway, swarm, owner }: Settings,
    containers: readonly DockerContainer[],
): string[] {
    const isThere = (name: string, hasPort: boolean) =>
        containers.some(
            ({ Names, Labels, Ports }) =>
                Names.includes(`/${name}`) &&
                Labels[OWNER_LABEL] === owner &&
                (!hasPort || Ports.some(({ PublicPort }) => PublicPort !== undefined)),
        );
    const former = [
        ...(gateway === undefined && isThere(`${containerName}-gateway`, false)
            ? [["gateway", `${containerName}-gateway`]]
            : []),
        ...(swarm !== undefined && isThere(containerName, true)
            ? [["container", containerName]]
            : []),
    ];
    return former.map(
        ([what, name]) =>
            `the ${what} of this registry still has its port, and is no longer wanted. ` +
            `Take it down, which ends running transfers, and run this again: docker rm --force ${name}`,
    );
}

interface Wanted {
    readonly key: string;
    readonly address: string;
    readonly port: number;
    /** Names of the containers of this stack that may have it. */
    readonly holders: readonly string[];
}

function wantedPorts(settings: Settings): Wanted[] {
    const { bindAddress, port, metricsPort, gateway, mirrors, containerName } = settings;
    const holders = [containerName, `${containerName}-gateway`];
    const local = [
        ["metricsPort", metricsPort],
        ["gatewayMetricsPort", gateway?.metricsPort],
    ] as const;
    return [
        { key: "port", address: bindAddress, port, holders },
        ...mirrorPorts(mirrors).map(({ name, key, port }) => ({
            ...{ key, address: bindAddress, port },
            holders: [mirrorContainer(containerName, name)],
        })),
        ...local.flatMap(([key, port]) =>
            port === undefined ? [] : [{ key, address: "127.0.0.1", port, holders }],
        ),
    ];
}

/** How often Docker is asked who has a port that somebody listens on. */
const LOOKS = 25;
const MILLISECONDS_BETWEEN_LOOKS = 200;

/**
 * Ports that something else has. Docker takes a container's ports some moments before it lists them, and lists none of a container
 * that it starts again: so another program is not blamed after one look.
 */
async function portProblems(
    settings: Settings,
    endpoint: DockerEndpoint,
    containers: readonly DockerContainer[],
): Promise<string[]> {
    for (let looks = 1; ; looks++) {
        const others =
            endpoint.scheme === "unix" ? await otherProgramProblems(settings, containers) : [];
        if (others.length === 0 || looks === LOOKS) {
            return [...otherContainerProblems(settings, containers), ...others];
        }
        await sleep(MILLISECONDS_BETWEEN_LOOKS);
        containers = await listContainers(endpoint);
    }
}

function otherContainerProblems(
    settings: Settings,
    containers: readonly DockerContainer[],
): string[] {
    return wantedPorts(settings).flatMap((wanted) => {
        const holder = containers.find(
            ({ Labels, Ports }) =>
                Labels[OWNER_LABEL] !== settings.owner &&
                Ports.some((held) => overlaps(held, wanted)),
        );
        return holder === undefined
            ? []
            : [taken(wanted, `the container ${holder.Names[0]?.slice(1)}`, settings)];
    });
}

function overlaps(held: PublishedPort, wanted: Wanted): boolean {
    return (
        held.Type === "tcp" &&
        held.PublicPort === wanted.port &&
        (held.IP === wanted.address ||
            isWildcard(held.IP ?? "0.0.0.0") ||
            isWildcard(wanted.address))
    );
}

/** Ports of this machine that a program outside of Docker listens on. */
async function otherProgramProblems(
    settings: Settings,
    containers: readonly DockerContainer[],
): Promise<string[]> {
    const restarting = containers
        .filter(
            ({ Labels, State }) => Labels[OWNER_LABEL] === settings.owner && State === "restarting",
        )
        .flatMap(({ Names }) => Names);
    // It has its ports or is about to take them: whoever tries them now may keep it from that.
    const isAwaited = ({ holders }: Wanted) =>
        holders.some((name) => restarting.includes(`/${name}`));
    const inDocker = (wanted: Wanted) =>
        containers.some(({ Ports }) => Ports.some((held) => overlaps(held, wanted)));
    const candidates = wantedPorts(settings).filter(
        (wanted) => !inDocker(wanted) && !isAwaited(wanted),
    );
    const inUse = await Promise.all(candidates.map(isListenedOn));
    return candidates
        .filter((_, index) => inUse[index])
        .map((wanted) => taken(wanted, "another program of this machine", settings));
}

async function isListenedOn({ address, port }: Wanted): Promise<boolean> {
    const server = createServer();
    try {
        server.listen({ host: address, port, exclusive: true });
        await once(server, "listening");
        return false;
    } catch (error) {
        // Anything else (an address that this machine lacks, a port that needs root) is Docker's to judge.
        return (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    } finally {
        server.close();
    }
}

function taken({ key, address, port }: Wanted, holder: string, { say }: Settings): string {
    return (
        `port ${port} (${key}, at ${hostAndPort(address, port)}) is taken by ${holder}. ` +
        `Free it, or take another one: ${say.set(key, "<port>")}`
    );
}

/**
 * What keeps the registry from its bucket and its Redis. That no way leads there from this machine says
 * nothing of the registry's container, unless both are on one host: then the proof is the first to know.
 */
async function serviceProblems(
    { readOnly, say, ...settings }: Settings,
    { scheme }: DockerEndpoint,
): Promise<string[]> {
    // What has secrets that nobody knows yet is looked at when they are known.
    const s3 = await known(settings.s3);
    const redis = await known(settings.redis);
    const looks: Look[] = await Promise.all([
        ...(s3 === undefined
            ? []
            : [
                  lookAtBucket(s3, say, {
                      isMove: process.env[MOVE] !== undefined,
                      isWritten: !readOnly && !pulumi.runtime.isDryRun(),
                  }),
              ]),
        ...(redis === undefined ? [] : [lookAtRedis(redis, say)]),
    ]);
    return looks.flatMap(({ problem, unseen }) => {
        if (problem !== undefined) return [problem];
        if (unseen === undefined) return [];
        const isSure = scheme === "unix" && unseen.includes("ECONNREFUSED");
        if (isSure)
            return [`${unseen}, nor from the containers on it. Start it, or name another one`];
        void pulumi.log.warn(
            `${unseen}, so it was not checked before the change; the registry's container is asked after it`,
        );
        return [];
    });
}

/** An upstream that is down is what a mirror is for: worth a word. One that refuses is an error. */
async function upstreamProblems({ mirrors, say }: Settings): Promise<string[]> {
    const looks = await Promise.all(
        Object.entries(mirrors).map(async ([name, late]): Promise<Look> => {
            const mirror = await known(late);
            return mirror === undefined
                ? {}
                : lookAtUpstream(propertyPath("mirrors", name), mirror, say);
        }),
    );
    return looks.flatMap(({ problem, unseen }) => {
        if (problem !== undefined) return [problem];
        if (unseen !== undefined) {
            void pulumi.log.warn(
                `${unseen}, so it was not asked; the mirror serves what it has until it reaches it`,
            );
        }
        return [];
    });
}
