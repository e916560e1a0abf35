import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientHost, ClientNetwork } from "./client-host";
import { REGISTRY_IMAGE } from "./images";
import type { StackOptions } from "./stack";

/** Makes a host one that runs containers, and hands it images from this machine's Docker. */
export async function prepare(
    host: ClientHost,
    images: readonly string[] = [REGISTRY_IMAGE],
): Promise<void> {
    // With version 1 of control groups each is a mount of its own.
    await host.must(
        "for group in /sys/fs/cgroup/*; do ! mountpoint -q $group || mount -o remount,bind,rw $group; done",
    );
    const save = spawn("docker", ["save", ...images], { stdio: ["ignore", "pipe", "inherit"] });
    const load = spawn("docker", ["exec", "--interactive", host.name, "docker", "load"], {
        stdio: [save.stdout, "ignore", "inherit"],
    });
    const [code] = (await once(load, "close")) as [number];
    if (code !== 0) throw new Error(`docker load on ${host.name}: exit ${code}`);
}

/**
 * OpenSSH with settings, key and known hosts of the test's own. It finds its user's by the account,
 * not by HOME, so they are named on its command line.
 */
export async function withOpenSsh(
    hosts: readonly ClientHost[],
    network: ClientNetwork,
    test: (options: StackOptions) => Promise<void>,
): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-ssh-"));
    try {
        const known = hosts.map(({ address, hostKey }) => `${address} ${hostKey}\n`);
        writeFileSync(join(folder, "known_hosts"), known.join(""));
        writeFileSync(
            join(folder, "config"),
            [
                `IdentityFile ${network.key.privateKeyPath}`,
                "IdentitiesOnly yes",
                `UserKnownHostsFile ${folder}/known_hosts`,
                "GlobalKnownHostsFile /dev/null",
                "StrictHostKeyChecking yes",
            ].join("\n"),
        );
        await test({ tools: { ssh: `PATH=\${PATH#*:} exec ssh -F '${folder}/config' "$@"` } });
    } finally {
        rmSync(folder, { recursive: true });
    }
}

/** Names of what a host's own Docker has. */
export async function dockerOn(host: ClientHost): Promise<Record<string, string[]>> {
    const list = async (command: string) =>
        (await host.must(`docker ${command}`)).split("\n").filter((name) => name !== "");
    return {
        containers: await list("ps --all --format '{{.Names}}'"),
        volumes: await list("volume ls --quiet"),
        networks: await list("network ls --filter type=custom --format '{{.Name}}'"),
    };
}
