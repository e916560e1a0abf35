import { inspect } from "./docker";

/** What `docker inspect` says of a container, as far as the items below look at it. */
interface Inspected {
    readonly Name: string;
    readonly AppArmorProfile: string;
    readonly Config: {
        readonly User: string;
        readonly Healthcheck?: { readonly Test: readonly string[] };
    };
    readonly HostConfig: {
        readonly Privileged: boolean;
        readonly CapAdd: readonly string[] | null;
        readonly CapDrop: readonly string[] | null;
        readonly SecurityOpt: readonly string[] | null;
        readonly ReadonlyRootfs: boolean;
        readonly Memory: number;
        readonly MemorySwap: number;
        readonly CpuShares: number;
        readonly PidsLimit: number | null;
        readonly NetworkMode: string;
        readonly PidMode: string;
        readonly IpcMode: string;
        readonly UTSMode: string;
        readonly UsernsMode: string;
        readonly CgroupParent: string;
        readonly Devices: readonly unknown[] | null;
        readonly Ulimits: readonly unknown[] | null;
        readonly RestartPolicy: {
            readonly Name: string;
            readonly MaximumRetryCount: number;
        };
        readonly PortBindings: Readonly<
            Record<string, readonly { HostIp: string; HostPort: string }[]>
        > | null;
        readonly PublishAllPorts: boolean;
    };
    readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
    readonly Mounts: readonly {
        readonly Type: string;
        readonly Source: string;
        readonly Propagation: string;
    }[];
}

const SENSITIVE = /^\/(boot|dev|etc|lib|proc|sys|usr|root|home|run|var\/run)?(\/|$)/;

/**
 * The items of the CIS Docker benchmark 1.6 that a container's own settings answer, by number, each with what is right.
 * Those that are about the host, the daemon, how images are built or what operators do are not here.
 */
const ITEMS: Readonly<Record<string, (container: Inspected) => boolean>> = {
    "4.1 a user other than root": ({ Config }) => !["", "0", "root"].includes(Config.User),
    "4.6 a health check": ({ Config }) =>
        Config.Healthcheck !== undefined && Config.Healthcheck.Test[0] !== "NONE",
    "5.2 AppArmor is not off": ({ AppArmorProfile }) => AppArmorProfile !== "unconfined",
    "5.4 no capability but those it needs": ({ HostConfig: { CapAdd, CapDrop } }) =>
        CapDrop?.join() === "ALL" &&
        (CapAdd ?? []).every((name) => name.endsWith("NET_BIND_SERVICE")),
    "5.5 not privileged": ({ HostConfig }) => !HostConfig.Privileged,
    "5.6 no folder of the host's system": ({ Mounts }) =>
        Mounts.every(({ Type, Source }) => Type === "volume" || !SENSITIVE.test(Source)),
    "5.8 no privileged port": ({ HostConfig: { PortBindings } }) =>
        Object.values(PortBindings ?? {})
            .flat()
            .every(({ HostPort }) => Number(HostPort) >= 1024),
    "5.10 no network of the host": ({ HostConfig }) => HostConfig.NetworkMode !== "host",
    "5.11 a limit of memory": ({ HostConfig: { Memory, MemorySwap } }) =>
        Memory > 0 && MemorySwap === Memory,
    "5.12 a weight of processors": ({ HostConfig }) => HostConfig.CpuShares > 0,
    "5.13 a read-only root": ({ HostConfig }) => HostConfig.ReadonlyRootfs,
    "5.14 ports on the address that was asked for": ({ HostConfig }) =>
        !HostConfig.PublishAllPorts &&
        Object.values(HostConfig.PortBindings ?? {})
            .flat()
            .every(({ HostIp }) => HostIp === "127.0.0.1"),
    "5.15 a restart policy that ends": ({ HostConfig: { RestartPolicy } }) =>
        RestartPolicy.Name === "" ||
        RestartPolicy.Name === "no" ||
        (RestartPolicy.Name === "on-failure" && RestartPolicy.MaximumRetryCount <= 5),
    "5.16 no processes of the host": ({ HostConfig }) => HostConfig.PidMode === "",
    "5.17 no shared memory of the host": ({ HostConfig }) =>
        ["", "private", "none"].includes(HostConfig.IpcMode),
    "5.18 no device of the host": ({ HostConfig }) => (HostConfig.Devices ?? []).length === 0,
    "5.19 the daemon's limits of open files and processes": ({ HostConfig }) =>
        (HostConfig.Ulimits ?? []).length === 0,
    "5.20 no mount that spreads": ({ Mounts }) =>
        Mounts.every(({ Propagation }) => !Propagation.includes("shared")),
    "5.21 no name of the host": ({ HostConfig }) => HostConfig.UTSMode === "",
    "5.22 seccomp is not off": ({ HostConfig }) =>
        !(HostConfig.SecurityOpt ?? []).some((option) => /seccomp.unconfined/.test(option)),
    "5.25 the daemon's own control group": ({ HostConfig }) => HostConfig.CgroupParent === "",
    "5.26 no new privileges": ({ HostConfig }) =>
        (HostConfig.SecurityOpt ?? []).some((option) => /^no-new-privileges(:true)?$/.test(option)),
    "5.29 a limit of processes": ({ HostConfig }) => (HostConfig.PidsLimit ?? 0) > 0,
    "5.30 not on Docker's default bridge": ({ NetworkSettings }) =>
        !Object.keys(NetworkSettings.Networks).includes("bridge"),
    "5.31 no user namespace of the host": ({ HostConfig }) => HostConfig.UsernsMode === "",
    "5.32 no socket of Docker": ({ Mounts }) =>
        Mounts.every(({ Source }) => !/docker\.sock|containerd\.sock/.test(Source)),
};

/** The numbers of the items that a container does not meet. */
export async function unmetItems(id: string): Promise<string[]> {
    const container = (await inspect(id)) as unknown as Inspected;
    return Object.entries(ITEMS)
        .filter(([, isMet]) => !isMet(container))
        .map(([item]) => item.split(" ")[0] ?? "");
}

/** How many items there are. */
export const ITEM_COUNT = Object.keys(ITEMS).length;
