import { createServer } from "node:http";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker, inspect } from "../support/docker";
import { pushImage, REGISTRY_IMAGE, servesImage } from "../support/images";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { freePort, type TestStack, withStack } from "../support/stack";

/** Everything in Docker that the stack made: containers, volumes and networks, as arguments of `docker inspect`. */
async function made(stack: TestStack): Promise<string[]> {
    const ids = await stack.containers();
    const details = (await Promise.all(ids.map(inspect))) as unknown as {
        Mounts: { Name?: string }[];
        NetworkSettings: { Networks: Record<string, unknown> };
    }[];
    const volumes = details.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => Name ?? []));
    const networks = details.flatMap(({ NetworkSettings }) =>
        Object.keys(NetworkSettings.Networks),
    );
    return [...new Set([...ids, ...volumes, ...networks])].filter((name) => name !== "none");
}

/** Those of these things that exist. */
async function existing(names: readonly string[]): Promise<string[]> {
    const found = await Promise.all(
        names.map(async (name) => (await docker("inspect", name)).code === 0),
    );
    return names.filter((_, index) => found[index]);
}

test("destroy takes everything back but the images, and the next up serves them", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const digest = await pushImage(stack);
        const things = await made(stack);
        // Registry and loader, settings and images, one network.
        expect(things).toHaveLength(5);
        expect(things).toContain(stack.dataVolume);

        await stack.destroy();
        expect(await existing(things)).toEqual([stack.dataVolume]);

        await stack.up();
        expect(await servesImage(stack, digest)).toBe(true);
    }));

test("with dataRetained false, destroy leaves nothing at all", () =>
    withStack({ dataRetained: false }, async (stack) => {
        await stack.up();
        const things = await made(stack);
        expect(await existing(things)).toHaveLength(5);
        await stack.destroy();
        expect(await existing(things)).toEqual([]);
    }));

test("a folder keeps the images, also after destroy", async () => {
    const dataPath = mkdtempSync(join(tmpdir(), "private-registry-data-"));
    try {
        await withStack({ dataPath }, async (stack) => {
            await stack.up();
            const digest = await pushImage(stack);
            expect(existsSync(join(dataPath, "docker/registry/v2/repositories/kept/app"))).toBe(
                true,
            );
            const volumes = await must("docker", ["volume", "ls", "--format", "{{.Name}}"]);
            expect(volumes.split("\n")).not.toContain(stack.dataVolume);
            await stack.destroy();
            await stack.up();
            expect(await servesImage(stack, digest)).toBe(true);
        });
    } finally {
        rmSync(dataPath, { recursive: true, force: true });
    }
});

test("two stacks live side by side and do not touch each other", () =>
    withStack({}, (one) =>
        withStack({}, async (two) => {
            await one.up();
            await two.up();
            const [first, second] = [await one.outputs(), await two.outputs()];
            expect(await ask(first, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
            expect(
                await ask(second, "/v2/", { team: "dev", password: first.teams.dev?.password }),
            ).toMatchObject({ status: 401 });
            await expect(
                ask({ ...second, caCertificate: first.caCertificate }, "/v2/"),
            ).rejects.toThrow();
            await two.destroy();
            expect(await ask(first, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
        }),
    ));

test("a wrong configuration names every problem and changes nothing", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const container = await stack.containerId();
        stack.configure({ port: "five", hostname: "UPPER", teams: [], colour: "blue" });
        for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
            const { code, printed } = await stack.pulumi(command);
            expect(code).not.toBe(0);
            expect(printed).toContain("the configuration has 4 problems; nothing was changed");
            expect(printed).toMatch(
                /port\s+given: {3}"five"\s+allowed: a whole number from 1 to 65535\s+fix: {5}pulumi config set port 5000/,
            );
            expect(printed).not.toMatch(/at .*\.ts:\d+/);
        }
        expect(await stack.containerId()).toBe(container);
    }));

test("a port that something else has is an error before the running registry is touched", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const container = await stack.containerId();
        const other = createServer();
        await once(other.listen(0, "127.0.0.1"), "listening");
        const { port } = other.address() as { port: number };
        try {
            stack.configure({ port });
            const { code, printed } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            expect(code).not.toBe(0);
            expect(printed).toContain(
                `port ${port} (port, at 127.0.0.1:${port}) is taken by another program of this machine`,
            );
        } finally {
            other.close();
        }
        expect(await stack.containerId()).toBe(container);
        expect(await ask(outputs, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
    }));

test("a container name and a port that another container has are errors, at a first up and before a running registry is touched", () =>
    withStack({}, async (stack) => {
        const name = `${stack.containerName}-other`;
        const port = await freePort();
        const taken = { containerName: name, port };
        const published = ["--publish", `127.0.0.1:${port}:5000`, REGISTRY_IMAGE];
        await must("docker", ["run", "--detach", "--name", name, ...published]);
        const expectRefused = async () => {
            stack.configure(taken);
            const { code, printed } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            expect(code).not.toBe(0);
            expect(printed).toContain(
                `the container name "${name}" is taken by a container that is not from this program`,
            );
            expect(printed).toContain(
                `port ${port} (port, at 127.0.0.1:${port}) is taken by the container ${name}`,
            );
        };
        try {
            await expectRefused();
            stack.configure({});
            await stack.up();
            const outputs = await stack.outputs();
            const container = await stack.containerId();
            await expectRefused();
            expect(await stack.containerId()).toBe(container);
            expect(await ask(outputs, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
            expect((await inspect(name)).State).toMatchObject({ Running: true });
        } finally {
            await must("docker", ["rm", "--force", "--volumes", name]);
        }
        await stack.up();
        expect(await inspect(name)).toMatchObject({ Name: `/${name}` });
    }));

test.each([
    [
        "that is no registry",
        // Starts, finds that it has no part of that name, and ends.
        "RUN cp /bin/busybox /bin/registry",
        /is not proved: (?:nothing answers at 127\.0\.0\.1:\d+|what answers at 127\.0\.0\.1:\d+ cuts the connection off); see: docker logs/,
    ],
    [
        "of another architecture",
        // Its shell says that it is for ARM.
        "RUN cp /bin/busybox /sh && printf '\\267' | busybox dd of=/sh bs=1 seek=18 conv=notrunc && mv /sh /bin/sh",
        // Docker says so at the start, or, older ones, in the container's log.
        /exec format error|the settings could not be loaded \(exit code 1\); see: docker logs/,
    ],
])("an image %s ends in a clear error, and the way back works", (_, change, cause) =>
    withStack({}, async (stack) => {
        await stack.up();
        const digest = await pushImage(stack);
        const broken = `private-registry-broken:${Date.now()}`;
        await must("docker", ["build", "--tag", broken, "-"], {
            input: `FROM ${REGISTRY_IMAGE}\n${change}\n`,
        });
        try {
            stack.configure({ image: broken });
            // What is not proved is asked again, also where nothing has changed since.
            for (const turn of ["first", "second"]) {
                const { code, printed } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
                expect([turn, code]).not.toEqual([turn, 0]);
                expect(printed).toMatch(cause);
            }
            stack.configure({});
            await stack.up();
            expect(await servesImage(stack, digest)).toBe(true);
        } finally {
            await docker("image", "rm", "--force", broken);
        }
    }),
);
