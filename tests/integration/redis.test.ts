import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { docker, inspect } from "../support/docker";
import { doctor, expectHealthy } from "../support/doctor";
import { REGISTRY_IMAGE } from "../support/images";
import { maintain } from "../support/maintenance";
import { askOwnRedis } from "../support/own-redis";
import { must } from "../support/run";
import { type TestStack, withStack } from "../support/stack";
import { words } from "../support/swarm";

const redisOf = ({ containerName }: TestStack) => `${containerName}-redis`;
/** The registry goes by its Redis. A question that it does not answer within half a second leaves nothing there. */
async function expectRemembered(
    stack: TestStack,
    images: ApiImages,
    reference: string,
): Promise<void> {
    const log = await docker("logs", stack.containerName);
    expect(log.stdout + log.stderr).not.toContain("Redis cannot be emptied");
    expect(await images.isIntact("team/app", reference)).toBe(true);
    await until(
        async () =>
            (await images.isIntact("team/app", reference)) &&
            (await askOwnRedis(redisOf(stack), "DBSIZE")) !== "0",
    );
}

/** Names of the networks that a container is on, with whether they lead nowhere else. */
async function networksOf(container: string): Promise<[string, string][]> {
    const format = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
    const names = await words("inspect", "--format", format, container);
    return Promise.all(
        names
            .filter((name) => name !== "none")
            .map(async (name): Promise<[string, string]> => {
                const [isInternal = ""] = await words(
                    ...["network", "inspect", "--format", "{{.Internal}}", name],
                );
                return [name, isInternal];
            }),
    );
}

test("a Redis of the registry's own: what it is asked for, by whom, while it is dead, and gone with the stack", () =>
    withStack({ redis: true }, async (stack) => {
        await stack.up();
        const redis = redisOf(stack);
        const outputs = await stack.outputs();
        const images = new ApiImages(outputs);
        const { digest } = await images.image("team/app", "1");
        await expectRemembered(stack, images, digest);
        const keys = await askOwnRedis(redis, "--scan");
        expect(keys).toContain("repository::team/app::blobs");
        await stack.up("--expect-no-changes");
        await stack.must("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        expect(await expectHealthy(stack)).toContain("settings of Redis");

        // Nobody without the password, and nothing that a registry has no use for.
        const { stdout: refused } = await docker("exec", redis, "redis-cli", "DBSIZE");
        expect(refused).toContain("NOAUTH");
        for (const command of ["CONFIG GET '*'", "FLUSHALL", "ACL LIST", "EVAL 'return 1' 0"]) {
            expect([command, await askOwnRedis(redis, command)]).toEqual([
                command,
                expect.stringContaining("NOPERM"),
            ]);
        }
        const password = await must("docker", [
            ...["exec", redis, "cat", "/etc/private-registry/redis-password"],
        ]);
        expect(password).toHaveLength(43);
        for (const container of [redis, stack.containerName]) {
            expect(JSON.stringify(await inspect(container))).not.toContain(password);
            const log = await docker("logs", container);
            expect(log.stdout + log.stderr).not.toContain(password);
        }
        expect(await stack.exported()).not.toContain(password);
        expect(stack.printed).not.toContain(password);
        const modes = ["sh", "-c", "stat -c %a /etc/private-registry/*"];
        expect(new Set(await words("exec", redis, ...modes))).toEqual(new Set(["400"]));

        // Only the registry is with it, and no way leads out.
        const [[network, isInternal] = ["", ""]] = await networksOf(redis);
        expect(isInternal).toBe("true");
        expect((await networksOf(stack.containerName)).map(([name]) => name)).toContain(network);
        const { HostConfig: limits, NetworkSettings: settings } = await inspect(redis);
        expect(settings).toMatchObject({ Ports: {} });
        expect(limits).toMatchObject({
            ReadonlyRootfs: true,
            CapDrop: ["ALL"],
            SecurityOpt: ["no-new-privileges:true"],
            Memory: 128 * 1024 * 1024,
        });

        await must("docker", ["kill", redis]);
        expect(await images.isIntact("team/app", digest)).toBe(true);
        const { digest: second } = await images.image("team/app", "2");
        expect(await images.isIntact("team/app", second)).toBe(true);
        // Both start at the same time when the machine does, and the registry may be the first.
        await must("docker", ["restart", stack.containerName]);
        await sleep(2000);
        await must("docker", ["start", redis]);
        await until(async () => (await images.ask("/v2/")).status === 200);
        await expectRemembered(stack, images, second);
        await stack.up("--expect-no-changes");

        // What was collected is not to be remembered.
        expect(await askOwnRedis(redis, "SET marker 1")).toBe("OK");
        const { code, stderr } = await maintain(stack, "gc", [""]);
        expect([code, stderr]).toEqual([0, ""]);
        expect(await askOwnRedis(redis, "EXISTS marker")).toBe("0");
        expect(await images.isIntact("team/app", second)).toBe(true);

        const volumes = await words(
            ...["inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", redis],
        );
        expect(volumes).toHaveLength(1);
        const spoil = [
            "-v",
            `${volumes[0] ?? ""}:/s`,
            REGISTRY_IMAGE,
            "-c",
            "echo >>/s/redis.conf",
        ];
        await must("docker", ["run", "--rm", "--entrypoint", "sh", ...spoil]);
        const found = await doctor(stack);
        expect(found.code).not.toBe(0);
        expect(found.stdout).toMatch(/settings of Redis +.*redis\.conf changed or gone/);

        await stack.destroy();
        expect(await stack.containers()).toEqual([]);
        expect((await docker("network", "inspect", network)).code).not.toBe(0);
        expect((await docker("volume", "inspect", ...volumes)).code).not.toBe(0);
    }));

test("another password comes to both; a registry behind a gateway is on no other network; it comes and goes with the key", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const before = await stack.containerId();
        const images = new ApiImages(await stack.outputs());
        const { digest } = await images.image("team/app", "1");

        stack.configure({ redis: "true", gateway: true });
        await stack.up();
        expect(await stack.containerId()).not.toBe(before);
        const networks = await networksOf(stack.containerName);
        expect(networks.map(([, isInternal]) => isInternal)).toEqual(["true"]);
        await expectRemembered(stack, images, digest);
        await stack.up("--expect-no-changes");

        const { resources } = (
            JSON.parse(await stack.exported()) as { deployment: { resources: { urn: string }[] } }
        ).deployment;
        const urn = resources.find(({ urn }) =>
            urn.endsWith("::registry-server-redis-password"),
        )?.urn;
        const with1 = await stack.containerId();
        await stack.up("--replace", urn ?? "");
        expect(await stack.containerId()).not.toBe(with1);
        await expectRemembered(stack, images, digest);

        stack.configure({ redis: "false", gateway: true });
        await stack.up();
        expect(await images.isIntact("team/app", digest)).toBe(true);
        expect((await docker("inspect", redisOf(stack))).code).not.toBe(0);
        for (const [name] of networks) {
            expect((await docker("network", "inspect", name)).code).not.toBe(0);
        }
    }));

async function until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 60_000;
    while (!(await holds().catch(() => false))) {
        if (Date.now() > end) throw new Error("it did not come about within a minute");
        await sleep(300);
    }
}
