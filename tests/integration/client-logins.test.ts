import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KeyPair, withHosts } from "../support/client-host";
import { expectHealthy } from "../support/doctor";
import { client, fleet, REGISTRY_NAME } from "../support/fleet";
import { must, run } from "../support/run";
import { withStack } from "../support/stack";

/** An SSH agent that holds one key. */
class Agent {
    private constructor(
        public readonly socket: string,
        private readonly process: ChildProcess,
    ) {}

    public static async start(folder: string, name: string, key: KeyPair): Promise<Agent> {
        const socket = join(folder, name);
        const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
        const env = { ...process.env, SSH_AUTH_SOCK: socket };
        // 2: no agent answers yet.
        for (let tries = 0; (await run("ssh-add", ["-l"], { env })).code === 2; tries++) {
            if (tries > 100) throw new Error("ssh-agent did not start");
            await sleep(50);
        }
        await must("ssh-add", ["-q", key.privateKeyPath], { env });
        return new Agent(socket, child);
    }

    public async end(): Promise<void> {
        if (this.process.exitCode !== null || this.process.signalCode !== null) return;
        this.process.kill();
        await once(this.process, "exit");
    }
}

test("the keys of an SSH agent log in, whatever its socket is called today, and a dead agent keeps no key from it", () =>
    withHosts(["light"], async ([host], network) => {
        const folder = mkdtempSync(join(tmpdir(), "private-registry-agent-"));
        const agents = await Promise.all(
            ["monday", "tuesday"].map((name) => Agent.start(folder, name, network.key)),
        );
        const [monday, tuesday] = agents as [Agent, Agent];
        const clients = { host: client(host, { targets: ["docker"] }) };
        try {
            // Neither a key nor an agent is named: the agent is what `ssh` itself would take.
            await withStack(
                fleet(network, clients, { ssh: {} }),
                async (stack) => {
                    const up = ["up", "--yes", "--skip-preview"];
                    const before = await host.listing();
                    await stack.up();
                    expect(await host.must("cat /var/log/sshd.log")).toMatch(
                        /Accepted publickey for root/,
                    );
                    expect(await host.must("ls /etc/docker/certs.d")).toContain(REGISTRY_NAME);
                    expect(await stack.exported()).not.toContain(monday.socket);

                    // Asked for by name, and with the agent of another session: nothing is new.
                    await monday.end();
                    stack.environment.SSH_AUTH_SOCK = tuesday.socket;
                    stack.configure(fleet(network, clients, { ssh: { agent: true } }));
                    expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
                    await expectHealthy(stack);

                    // Without any agent that is said, and nothing is tried.
                    stack.environment.SSH_AUTH_SOCK = undefined;
                    const none = await stack.pulumi(up);
                    expect(none.code).not.toBe(0);
                    expect(none.printed).toMatch(
                        /ssh\.agent[^]*SSH_AUTH_SOCK is not set[^]*ssh-add/,
                    );

                    // One that is gone keeps nobody from logging in with a key.
                    stack.environment.SSH_AUTH_SOCK = monday.socket;
                    stack.configure(fleet(network, clients));
                    await stack.up();
                    // With the agent alone it is named as the cause.
                    stack.configure(
                        fleet(network, clients, { ssh: { agent: true }, authorities: ["1", "2"] }),
                    );
                    const gone = await stack.pulumi([...up, "--continue-on-error"]);
                    expect(gone.code).not.toBe(0);
                    expect(gone.printed).toMatch(/SSH agent .*connect: no such file/);

                    // The agent of the session that destroys it is enough.
                    stack.environment.SSH_AUTH_SOCK = tuesday.socket;
                    await stack.destroy();
                    expect(await host.listing()).toBe(before);
                },
                { env: { SSH_AUTH_SOCK: monday.socket } },
            );
        } finally {
            await Promise.all(agents.map((agent) => agent.end()));
            rmSync(folder, { recursive: true, force: true });
        }
    }));
