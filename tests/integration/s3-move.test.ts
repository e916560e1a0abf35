import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { docker, DockerUser } from "../support/docker";
import { pushImage } from "../support/images";
import { maintain } from "../support/maintenance";
import { S3Server, ServiceNetwork } from "../support/s3";
import { TestStack } from "../support/stack";

const MARK = ".private-registry-move";

let network: ServiceNetwork;
let s3: S3Server;
let stack: TestStack;
let images: ApiImages;

beforeAll(async () => {
    network = await ServiceNetwork.create();
    s3 = await S3Server.create(network.gateway);
    stack = await TestStack.create();
    await stack.up();
    images = new ApiImages(await stack.outputs());
});
afterAll(async () => {
    await stack.dispose();
    await s3.dispose();
    await network.dispose();
});

/** Kills the move as hard as can be when it says this. */
async function killedMove(said: string): Promise<void> {
    const script = join(__dirname, "../../scripts/maintenance/move-to-s3.mjs");
    const child = spawn("node", [script, "", ""], {
        cwd: stack.folder,
        env: stack.environment,
        stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    for await (const line of createInterface({ input: child.stdout })) {
        if (line.startsWith(said)) child.kill("SIGKILL");
    }
    expect(await ended).toEqual([null, "SIGKILL"]);
}

/** Pushes images one after the other until it is told to stop; returns the digests of those that were taken. */
function pushAllTheTime() {
    const stopping = new AbortController();
    const taken: string[] = [];
    let refused = 0;
    const work = (async () => {
        while (!stopping.signal.aborted) {
            try {
                taken.push((await images.image("busy/app", `${taken.length + 1}`)).digest);
            } catch {
                // Read-only, or being started again.
                refused += 1;
                await sleep(50);
            }
        }
    })();
    return {
        stop: async () => {
            stopping.abort();
            await work;
            return { taken, refused };
        },
    };
}

test("without a bucket in the configuration it says what to set", async () => {
    const { code, stderr } = await maintain(stack, "move-to-s3", ["", ""]);
    expect(code).toBe(1);
    expect(stderr).toContain("./pulumiw config set --secret --path storage.s3.secretKey");
});

test("a bucket that an up would refuse to read is refused in the same words, and nobody is asked", async () => {
    const { accessKey, ...fields } = s3.config().s3;
    stack.configure({ storage: { s3: { ...fields, forcePathStyle: "maybe" } } });
    const { code, stdout, stderr } = await maintain(stack, "move-to-s3", ["", ""]);
    stack.configure({});
    expect([code, stdout, typeof accessKey]).toEqual([1, "", "string"]);
    expect(stderr).toContain("the configuration has 2 problems; nothing was changed");
    expect(stderr).toContain('storage.s3.forcePathStyle\n    given:   "maybe"');
    expect(stderr).toContain("./pulumiw config set --secret --path storage.s3.accessKey");
});

test("a volume that the next up would delete is not moved from", async () => {
    stack.configure({ dataRetained: false });
    await stack.up();
    stack.configure({ storage: s3.config() });
    const { code, stderr } = await maintain(stack, "move-to-s3", ["", ""]);
    expect(code).toBe(1);
    expect(stderr).toContain("the next up would delete the volume");
    stack.configure({});
    await stack.up();
});

test("what an up would refuse is refused before anything is copied", async () => {
    stack.configure({ storage: s3.config({ bucket: "nobodys" }) });
    const { code, stderr } = await maintain(stack, "move-to-s3", ["", ""]);
    expect(code).toBe(1);
    expect(stderr).toContain("the bucket nobodys at http://");
    expect(stderr).toContain("is not there. Make it");
});

test("a bucket with images of another registry is not filled", async () => {
    stack.configure({ storage: s3.config({ rootDirectory: "others" }) });
    const key = "others/docker/registry/v2/blobs/sha256/00/x/data";
    await s3.client().ask("PUT", key, { body: "x" });
    const { code, stderr } = await maintain(stack, "move-to-s3", ["", ""]);
    expect(code).toBe(1);
    expect(stderr).toContain("holds images already");
    expect(s3.keysOf("others")).toEqual(["docker/registry/v2/blobs/sha256/00/x/data"]);
});

test("every image is in the bucket after the move, also those that were pushed meanwhile, and by its digest", async () => {
    const kept = await pushImage(stack);
    const large = await images.image("team/large", "1", { layer: randomBytes(20_000_000) });
    const first = await images.image("team/app", "moving");
    await images.image("team/app", "going");

    stack.configure({ storage: s3.config({ rootDirectory: "registry" }) });
    await killedMove("2/4");
    expect(s3.keysOf("registry")).toContain(MARK);
    const copied = await maintain(stack, "move-to-s3", ["", "copy"]);
    expect(copied.stderr).toBe("");
    expect(copied.stdout).toContain("Copied what is there now");
    const tag = (name: string) =>
        `registry/docker/registry/v2/repositories/team/app/_manifests/tags/${name}/current/link`;
    expect(s3.read(tag("moving")).toString()).toBe(first.digest);

    // A bucket that is half filled is not used by mistake.
    const early = await stack.pulumi(["up", "--yes", "--skip-preview"]);
    expect(early.code).not.toBe(0);
    expect(early.printed).toContain("has not come to its end");

    // The volume goes on, and a tag and a manifest become something else.
    const second = await images.image("team/app", "moving");
    await images.delete("team/app", "going");
    const busy = pushAllTheTime();
    const { code, stdout, stderr } = await maintain(stack, "move-to-s3", ["", ""]);
    const { taken, refused } = await busy.stop();
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("The registry's images are those of the bucket images at http://");
    expect(s3.keysOf("registry")).not.toContain(MARK);

    // Nothing of it is the volume's any more.
    expect((await docker("volume", "inspect", stack.dataVolume)).code).toBe(0);
    await docker("volume", "rm", stack.dataVolume);
    images = new ApiImages(await stack.outputs());
    expect(taken.length).toBeGreaterThan(2);
    expect(refused).toBeGreaterThan(0);
    for (const digest of taken) expect(await images.isIntact("busy/app", digest)).toBe(true);
    expect(await images.isIntact("team/large", large.digest)).toBe(true);
    expect(await images.isIntact("team/app", first.digest)).toBe(true);
    expect(s3.read(tag("moving")).toString()).toBe(second.digest);
    expect(await images.isIntact("team/app", "going")).toBe(false);
    const user = new DockerUser();
    try {
        const registry = `localhost:${stack.port}`;
        const { teams } = await stack.outputs();
        await user.login(registry, "dev", teams.dev?.password ?? "");
        expect(await user.pullAnew(`${registry}/kept/app:1`)).toBe(kept);
    } finally {
        await user.dispose();
    }
    await stack.up("--expect-no-changes");
});
