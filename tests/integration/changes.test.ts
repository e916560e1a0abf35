import { docker, DockerUser, inspect } from "../support/docker";
import { MANIFESTS, pushImage, REGISTRY_IMAGE, servesImage } from "../support/images";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { freePort, withStack } from "../support/stack";

const user = new DockerUser();
afterAll(() => user.dispose());

test("accounts come, rotate and go while the registry runs on", () =>
    withStack({ teams: ["dev"] }, async (stack) => {
        await stack.up();
        const container = await stack.containerId();
        const first = await stack.outputs();

        stack.configure({ teams: ["dev", "web"] });
        await stack.up();
        const second = await stack.outputs();
        expect(second.teams.dev).toEqual(first.teams.dev);
        expect(await ask(second, "/v2/", { team: "web" })).toMatchObject({ status: 200 });

        stack.configure({ teams: { dev: { generation: 2 }, web: {} } });
        await stack.up();
        const third = await stack.outputs();
        expect(third.teams.dev?.password).not.toBe(first.teams.dev?.password);
        expect(third.teams.web).toEqual(second.teams.web);
        expect(await ask(third, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
        expect(await ask(first, "/v2/", { team: "dev" })).toMatchObject({ status: 401 });

        stack.configure({ teams: { dev: { generation: 2 } } });
        await stack.up();
        expect(await ask(second, "/v2/", { team: "web" })).toMatchObject({ status: 401 });
        expect(await ask(third, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });

        expect(await stack.containerId()).toBe(container);
    }));

test("a new name makes a new certificate, and the images stay", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const before = await stack.outputs();
        const container = await stack.containerId();
        const image = await pushImage(stack);

        stack.configure({ subjectAltNames: ["registry.internal"] });
        await stack.up();
        const after = await stack.outputs();
        expect(
            await ask(after, "/v2/", { team: "dev", hostname: "registry.internal" }),
        ).toMatchObject({ status: 200 });
        expect(after.caCertificate).toBe(before.caCertificate);
        expect(after.teams).toEqual(before.teams);
        expect(await stack.containerId()).not.toBe(container);
        expect(await servesImage(stack, image)).toBe(true);
    }));

// Only the compatible tls provider takes another clock; with the official one this would take a month.
const testWithClock = process.env.PULUMIW_ENGINE_KIND === "offline" ? test : test.skip;

testWithClock("a certificate inside its renewal window is replaced by an ordinary up", () =>
    withStack({ certificateValidityDays: 60, earlyRenewalDays: 30 }, async (stack) => {
        const monthAgo = new Date(Date.now() - 31 * 86_400_000).toISOString();
        const flags = ["--yes", "--skip-preview"];
        const first = await stack.pulumi(["up", ...flags], {
            PRIVATE_REGISTRY_OFFLINE_NOW: monthAgo,
        });
        expect(first.code).toBe(0);
        const before = await stack.outputs();
        const old = await ask(before, "/v2/", { team: "dev" });
        expect(old.status).toBe(200);
        const stored = await pushImage(stack);

        await stack.up();
        const after = await stack.outputs();
        const renewed = await ask(after, "/v2/", { team: "dev" });
        expect(renewed.status).toBe(200);
        expect(renewed.certificate).not.toBe(old.certificate);
        expect(Date.parse(after.certificateExpires)).toBeGreaterThan(
            Date.parse(before.certificateExpires),
        );
        expect(after.caCertificate).toBe(before.caCertificate);
        expect(after.teams).toEqual(before.teams);
        expect(await servesImage(stack, stored)).toBe(true);
        await stack.up("--expect-no-changes");
    }),
);

test("another image replaces the container and keeps data, accounts and trust", async () => {
    const image = `private-registry-test:${Date.now()}`;
    await must("docker", ["tag", REGISTRY_IMAGE, image]);
    await must("docker", ["build", "--tag", image, "-"], {
        input: `FROM ${REGISTRY_IMAGE}\nLABEL private-registry.test=${image}\n`,
    });
    try {
        await withStack({}, async (stack) => {
            await stack.up();
            const before = await stack.outputs();
            const stored = await pushImage(stack);
            stack.configure({ image });
            await stack.up();
            const { Image } = (await inspect(stack.containerName)) as unknown as { Image: string };
            expect(Image).toBe((await inspect(image)).Id);
            expect(await stack.outputs()).toEqual(before);
            expect(await servesImage(stack, stored)).toBe(true);
        });
        expect((await docker("image", "inspect", image)).code).toBe(0);
    } finally {
        await docker("image", "rm", "--force", image);
    }
});

test("read-only refuses pushes and serves pulls; deleting is refused where it is not enabled", () =>
    withStack({ deleteEnabled: false }, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const stored = await pushImage(stack);
        const later = `localhost:${stack.port}/later/app:1`;
        await user.makeImage(later);
        await user.login(`localhost:${stack.port}`, "dev", outputs.teams.dev?.password ?? "");
        const answer = await ask(outputs, "/v2/kept/app/manifests/1", {
            team: "dev",
            accept: MANIFESTS,
        });
        const digest = String(answer.headers["docker-content-digest"]);
        expect(
            await ask(outputs, `/v2/kept/app/manifests/${digest}`, {
                team: "dev",
                method: "DELETE",
            }),
        ).toMatchObject({ status: 405 });

        stack.configure({ readOnly: true });
        await stack.up();
        expect(
            await ask(outputs, "/v2/kept/app/blobs/uploads/", { team: "dev", method: "POST" }),
        ).toMatchObject({ status: 405 });
        const refused = await user.docker(["push", later]);
        expect(refused.code).not.toBe(0);
        // In the words of docs/troubleshooting.md; a Docker with containerd's store has containerd's.
        expect(refused.stderr).toMatch(
            /error parsing HTTP 405 response body: |405 Method Not Allowed/,
        );
        expect(await servesImage(stack, stored)).toBe(true);

        stack.configure({});
        await stack.up();
        const pushed = await user.push(later);
        expect(await user.pullAnew(later)).toBe(pushed);
    }));

test("what was removed or stopped by hand is brought back by up --refresh", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const stored = await pushImage(stack);
        for (const command of ["stop", "rm"]) {
            await must(
                "docker",
                command === "rm"
                    ? ["rm", "--force", stack.containerName]
                    : ["stop", stack.containerName],
            );
            await expect(ask(outputs, "/v2/")).rejects.toThrow();
            await stack.up("--refresh");
            expect(await ask(outputs, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
            expect(await servesImage(stack, stored)).toBe(true);
        }
    }));

test("metrics are served on the loopback when asked for", () =>
    withStack({}, async (stack) => {
        const metricsPort = await freePort();
        stack.configure({ metricsPort });
        await stack.up();
        const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
        expect(await answer.text()).toContain("registry_");
        const { HostConfig } = (await inspect(stack.containerName)) as unknown as {
            HostConfig: { PortBindings: Record<string, unknown> };
        };
        expect(HostConfig.PortBindings["5001/tcp"]).toEqual([
            { HostIp: "127.0.0.1", HostPort: String(metricsPort) },
        ]);
    }));
