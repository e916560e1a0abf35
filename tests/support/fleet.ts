import { setTimeout as sleep } from "node:timers/promises";
import type { ClientHost, ClientNetwork } from "./client-host";
import type { TestStack } from "./stack";

/** The name that the client hosts of the tests know the registry by. */
export const REGISTRY_NAME = "registry.example.test";

/** Configuration of one client: how to log in to this host. */
export function client(host: ClientHost, fields: Record<string, unknown> = {}) {
    return { host: host.address, hostKey: host.hostKey, ...fields };
}

/** Configuration of a stack whose registry these clients reach at the gateway of their network. */
export function fleet(
    network: ClientNetwork,
    clients: Record<string, Record<string, unknown>>,
    config: Record<string, unknown> = {},
): Record<string, unknown> {
    return {
        hostname: REGISTRY_NAME,
        address: network.gateway,
        bindAddress: network.gateway,
        ssh: { privateKeyPath: network.key.privateKeyPath },
        clients,
        ...config,
    };
}

/** Makes an image on a host and pushes it; returns what Docker said. */
export async function push(host: ClientHost, image: string): Promise<string> {
    await host.must(
        `head -c 64 /dev/urandom >/tmp/content && tar -c -C /tmp content | docker import - ${image}`,
    );
    const { stdout, stderr } = await host.run(`docker push ${image}`);
    return stdout + stderr;
}

/** Pulls an image; returns what Docker said. It looks at /etc/hosts anew only every five seconds, as Go does. */
export async function pull(host: ClientHost, image: string): Promise<string> {
    for (let tries = 0; ; tries++) {
        const { stdout, stderr } = await host.run(`docker pull ${image}`);
        if (tries === 8 || !stderr.includes("no such host")) return stdout + stderr;
        await sleep(1000);
    }
}

/** Logs Docker on a host in as the team dev. */
export async function login(host: ClientHost, stack: TestStack): Promise<void> {
    const { teams } = await stack.outputs();
    for (let tries = 0; ; tries++) {
        const { stdout, stderr } = await host.run(teams.dev?.login ?? "");
        if (stdout.includes("Login Succeeded")) return;
        if (tries === 8) throw new Error(stderr);
        await sleep(1000);
    }
}
