import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { docker, inspect } from "../support/docker";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { ServiceNetwork } from "../support/s3";
import { freePort, type Outputs, TestStack, withStack } from "../support/stack";

let network: ServiceNetwork;
let upstream: TestStack;
let upstreamOutputs: Outputs;

// Another registry of this program, at an address that containers reach.
beforeAll(async () => {
    network = await ServiceNetwork.create();
    upstream = await TestStack.create({ bindAddress: "0.0.0.0", address: network.gateway });
    await upstream.up();
    upstreamOutputs = await upstream.outputs();
});

afterAll(async () => {
    await upstream.dispose();
    await network.dispose();
});

const place = () => `${network.gateway}:${upstream.port}`;

/** The upstream as a mirror has it in its stack's configuration. */
function mirrorOf(port: number, fields: Record<string, unknown> = {}) {
    return {
        upstream: place(),
        port,
        caCertificate: upstreamOutputs.caCertificate,
        credentials: { username: "dev", password: upstreamOutputs.teams.dev?.password },
        ...fields,
    };
}

function imagesOf(outputs: Outputs, port: number, team?: string): ApiImages {
    return new ApiImages({ ...outputs, url: `https://localhost:${port}` }, { team });
}

/** Digests of the blobs that lie in a mirror's volume. */
async function kept(container: string): Promise<string[]> {
    const find = `find /var/lib/registry/docker/registry/v2/blobs -name data 2>/dev/null`;
    const { stdout } = await docker("exec", container, "busybox", "sh", "-c", find);
    return stdout.split("\n").filter((line) => line !== "");
}

test("images are fetched once, with the upstream's login, and there while it is down, also after a restart; nobody pushes or deletes", async () => {
    const port = await freePort();
    const images = new ApiImages(upstreamOutputs);
    const { digest } = await images.image("team/app", "1");
    await images.image("team/other", "1");
    await withStack({ mirrors: { lab: mirrorOf(port) } }, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        expect(outputs.mirrors).toEqual({ [place()]: `localhost:${port}` });
        const mirror = `${stack.containerName}-mirror-lab`;
        const team = imagesOf(outputs, port, "dev");

        // Since the upstream wants a login, so does what shows its images.
        expect((await imagesOf(outputs, port).ask("/v2/")).status).toBe(401);
        expect(await team.isIntact("team/app", "1")).toBe(true);
        expect(await team.isIntact("team/none", "1")).toBe(false);
        const details = JSON.stringify(await inspect(mirror));
        expect(details).not.toContain(upstreamOutputs.teams.dev?.password);

        for (const [method, path] of [
            ["POST", "/v2/team/app/blobs/uploads/"],
            ["PUT", "/v2/team/app/manifests/2"],
            ["DELETE", "/v2/team/app/manifests/1"],
            ["DELETE", `/v2/team/app/manifests/${digest}`],
            ["DELETE", `/v2/team/app/blobs/${digest}`],
        ] as const) {
            expect([method, path, (await team.ask(path, { method })).status]).toEqual([
                method,
                path,
                405,
            ]);
        }

        await must("docker", ["stop", upstream.containerName]);
        try {
            expect(await team.isIntact("team/app", "1")).toBe(true);
            await must("docker", ["restart", mirror]);
            for (const reference of ["1", digest]) {
                expect([reference, await eventually(team, "team/app", reference)]).toEqual([
                    reference,
                    true,
                ]);
            }
            expect(await team.isIntact("team/other", "1")).toBe(false);
            // An up says what it could not ask, and goes on.
            const { printed } = await stack.up();
            expect(printed).toContain(`https://${place()} cannot be reached from this machine`);
        } finally {
            await must("docker", ["start", upstream.containerName]);
        }
        expect(await eventually(team, "team/other", "1")).toBe(true);

        // Gone with all that it kept, and the registry did not notice.
        const registry = await stack.containerId();
        stack.configure({});
        await stack.up();
        expect(await stack.containerId()).toBe(registry);
        expect((await docker("inspect", mirror)).code).not.toBe(0);
        expect((await docker("volume", "inspect", mirror)).code).not.toBe(0);
    });
});

async function eventually(images: ApiImages, repository: string, tag: string): Promise<boolean> {
    for (let attempt = 0; attempt < 100; attempt++) {
        if (await images.isIntact(repository, tag).catch(() => false)) return true;
        await sleep(200);
    }
    return false;
}

test("a mirror for anybody serves without accounts, beside a gateway, and gives up what it has kept for its time", async () => {
    const port = await freePort();
    await new ApiImages(upstreamOutputs).image("team/short", "1");
    const mirror = mirrorOf(port, { anonymous: true, ttl: "15s" });
    const teams = { dev: { push: ["dev/*"] } };
    await withStack({ teams, mirrors: { lab: mirror } }, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const container = `${stack.containerName}-mirror-lab`;
        const anybody = imagesOf(outputs, port);
        expect(await anybody.isIntact("team/short", "1")).toBe(true);
        expect(await kept(container)).toHaveLength(3);
        // The registry leaves a manifest's own few bytes.
        while ((await kept(container)).length > 1) await sleep(500);
        expect(await anybody.isIntact("team/short", "1")).toBe(true);
        // The registry itself is for its accounts, as before.
        expect((await ask(outputs, "/v2/")).status).toBe(401);
    });
});

test("what an upstream refuses is an error before anything is made", async () => {
    const port = await freePort();
    await withStack({}, async (stack) => {
        for (const [fields, said] of [
            [
                { credentials: { username: "dev", password: "wrong" } },
                `https://${place()} does not take the login of dev. Set it anew: pulumi config set --path mirrors.lab.credentials.username <name>`,
            ],
            [
                { credentials: undefined },
                `https://${place()} wants a login, and the mirror has none`,
            ],
            [{ caCertificate: undefined }, `https://${place()} cannot be used`],
        ] as const) {
            stack.configure({ mirrors: { lab: mirrorOf(port, fields) } });
            const { code, printed } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            expect(code).not.toBe(0);
            expect(printed).toContain(said);
            expect(printed).not.toContain("wrong");
            expect(await stack.containers()).toEqual([]);
        }
    });
});
