import { readFileSync } from "node:fs";
import { ApiImages } from "../support/api-images";
import { ITEM_COUNT, unmetItems } from "../support/benchmark-items";
import { docker, inspect } from "../support/docker";
import { maintain } from "../support/maintenance";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { ServiceNetwork } from "../support/s3";
import { freePort, TestStack, withStack } from "../support/stack";

// What they do not meet; docs/security.md has the reason for each.
const OF_SERVING = ["4.1", "5.15", "5.29"];
const OF_LOADERS = ["4.1", "4.6", "5.13", "5.29"];
const OF_HELPERS = ["4.1", "4.6"];

/** The items that the stack's containers do not meet, by the container's name; a loader's is another one in every stack. */
async function unmet(stack: TestStack): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const id of await stack.containers()) {
        const { Name } = (await inspect(id)) as unknown as { Name: string };
        const role = Name.replace(/^\//, "").replace(stack.containerName, "");
        found[/-loader-/.exec(role) ? role.replace(/-[0-9a-f]{7}$/, "") : role] =
            await unmetItems(id);
    }
    return found;
}

/** TCP and UDP ports that a container listens on, for anybody but itself. */
async function openPorts(name: string): Promise<number[]> {
    const tables = ["tcp", "tcp6", "udp", "udp6"].map((table) => `/proc/net/${table}`);
    const { stdout } = await docker("exec", name, "cat", ...tables);
    const open = stdout
        .split("\n")
        .map((line) => /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ (0A|07) /.exec(line))
        .filter((match) => match !== null)
        // Addresses of IPv4 are written the other way round: 127 is at their end, whatever stands before it.
        .filter(([, address = ""]) => !/^(.{6}7F|0{24}01000000|0{16}FFFF0000.{6}7F)$/.test(address))
        .map(([, , port = ""]) => Number.parseInt(port, 16));
    return [...new Set(open)].sort();
}

/** What a stack's containers publish on the Docker host. */
async function publishedPorts(stack: TestStack): Promise<string[]> {
    const published = [];
    for (const id of await stack.containers()) {
        const { stdout } = await docker("port", id);
        published.push(...stdout.split("\n").filter((line) => line !== ""));
    }
    return published.sort();
}

/** Where Go programs and Caddy show what is in them. */
const INSIDES = [
    ...["/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars"],
    ...["/debug/health", "/metrics", "/config/", "/load", "/stop", "/reverse_proxy/upstreams"],
    ...["/v2/../debug/pprof/", "/v2/debug/pprof/", "/tls.pem", "/health"],
];

async function expectNoInsides(stack: TestStack): Promise<void> {
    const outputs = await stack.outputs();
    for (const path of INSIDES) {
        for (const method of ["GET", "POST"]) {
            const { status, body } = await ask(outputs, path, { team: "dev", method });
            // The registry answers paths with .. by the way to the right one.
            expect([path, [301, 404, 405].includes(status)]).toEqual([path, true]);
            expect(body).not.toMatch(/goroutine|heap profile|cmdline|go_|"apps"|PRIVATE KEY/);
        }
    }
}

test("the registry alone meets the benchmark, and shows its port and nothing of its insides", () =>
    withStack({}, async (stack) => {
        const metricsPort = await freePort();
        stack.configure({ metricsPort });
        await stack.up();
        expect(ITEM_COUNT).toBeGreaterThan(20);
        expect(await unmet(stack)).toEqual({
            "": OF_SERVING,
            "registry-server-loader": OF_LOADERS,
        });
        expect(await publishedPorts(stack)).toEqual([
            `5000/tcp -> 127.0.0.1:${stack.port}`,
            `5001/tcp -> 127.0.0.1:${metricsPort}`,
        ]);
        await expectNoInsides(stack);
        // With metrics the debug server has to listen where Docker's forwarding finds it; without, on its own loopback.
        expect(await openPorts(stack.containerName)).toEqual([5000, 5001]);
        stack.configure({});
        await stack.up();
        expect(await openPorts(stack.containerName)).toEqual([5000]);

        // What the provider cannot set may be set by hand: the program neither minds nor undoes it.
        await must("docker", ["update", "--pids-limit", "256", stack.containerName]);
        await stack.up("--refresh", "--expect-no-changes");
        expect(await unmet(stack)).toMatchObject({
            "": OF_SERVING.filter((item) => item !== "5.29"),
        });
        expect((await ask(await stack.outputs(), "/v2/", { team: "dev" })).status).toBe(200);
    }));

test("the gateway's containers meet it, too, and only the gateway has a network", () =>
    withStack({ gateway: true, teams: { dev: { push: ["dev/*"] } } }, async (stack) => {
        await stack.up();
        expect(await unmet(stack)).toEqual({
            "": OF_SERVING,
            "-access": OF_SERVING,
            "-gateway": OF_SERVING,
            "registry-gateway-loader": OF_LOADERS,
            "registry-server-loader": OF_LOADERS,
        });
        expect(await publishedPorts(stack)).toEqual([`5000/tcp -> 127.0.0.1:${stack.port}`]);
        await expectNoInsides(stack);
        expect(await openPorts(`${stack.containerName}-gateway`)).toEqual([5000]);
        for (const role of ["", "-access"]) {
            const name = `${stack.containerName}${role}`;
            expect(await openPorts(name)).toEqual([]);
            const { HostConfig, State } = (await inspect(name)) as unknown as {
                HostConfig: { NetworkMode: string };
                State: { Health: { Status: string } };
            };
            expect(HostConfig.NetworkMode).toBe("none");
            expect(State.Health.Status).not.toBe("unhealthy");
            await must("docker", [
                "exec",
                name,
                ...["wget", "-q", "-O", "/dev/null"],
                `http://127.0.0.1:5001/${role === "" ? "debug/" : ""}health`,
            ]);
        }
    }));

test("a Redis of the registry's own and a mirror meet it, too; of the two only the mirror has a port", async () => {
    const network = await ServiceNetwork.create();
    const upstream = { bindAddress: "0.0.0.0", address: network.gateway };
    try {
        await withStack(upstream, async (origin) => {
            await origin.up();
            const { caCertificate, teams } = await origin.outputs();
            const port = await freePort();
            const lab = {
                upstream: `${network.gateway}:${origin.port}`,
                port,
                caCertificate,
                credentials: { username: "dev", password: teams.dev?.password },
            };
            await withStack({ redis: true, mirrors: { lab } }, async (stack) => {
                await stack.up();
                expect(await unmet(stack)).toEqual({
                    "": OF_SERVING,
                    "-mirror-lab": OF_SERVING,
                    "-redis": OF_SERVING,
                    "registry-mirror-lab-loader": OF_LOADERS,
                    "registry-server-loader": OF_LOADERS,
                    "registry-server-redis-loader": OF_LOADERS,
                });
                expect(await publishedPorts(stack)).toEqual(
                    [stack.port, port].map((each) => `5000/tcp -> 127.0.0.1:${each}`).sort(),
                );
            });
        });
    } finally {
        await network.dispose();
    }
});

test("a helper of a backup or a restore has every limit that the benchmark asks for", () =>
    withStack(
        {},
        async (stack) => {
            await stack.up();
            await new ApiImages(await stack.outputs()).image("team/app", "1");
            const env = { PRIVATE_REGISTRY_BACKUP_PASSPHRASE: "only for this test" };
            const file = stack.path("backup");
            const mustMaintain = async (command: "backup" | "restore", mode: string) => {
                const { code, stderr } = await maintain(stack, command, [file, "", mode, ""], env);
                expect([command, code, stderr]).toMatchObject([command, 0, expect.anything()]);
            };
            await mustMaintain("backup", "");
            const data = "/var/lib/registry/docker";
            await must("docker", ["exec", stack.containerName, "rm", "-r", data]);
            await mustMaintain("restore", "images-only");
            const calls = readFileSync(stack.path(".calls"), "utf8").split("\0\n");
            const started = calls
                .map((line) => line.split("\0"))
                .filter((words) => words[2] === "run");
            for (const access of ["ro", "rw"]) {
                const mount = `${stack.dataVolume}:/data:${access}`;
                expect(started.some((words) => words.includes(mount))).toBe(true);
            }
            for (const call of started) {
                // The same container once more, which is not started and so can be looked at.
                const words = call.slice(3).filter((word) => word !== "--rm");
                const id = (await must("docker", ["create", ...words])).trim();
                try {
                    expect(await unmetItems(id)).toEqual(OF_HELPERS);
                } finally {
                    await docker("rm", "--volumes", id);
                }
            }
        },
        {
            tools: {
                docker: [
                    'printf "%s\\0" "$@" >>.calls; echo >>.calls',
                    `PATH=\${PATH#*:} exec docker "$@"`,
                ].join("\n"),
            },
        },
    ));
