import { setTimeout as sleep } from "node:timers/promises";
import { must } from "../support/run";
import { askOwnRedis } from "../support/own-redis";
import { S3Server, ServiceNetwork } from "../support/s3";
import { ask } from "../support/registry-client";
import { type Outputs, withStack } from "../support/stack";
import { pushBlob, Stream } from "../support/stream";
import { runningTasks, withSwarm, words } from "../support/swarm";

let network: ServiceNetwork;
let s3: S3Server;

beforeAll(async () => {
    network = await ServiceNetwork.create();
    s3 = await S3Server.create(network.gateway);
});
afterAll(async () => {
    await s3.dispose();
    await network.dispose();
});

const containersOf = (service: string) =>
    words("ps", "--quiet", "--filter", `label=com.docker.swarm.service.name=${service}`);

/** Asks until a task answers: a Swarm puts one that is dead in another's place. */
async function askService(service: string, command: string): Promise<string> {
    const end = Date.now() + 60_000;
    for (;;) {
        const [container] = await containersOf(service);
        const said =
            container === undefined
                ? "no such task yet"
                : await askOwnRedis(container, command, true);
        if (!/error|could not|no such|is not running/i.test(said)) return said;
        if (Date.now() > end) throw new Error(said);
        await sleep(500);
    }
}

async function find(outputs: Outputs, digest: string): Promise<number> {
    const path = `/v2/stream/blobs/blobs/${digest}`;
    return (await ask(outputs, path, { team: "dev", method: "HEAD" })).status;
}

test("replicas share a Redis of their own by TLS, go on while it is dead, and take it along when they go", () =>
    withSwarm(() =>
        withStack({}, async (stack) => {
            stack.configure({ swarm: true, replicas: 2, storage: s3.config(), redis: true });
            await stack.up();
            const redis = `${stack.containerName}-redis`;
            const outputs = await stack.outputs();
            expect(await runningTasks(redis)).toHaveLength(1);
            const digest = await pushBlob(outputs, "dev");
            for (let asked = 0; asked < 6; asked++) expect(await find(outputs, digest)).toBe(200);
            expect(await askService(redis, "--scan")).toContain("repository::stream/blobs::blobs");
            await stack.up("--expect-no-changes");

            // In the clear it is not to be had, and its password stands in no place that Docker shows.
            const [container = ""] = await containersOf(redis);
            expect(await askOwnRedis(container, "DBSIZE")).toMatch(/error|reset|closed|refused/i);
            const password = await must("docker", [
                ...["exec", container, "cat", "/etc/private-registry/redis-password"],
            ]);
            const shown = await must("docker", [
                ...["service", "inspect", redis, stack.containerName],
            ]);
            expect(shown).not.toContain(password);
            expect(await stack.exported()).not.toContain(password);

            const finds = Stream.start(1, async () => {
                const status = await find(outputs, digest);
                if (status !== 200) throw new Error(`HEAD of a blob: ${status}`);
            });
            const accepted: string[] = [];
            const pushes = Stream.start(1, async () => {
                accepted.push(await pushBlob(outputs, "dev"));
            });
            await must("docker", ["kill", container]);
            await sleep(5000);
            expect(await askService(redis, "PING")).toBe("PONG");
            await sleep(2000);
            expect([(await finds.end()).failures, (await pushes.end()).failures]).toEqual([[], []]);
            expect(accepted.length).toBeGreaterThan(0);
            for (const pushed of accepted) expect(await find(outputs, pushed)).toBe(200);
            // The new task has another address, which a replica learns when it asks for the name again.
            while ((await askService(redis, "DBSIZE")) === "0") {
                expect(await find(outputs, digest)).toBe(200);
                await sleep(500);
            }

            await stack.destroy();
            const filter = ["--quiet", "--filter", `name=${stack.containerName}`];
            for (const kind of ["service", "secret", "network"]) {
                expect([kind, await words(kind, "ls", ...filter)]).toEqual([kind, []]);
            }
        }),
    ));
