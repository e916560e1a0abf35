import { withHosts } from "../support/client-host";
import { expectHealthy } from "../support/doctor";
import { client, fleet, login, push, REGISTRY_NAME } from "../support/fleet";
import { ask } from "../support/registry-client";
import { withStack } from "../support/stack";

test("Podman and containerd pull what Docker pushed", () =>
    withHosts(["docker", "podman", "containerd"], async (hosts, network) => {
        const [docker, podman, containerd] = hosts;
        const clients = {
            docker: client(docker),
            podman: client(podman),
            containerd: client(containerd),
        };
        await withStack(fleet(network, clients), async (stack) => {
            const image = `${REGISTRY_NAME}:${stack.port}/team/app:1`;
            // Podman keeps locks of its own there, from its first use on.
            await podman.run(`podman pull ${image}`);
            const before = await Promise.all(hosts.map((host) => host.listing()));
            const { printed } = await stack.up();
            // Nobody reads the folder for Kubernetes on this host until it is told to.
            expect(printed).toMatch(
                /\(registry-trust-containerd\):\s+warning: containerd: Kubernetes does not read \/etc\/containerd\/certs\.d/,
            );
            expect(printed).not.toContain("warning: docker:");
            await login(docker, stack);
            const digest = /digest: (sha256:[0-9a-f]{64})/.exec(await push(docker, image))?.[1];
            expect(digest).toBeDefined();

            const { teams } = await stack.outputs();
            const password = teams.dev?.password ?? "";
            const ofPodman = await podman.run(
                `podman login --username dev --password-stdin ${REGISTRY_NAME}:${stack.port} && podman pull ${image} && podman image inspect --format '{{.Digest}}' ${image}`,
                { input: password },
            );
            expect(ofPodman.stdout).toContain(digest);
            const ofContainerd = await containerd.run(
                `read -r password; ctr images pull --hosts-dir /etc/containerd/certs.d --user "dev:$password" ${image} && ctr images list`,
                { input: `${password}\n` },
            );
            expect(ofContainerd.stdout).toContain(digest);

            await containerd.must(
                `cp -p /etc/containerd/config.toml /tmp && printf '[plugins."io.containerd.grpc.v1.cri".registry]\\n  config_path = "/etc/containerd/certs.d"\\n' >>/etc/containerd/config.toml`,
            );
            stack.configure(fleet(network, clients, { authorities: ["1", "2"] }));
            expect((await stack.up()).printed).not.toContain("Kubernetes does not read");
            await containerd.must("cp -p /tmp/config.toml /etc/containerd/config.toml");

            await stack.destroy();
            expect(await Promise.all(hosts.map((host) => host.listing()))).toEqual(before);
        });
    }));

test("an address as the name, in both families, and the port of HTTPS", () =>
    withHosts(
        ["light"],
        async ([host], network) => {
            const clients = { host: client(host, { targets: ["docker", "containerd"] }) };
            const at = (hostname: string, port?: number) =>
                fleet(network, clients, {
                    hostname,
                    bindAddress: hostname,
                    address: undefined,
                    ...(port === undefined ? {} : { port }),
                });
            await withStack(at(network.gateway), async (stack) => {
                const before = await host.listing();
                await stack.up();
                expect(await host.must("ls /etc/docker/certs.d")).toBe(
                    `${network.gateway}:${stack.port}\n`,
                );
                expect(await host.must("cat /etc/hosts")).not.toContain("BEGIN private-registry");

                const ipv6 = network.gatewayIpv6 ?? "";
                stack.configure(at(ipv6));
                const { printed } = await stack.up();
                expect(printed).toContain(`proof: 401 from https://[${ipv6}]:${stack.port}/v2/`);
                expect(await host.must("ls /etc/docker/certs.d")).toBe(`[${ipv6}]:${stack.port}\n`);

                // A name for it, and the address as a person may write it.
                const address = ipv6.toUpperCase();
                stack.configure(fleet(network, clients, { address, bindAddress: ipv6 }));
                await stack.up();
                expect(await host.must("cat /etc/hosts")).toContain(`\n${ipv6} ${REGISTRY_NAME}\n`);
                await expectHealthy(stack);
                expect((await stack.must("preview")).printed).toMatch(/\d+ unchanged/);

                stack.configure(fleet(network, clients, { port: 443 }));
                expect((await stack.up()).printed).toContain(
                    `proof: 401 from https://${REGISTRY_NAME}/v2/`,
                );
                expect(await host.must("ls /etc/docker/certs.d")).toBe(`${REGISTRY_NAME}\n`);
                const outputs = await stack.outputs();
                expect(outputs.registry).toBe(REGISTRY_NAME);
                expect(outputs.teams.dev?.login).toMatch(new RegExp(` ${REGISTRY_NAME}$`));
                const question = { team: "dev", address: network.gateway, hostname: REGISTRY_NAME };
                expect((await ask(outputs, "/v2/", question)).status).toBe(200);
                await stack.destroy();
                expect(await host.listing()).toBe(before);
            });
        },
        { ipv6: true },
    ));

test("a client more, beside twenty, is one more resource and one more connection", () =>
    withHosts(Array<"light">(21).fill("light"), async (hosts, network) => {
        const targets = ["docker"];
        const all = hosts.map((host, index) => [`c${index + 1}`, client(host, { targets })]);
        const clients = (count: number) =>
            Object.fromEntries(all.slice(0, count)) as Record<string, ReturnType<typeof client>>;
        const logins = () => Promise.all(hosts.map((host) => host.logins()));
        const ones = (count: number) => Array<number>(count).fill(1);
        await withStack(fleet(network, clients(20)), async (stack) => {
            await stack.up();
            expect(await logins()).toEqual([...ones(20), 0]);
            stack.configure(fleet(network, clients(21)));
            expect((await stack.up()).printed).toMatch(/\+ 1 created\n +\d+ unchanged\n/);
            expect(await logins()).toEqual(ones(21));
        });
    }));
