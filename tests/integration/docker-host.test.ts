import { withHosts } from "../support/client-host";
import { dockerOn, prepare, withOpenSsh } from "../support/docker-machine";
import { expectHealthy } from "../support/doctor";
import { interrupted, recover } from "../support/interrupted";
import { client, fleet, login, pull, push, REGISTRY_NAME } from "../support/fleet";
import { withStack } from "../support/stack";
import { status } from "../support/status";

test("the registry runs on another machine, reached with OpenSSH, and others trust it", () =>
    withHosts(["docker", "docker", "light"], async ([server, a, b], network) => {
        await prepare(server);
        const clients = { a: client(a), b: client(b, { targets: ["docker"] }) };
        const config = fleet(network, clients, {
            dockerHost: `ssh://root@${server.address}`,
            address: server.address,
            bindAddress: "0.0.0.0",
        });
        await withOpenSsh([server], network, (options) =>
            withStack(
                config,
                async (stack) => {
                    const before = await Promise.all([a, b].map((host) => host.listing()));
                    expect((await stack.up()).printed).toContain("proof: 401 from");
                    const made = await dockerOn(server);
                    expect(made.containers).toContain(stack.containerName);
                    // Nothing of it is on this machine.
                    expect(await stack.containers()).toEqual([]);

                    const registry = `${REGISTRY_NAME}:${stack.port}`;
                    const image = `${registry}/team/app:1`;
                    await login(a, stack);
                    expect(await push(a, image)).toContain("digest: sha256:");
                    await a.must(`docker image rm ${image}`);
                    expect(await pull(a, image)).toContain("Downloaded newer image");

                    expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
                    expect(await expectHealthy(stack)).toMatch(/^a +.* proved +(?:199|200)$/m);
                    const { stdout } = await status(stack, []);
                    expect(stdout).toContain("All is as it was set up.");
                    expect(stdout).toMatch(
                        /^ {2}registry +ok +running, \w+ +.* \S+ +registry:3\.\d+\.\d+$/m,
                    );
                    expect(stdout).toMatch(/^ {2}dev +dev +everything +.* UTC \(pull\)$/m);
                    expect(stdout).toMatch(/^ {2}team\/app +[\d.]+ k?B +1: 1$/m);
                    expect(stdout).toMatch(/^ {2}images +volume \S+ on ssh:\S+ +\d.*B +\d.*B/m);

                    const stopped = await server.must(`docker stop ${stack.containerName}`);
                    expect(stopped.trim()).toBe(stack.containerName);
                    expect((await stack.up("--refresh")).printed).toMatch(/[~+]/);
                    await expectHealthy(stack);

                    await stack.destroy();
                    expect(await dockerOn(server)).toEqual({
                        containers: [],
                        volumes: [stack.dataVolume],
                        networks: [],
                    });
                    const after = await Promise.all([a, b].map((host) => host.listing()));
                    expect(after).toEqual(before);
                },
                options,
            ),
        );
    }));

test("a Docker daemon that is killed under a run fails it, and the next one goes on", () =>
    withHosts(["docker"], async ([server], network) => {
        await prepare(server);
        const config = {
            dockerHost: `ssh://root@${server.address}`,
            address: server.address,
            bindAddress: "0.0.0.0",
        };
        await withOpenSsh([server], network, (options) =>
            withStack(
                config,
                async (stack) => {
                    const { code } = await interrupted(stack, "up", "loader creating", () =>
                        server.must("kill -9 $(pidof dockerd)"),
                    );
                    expect(code).not.toBe(0);
                    await server.must(
                        "rm -f /var/run/docker.pid; (dockerd >>/var/log/dockerd.log 2>&1 &); until docker info; do sleep 0.2; done",
                    );
                    await recover(stack);
                    await stack.up();
                    await expectHealthy(stack);
                    const { containers } = await dockerOn(server);
                    expect(containers).toHaveLength(2);
                },
                options,
            ),
        );
    }));
