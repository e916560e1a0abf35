import { withHosts } from "../support/client-host";
import { dockerOn, prepare, withOpenSsh } from "../support/docker-machine";
import { doctor, expectHealthy } from "../support/doctor";
import { interrupted, recover } from "../support/interrupted";
import { client, fleet, login, pull, push, REGISTRY_NAME } from "../support/fleet";
import { withStack } from "../support/stack";
import { status } from "../support/status";

test("the registry runs on another machine, reached with OpenSSH, and others trust it", () =>
    withHosts(["docker", "docker", "light"], async ([server, a, b], network) => {
        await prepare(server);
        const clients = { a: client(a), b: client(b, { targets: ["docker"] }) };
        const config = (of: Partial<typeof clients>, authorities: string[]) =>
            fleet(network, of, {
                dockerHost: `ssh://root@${server.address}`,
                address: server.address,
                bindAddress: "0.0.0.0",
                authorities,
            });
        await withOpenSsh([server], network, (options) =>
            withStack(
                config(clients, ["1"]),
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

                    // Another authority, and one client less.
                    for (const authorities of [
                        ["1", "2"],
                        ["2", "1"],
                    ]) {
                        stack.configure(config(clients, authorities));
                        await stack.up();
                        await a.must(`docker image rm ${image}`);
                        expect(await pull(a, image)).toContain("Downloaded newer image");
                    }
                    stack.configure(config({ a: clients.a }, ["2"]));
                    expect((await stack.up()).printed).toContain("proof: 401 from");
                    expect(await b.listing()).toBe(before[1]);
                    expect(await a.must(`cat '/etc/docker/certs.d/${registry}/ca.crt'`)).toBe(
                        (await stack.outputs()).caCertificate,
                    );
                    await a.must(`docker image rm ${image}`);
                    expect(await pull(a, image)).toContain("Downloaded newer image");
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

test("a Docker daemon that is killed under a run fails it, and the next one goes on; a port that is another one by hand is found, and put right", () =>
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
                    const startDocker =
                        "rm -f /var/run/docker.pid; (dockerd >>/var/log/dockerd.log 2>&1 &); until docker info; do sleep 0.2; done";
                    await server.must(startDocker);
                    await recover(stack);
                    await stack.up();
                    await expectHealthy(stack);
                    const { containers } = await dockerOn(server);
                    expect(containers).toHaveLength(2);

                    // Only with the daemon down another port can be published by hand. It is found, and put right.
                    const port = stack.port === 5555 ? 5556 : 5555;
                    await server.must(
                        `settings=$(docker inspect --format '/var/lib/docker/containers/{{.Id}}/hostconfig.json' ${stack.containerName})
                        kill $(pidof dockerd); while pidof dockerd; do sleep 0.1; done
                        sed -i 's/"HostPort":"${stack.port}"/"HostPort":"${port}"/' "$settings"
                        ${startDocker}; until docker port ${stack.containerName} | grep ':${port}$'; do sleep 0.2; done`,
                    );
                    const { code: differs, stdout } = await doctor(stack);
                    expect(stdout).toMatch(/WRONG +container +was changed: ports/);
                    expect(stdout).toMatch(/WRONG +proof +/);
                    expect(differs).toBe(1);
                    await doctor(stack, "repair");
                    await stack.up("--refresh");
                    await expectHealthy(stack);
                },
                options,
            ),
        );
    }));
