import { setTimeout as sleep } from "node:timers/promises";
import { type ClientHost, withHosts } from "../support/client-host";
import { docker, DockerUser } from "../support/docker";
import { doctor, expectHealthy } from "../support/doctor";
import { client, fleet, login, pull, REGISTRY_NAME } from "../support/fleet";
import { REGISTRY_IMAGE } from "../support/images";
import { must } from "../support/run";
import { freePort, withStack } from "../support/stack";

/** A registry that plays Docker Hub and another one: without TLS, at an address that containers and this machine reach. */
class Upstream {
    private readonly user = new DockerUser();

    private constructor(
        private readonly container: string,
        private readonly port: number,
        public readonly url: string,
    ) {}

    public static async start(address: string): Promise<Upstream> {
        const port = await freePort();
        const id = await must("docker", [
            ...["run", "--detach", "--label", "private-registry-test=upstream"],
            ...["--publish", `${address}:${port}:5000`, "--publish", `127.0.0.1:${port}:5000`],
            ...["--env", "OTEL_TRACES_EXPORTER=none", REGISTRY_IMAGE],
        ]);
        const url = `http://${address}:${port}`;
        const answers = () =>
            fetch(`${url}/v2/`).then(
                ({ ok }) => ok,
                () => false,
            );
        while (!(await answers())) await sleep(100);
        return new Upstream(id.trim(), port, url);
    }

    /** Pushes a new image; returns its digest. */
    public async push(repository: string): Promise<string> {
        const image = `127.0.0.1:${this.port}/${repository}`;
        await this.user.makeImage(image);
        return this.user.push(image);
    }

    public async stop(): Promise<void> {
        await must("docker", ["stop", "--time", "1", this.container]);
    }

    public async dispose(): Promise<void> {
        await this.user.dispose();
        await docker("rm", "--force", "--volumes", this.container);
    }
}

async function mirrorsOf(host: ClientHost): Promise<string> {
    return host.must("docker info --format '{{json .RegistryConfig.Mirrors}}'");
}

test("Docker, Podman and containerd pull through mirrors by the names that images have, also while the upstream is down", () =>
    withHosts(["docker", "podman", "containerd"], async (hosts, network) => {
        const [withDocker, podman, containerd] = hosts;
        const upstream = await Upstream.start(network.gateway);
        const [hub, other] = [await freePort(), await freePort()];
        const mirrors = {
            hub: { registry: "docker.io", upstream: upstream.url, port: hub },
            other: { registry: "quay.io", upstream: upstream.url, port: other, anonymous: false },
        };
        const clients = {
            docker: client(withDocker),
            podman: client(podman),
            containerd: client(containerd),
        };
        try {
            const tool = await upstream.push("library/mirrored-tool:1");
            const app = await upstream.push("team/app:1");
            await withStack(fleet(network, clients, { mirrors }), async (stack) => {
                // Podman keeps locks of its own there, from its first use on.
                await podman.run("podman pull docker.io/library/mirrored-tool:1");
                const before = await Promise.all(hosts.map((host) => host.listing()));
                const pid = await withDocker.must("cat /var/run/docker.pid");
                expect(await pull(withDocker, "mirrored-tool:1")).not.toContain(tool);

                const { printed } = await stack.up();
                expect(printed).toContain(
                    `proof: mirror of docker.io: 200 from https://${REGISTRY_NAME}:${hub}/v2/`,
                );
                expect(printed).toContain(
                    `proof: mirror of quay.io: 401 from https://${REGISTRY_NAME}:${other}/v2/`,
                );
                expect(printed).not.toMatch(/warning: (Docker|.*mirror)/);
                expect((await stack.up()).printed).toMatch(/\n +\d+ unchanged\n/);

                const pullAll = async () => {
                    expect(await pull(withDocker, "mirrored-tool:1")).toContain(tool);
                    expect(
                        await podman.must(
                            "podman pull docker.io/library/mirrored-tool:1 && podman image inspect --format '{{.Digest}}' docker.io/library/mirrored-tool:1",
                        ),
                    ).toContain(tool);
                    expect(
                        await containerd.must(
                            "ctr images pull --hosts-dir /etc/containerd/certs.d docker.io/library/mirrored-tool:1 && ctr images list",
                        ),
                    ).toContain(tool);
                };
                await pullAll();

                // What somebody takes away is found, and put back by a reload as well.
                await expectHealthy(stack);
                await withDocker.must("echo '{}' >/etc/docker/daemon.json");
                await containerd.must("rm /etc/containerd/certs.d/docker.io/hosts.toml");
                const found = await doctor(stack);
                expect(found.code).not.toBe(0);
                expect(found.stdout).toMatch(/^docker .* docker missing: \S+daemon\.json/m);
                expect(found.stdout).toMatch(/^containerd .* containerd missing: /m);
                await doctor(stack, "repair");
                await expectHealthy(stack);

                // What wants a login gets it: by the name of the image where the client can, by the mirror's own where not.
                const address = `${REGISTRY_NAME}:${other}`;
                const { teams } = await stack.outputs();
                const input = teams.dev?.password ?? "";
                await login(withDocker, stack);
                await withDocker.must(`docker login --username dev --password-stdin ${address}`, {
                    input,
                });
                expect(await pull(withDocker, `${address}/team/app:1`)).toContain(app);
                const unknown = await podman.run("podman pull quay.io/team/app:1");
                expect(unknown.code).not.toBe(0);
                expect(
                    await podman.must(
                        `podman login --username dev --password-stdin ${address} && podman pull quay.io/team/app:1 && podman image inspect --format '{{.Digest}}' quay.io/team/app:1`,
                        { input },
                    ),
                ).toContain(app);
                expect(
                    await containerd.must(
                        `read -r password; ctr images pull --hosts-dir /etc/containerd/certs.d --user "dev:$password" quay.io/team/app:1 && ctr images list`,
                        { input: `${input}\n` },
                    ),
                ).toContain(app);

                await upstream.stop();
                await withDocker.must("docker image rm mirrored-tool:1");
                await podman.must("podman image rm docker.io/library/mirrored-tool:1");
                await containerd.must("ctr images rm --sync docker.io/library/mirrored-tool:1");
                await pullAll();

                expect(await withDocker.must("cat /var/run/docker.pid")).toBe(pid);
                stack.configure(fleet(network, clients, { mirrors: { other: mirrors.other } }));
                await stack.up();
                expect(await mirrorsOf(withDocker)).toMatch(/^(\[\]|null)\n$/);
                await withDocker.must("rm -rf /root/.docker");

                await stack.destroy();
                expect(await Promise.all(hosts.map((host) => host.listing()))).toEqual(before);
                expect(await withDocker.must("cat /var/run/docker.pid")).toBe(pid);
            });
        } finally {
            await upstream.dispose();
        }
    }));
