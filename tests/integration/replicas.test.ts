import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { DockerUser } from "../support/docker";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { hasRedis, RedisServer, S3Server, ServiceNetwork } from "../support/s3";
import { type Outputs, TestStack, withStack } from "../support/stack";
import { askOnce, pushBlob, Stream } from "../support/stream";
import { runningTasks, unlessInSwarm, withSwarm, words } from "../support/swarm";

let network: ServiceNetwork;
let s3: S3Server;
let redis: RedisServer | undefined;

beforeAll(async () => {
    network = await ServiceNetwork.create();
    s3 = await S3Server.create(network.gateway);
    redis = hasRedis ? await RedisServer.create(network.gateway) : undefined;
});
afterAll(async () => {
    await redis?.dispose();
    await s3.dispose();
    await network.dispose();
});

const config = (changes: Record<string, unknown> = {}) => ({
    swarm: { memoryMiB: 512, cpus: 1 },
    replicas: 3,
    storage: s3.config(),
    ...(redis && { redis: redis.config() }),
    ...changes,
});

/** Containers of the service's tasks on this machine. */
const replicasOf = ({ containerName }: TestStack) =>
    words("ps", "--quiet", "--filter", `label=com.docker.swarm.service.name=${containerName}`);

/** Addresses of the replicas on the bridge that leads out of a Swarm's networks: this machine reaches them there. */
async function bridgeAddresses(stack: TestStack): Promise<string[]> {
    const format = "{{json .Containers}}";
    const found = await must("docker", [
        ...["network", "inspect", "--format", format, "docker_gwbridge"],
    ]);
    const all = Object.entries(JSON.parse(found) as Record<string, { IPv4Address: string }>);
    const replicas = await replicasOf(stack);
    return all
        .filter(([id]) => replicas.some((replica) => id.startsWith(replica)))
        .map(([, { IPv4Address }]) => IPv4Address.replace(/\/.*$/, ""));
}

/** What answers at an address by TLS, and what a request comes to that shows no certificate: an answer, or the error. */
function withoutCertificate(host: string): Promise<{ name?: string; ending: string }> {
    return new Promise((resolve) => {
        let name: string | undefined;
        const socket = connect({ host, port: 5000, rejectUnauthorized: false }, () => {
            name = String(socket.getPeerCertificate().subject.CN);
            socket.write("GET /v2/ HTTP/1.1\r\nHost: registry\r\n\r\n");
        });
        socket.setTimeout(5000, () => socket.destroy(new Error("no answer")));
        socket.on("data", (data: Buffer) => {
            resolve({ name, ending: data.toString() });
            socket.destroy();
        });
        socket.on("error", (error: NodeJS.ErrnoException) =>
            resolve({ name, ending: error.code ?? error.message }),
        );
    });
}

async function find(outputs: Outputs, digest: string): Promise<number> {
    const path = `/v2/stream/blobs/blobs/${digest}`;
    return (await ask(outputs, path, { team: "dev", method: "HEAD" })).status;
}

test("three replicas serve what one of them took, and are upgraded and scaled without a failed request", () =>
    withSwarm(() =>
        withStack({}, async (stack) => {
            stack.configure(config());
            await stack.up();
            const outputs = await stack.outputs();
            expect(await runningTasks(stack.containerName)).toHaveLength(3);
            await stack.up("--expect-no-changes");

            const user = new DockerUser();
            try {
                const name = `localhost:${stack.port}/team/app:1`;
                await user.login(
                    `localhost:${stack.port}`,
                    "dev",
                    outputs.teams.dev?.password ?? "",
                );
                await user.makeImage(name);
                const pushed = await user.push(name);
                expect(await user.pullAnew(name)).toBe(pushed);
            } finally {
                await user.dispose();
            }

            // By its own address a replica shows its certificate, wants the gateway's, and goes no further without.
            const addresses = await bridgeAddresses(stack);
            expect(await Promise.all(addresses.map(withoutCertificate))).toEqual(
                Array.from({ length: 3 }, () => ({
                    name: "registry",
                    ending: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
                })),
            );
            const digest = await pushBlob(outputs, "dev");
            for (let asked = 0; asked < 12; asked++) expect(await find(outputs, digest)).toBe(200);

            const requests = Stream.start(2, () => askOnce(outputs, "dev"));
            const finds = Stream.start(1, async () => {
                const status = await find(outputs, digest);
                if (status !== 200) throw new Error(`HEAD of a blob: ${status}`);
            });
            const before = new Set((await runningTasks(stack.containerName)).map(({ id }) => id));
            stack.configure(config({ deleteEnabled: false }));
            await stack.up();
            const after = await runningTasks(stack.containerName);
            expect(after.filter(({ id }) => before.has(id))).toEqual([]);
            stack.configure(config({ deleteEnabled: false, replicas: 5 }));
            await stack.up();
            expect(await runningTasks(stack.containerName)).toHaveLength(5);
            stack.configure(config({ deleteEnabled: false, replicas: 1 }));
            await stack.up();
            expect(await runningTasks(stack.containerName)).toHaveLength(1);
            expect([(await requests.end()).failures, (await finds.end()).failures]).toEqual([
                [],
                [],
            ]);

            expect((await stack.exported()).includes(s3.secrets()[0] ?? "")).toBe(false);
            const service = await must("docker", ["service", "inspect", stack.containerName]);
            for (const secret of s3.secrets()) expect(service).not.toContain(secret);

            await stack.destroy();
            expect(
                await words("service", "ls", "--quiet", "--filter", `name=${stack.containerName}`),
            ).toEqual([]);
            expect(
                await words("secret", "ls", "--quiet", "--filter", `name=${stack.containerName}`),
            ).toEqual([]);
            // The images are still there.
            stack.configure(config({ replicas: 1 }));
            await stack.up();
            expect(await find(await stack.outputs(), digest)).toBe(200);
        }),
    ));

test("a replica, Redis and the storage that are killed one after the other are got over", () =>
    withSwarm(() =>
        withStack({}, async (stack) => {
            stack.configure(config());
            await stack.up();
            const outputs = await stack.outputs();
            const digest = await pushBlob(outputs, "dev");
            const accepted: string[] = [];
            const pushes = Stream.start(1, async () => {
                accepted.push(await pushBlob(outputs, "dev"));
            });
            const [replica = ""] = await replicasOf(stack);
            await must("docker", ["kill", replica]);
            await sleep(3000);
            if (redis !== undefined) {
                await redis.kill();
                await sleep(3000);
                await redis.start();
            }
            await s3.kill();
            await sleep(3000);
            await s3.start();
            await until(async () => (await find(outputs, digest)) === 200);
            const count = accepted.length;
            await until(() => Promise.resolve(accepted.length > count + 3));
            await pushes.end();
            await until(async () => (await runningTasks(stack.containerName)).length === 3);
            // What was accepted is there, whatever was killed meanwhile.
            for (const pushed of accepted) {
                expect([pushed, await find(outputs, pushed)]).toEqual([pushed, 200]);
            }
        }),
    ));

test("what cannot be is refused before anything changes", () =>
    withStack({}, async (stack) => {
        stack.configure({ swarm: true, replicas: 3 });
        const { code, printed } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
        expect(code).not.toBe(0);
        expect(printed).toContain("set only with `storage.s3`: replicas cannot share a volume");
        await unlessInSwarm(async () => {
            stack.configure(config());
            const refused = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            expect(refused.printed).toContain("the Docker host is no manager of a Swarm");
        });
        expect(await stack.containers()).toEqual([]);
    }));

async function until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 120_000;
    while (!(await holds().catch(() => false))) {
        if (Date.now() > end) throw new Error("it did not come about within two minutes");
        await sleep(500);
    }
}
