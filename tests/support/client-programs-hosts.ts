import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientHost, ClientNetwork } from "./client-host";
import { ALL_PROGRAMS, type Place } from "./client-programs";
import { client } from "./fleet";
import { goTool } from "./go-tool";
import { must } from "./run";

/** What is built from Go modules: for the host that has today's Docker, and for the one that has no runtime. */
const BUILT = {
    current: {
        folder: "current-clients",
        packages: [
            "github.com/containerd/containerd/v2/cmd/containerd",
            "github.com/containerd/containerd/v2/cmd/ctr",
            "github.com/docker/cli/cmd/docker",
            "github.com/moby/buildkit/cmd/buildkitd",
            "github.com/moby/moby/v2/cmd/dockerd",
        ],
    },
    plain: {
        folder: "registry-clients",
        packages: [
            "github.com/google/go-containerregistry/cmd/crane",
            "github.com/regclient/regclient/cmd/regctl",
            "oras.land/oras/cmd/oras",
        ],
    },
} as const;
const BUILDX = "github.com/docker/buildx/cmd/buildx";
/** Docker's command is a module from before modules, whose language Go takes for an old one. */
const FLAGS = ["-gcflags=github.com/docker/cli/cmd/docker=-lang=go1.25"];

/** What a program is told its version is: where its own build takes it from. */
const VERSION_OF: Readonly<Record<string, string>> = {
    "github.com/containerd/containerd/v2": "version.Version",
    "github.com/docker/buildx": "version.Version",
    "github.com/docker/cli": "cli/version.Version",
    "github.com/moby/buildkit": "version.Version",
    "github.com/moby/moby/v2": "dockerversion.Version",
    "github.com/google/go-containerregistry": "cmd/crane/cmd.Version",
    "github.com/regclient/regclient": "internal/version.vcsTag",
    "oras.land/oras": "internal/version.Version",
};

const PLUGINS = "/usr/local/libexec/docker/cli-plugins";
const FOLDER = "/var/lib/containerd";

export type Hosts = Readonly<Record<Place, ClientHost>>;

/** Starts a host for every kind of client, with its programs. */
export async function startHosts(network: ClientNetwork): Promise<Hosts> {
    const [docker, podman, containerd, current, plain] = await Promise.all(
        (["docker", "podman", "containerd", "containerd", "light"] as const).map((kind) =>
            network.addHost(kind),
        ),
    );
    const hosts = { docker, podman, containerd, current, plain } as Hosts;
    for (const place of ALL_PROGRAMS ? (["current", "plain"] as const) : (["plain"] as const)) {
        const { folder, packages } = BUILT[place];
        for (const program of packages) {
            const target = `${hosts[place].name}:/usr/local/bin/${basename(program)}`;
            await must("docker", ["cp", await build(folder, program), target]);
        }
    }
    if (!ALL_PROGRAMS) return hosts;
    const buildx = await build("current-clients", BUILDX);
    for (const host of [hosts.docker, hosts.current]) {
        await host.must(`mkdir -p ${PLUGINS}`);
        await must("docker", ["cp", buildx, `${host.name}:${PLUGINS}/docker-buildx`]);
    }
    await startCurrent(hosts.current);
    return hosts;
}

/** Builds a program that knows its version, as its makers' builds do. */
function build(folder: string, goPackage: string): Promise<string> {
    const goModule = Object.keys(VERSION_OF).find((name) => goPackage.startsWith(`${name}/`)) ?? "";
    const pinned = readFileSync(join(__dirname, folder, "go.mod"), "utf8");
    const version = new RegExp(`^\\s*(?:require )?${goModule} v([^+\\s]+)`, "m").exec(pinned)?.[1];
    const variable = `${goModule}/${VERSION_OF[goModule]}=${version}`;
    return goTool(folder, goPackage, [...FLAGS, `-ldflags=-s -w -X ${variable}`]);
}

/** Today's containerd and Docker in the place of Debian's containerd. */
async function startCurrent(host: ClientHost): Promise<void> {
    await host.must(
        "kill $(pidof containerd) && while pidof containerd >/dev/null; do sleep 0.1; done",
    );
    await start(host, `containerd --root ${FOLDER}/current`, "ctr version");
    const network = "--bridge=none --userland-proxy=false --iptables=false --ip6tables=false";
    await start(host, `dockerd ${network} --data-root ${FOLDER}/docker`, "docker info");
}

/** A BuildKit daemon with the configuration that the stack has written, and the builder `own` that uses it. */
export async function startBuildKit(host: ClientHost): Promise<void> {
    const address = "unix:///run/buildkit/buildkitd.sock";
    const options = `--oci-worker-snapshotter=native --containerd-worker=false --root ${FOLDER}/buildkit --addr ${address}`;
    await start(host, `buildkitd ${options}`, "test -S /run/buildkit/buildkitd.sock");
    await host.must(
        `docker buildx inspect own >/dev/null 2>&1 || docker buildx create --name own --driver remote ${address}`,
    );
}

export async function stopBuildKit(host: ClientHost): Promise<void> {
    await host.must(
        "kill $(cat /run/buildkitd.pid) && while [ -S /run/buildkit/buildkitd.sock ]; do sleep 0.1; done",
    );
}

async function start(host: ClientHost, command: string, isReady: string): Promise<void> {
    const name = command.split(" ")[0] ?? "";
    const line = `echo $$ >/run/${name}.pid; exec ${command} >/var/log/${name}.log 2>&1`;
    await must("docker", ["exec", "--detach", host.name, "sh", "-c", line]);
    for (let tries = 0; (await host.run(isReady)).code !== 0; tries++) {
        if (tries > 200) throw new Error(await host.must(`tail -n 20 /var/log/${name}.log`));
        await sleep(100);
    }
}

/** These hosts as a stack's clients. */
export function clientsOf(hosts: Hosts): Record<string, Record<string, unknown>> {
    const targets: Partial<Record<Place, readonly string[]>> = {
        current: ["docker", "containerd", "buildkit"],
        // What these programs trust is what the system does.
        plain: ["system"],
    };
    return Object.fromEntries(
        Object.entries(hosts).map(([place, host]) => [
            place,
            client(host, targets[place as Place] && { targets: targets[place as Place] }),
        ]),
    );
}
