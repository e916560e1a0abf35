import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { preflight } from "../../preflight";
import { ApiImages } from "../support/api-images";
import { docker, DockerUser, inspect } from "../support/docker";
import { expectHealthy } from "../support/doctor";
import { maintain } from "../support/maintenance";
import { must } from "../support/run";
import { hasRedis, RedisServer, S3Server, ServiceNetwork } from "../support/s3";
import { findSecrets } from "../support/secrets";
import { read } from "../support/settings";
import { TestStack } from "../support/stack";

/** With a margin for the client of S3 in the registry, which tries four times. */
const PATIENCE_MS = 120_000;
const PASSPHRASE = { PRIVATE_REGISTRY_BACKUP_PASSPHRASE: "of this test, long enough" };
const testWithRedis = hasRedis ? test : test.skip;

let network: ServiceNetwork;
let s3: S3Server;
let redis: RedisServer | undefined;
let stack: TestStack;
let user: DockerUser;
let images: ApiImages;
const repository = () => `localhost:${stack.port}/team/app`;

beforeAll(async () => {
    network = await ServiceNetwork.create();
    s3 = await S3Server.create(network.gateway);
    redis = hasRedis ? await RedisServer.create(network.gateway) : undefined;
    user = new DockerUser();
    const { accessKey, secretKey, ...plain } = s3.config().s3;
    stack = await TestStack.create({
        storage: { s3: { ...plain, rootDirectory: "some/where" } },
        retention: [{ repositories: "old/*", keepLast: 1 }],
        ...(redis && { redis: { address: redis.config().address } }),
    });
    const secrets = { "storage.s3.accessKey": accessKey, "storage.s3.secretKey": secretKey };
    for (const [path, value] of Object.entries({
        ...secrets,
        ...(redis && { "redis.password": redis.password }),
    })) {
        await stack.must("config", "set", "--secret", "--path", path, String(value));
    }
    await stack.up();
    const outputs = await stack.outputs();
    images = new ApiImages(outputs);
    await user.login(`localhost:${stack.port}`, "dev", outputs.teams.dev?.password ?? "");
});
afterAll(async () => {
    await stack.dispose();
    await user.dispose();
    await redis?.dispose();
    await s3.dispose();
    await network.dispose();
});

/** Adds a layer of this many bytes to an image, under its name. */
async function addLayer(image: string, bytes: number): Promise<void> {
    const id = (await must("docker", ["create", image, "nothing"])).trim();
    const file = stack.path("layer");
    await must("sh", ["-c", `head -c ${bytes} /dev/urandom >'${file}'`]);
    await must("docker", ["cp", file, `${id}:/layer-${bytes}`]);
    await must("docker", ["commit", id, image]);
    await must("docker", ["rm", id]);
}

function* chunksOf(content: Buffer, length: number): Generator<Buffer> {
    for (let at = 0; at < content.length; at += length) yield content.subarray(at, at + length);
}

/** Asks until the answer is this one: a registry that lost its storage says so for a while. */
async function expectStatus(status: number, ask: () => Promise<{ status: number }>): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
        const answer = await ask().catch(() => ({ status: 0 }));
        if (answer.status === status) return;
        if (Date.now() > end) throw new Error(`${answer.status} instead of ${status}`);
        await sleep(500);
    }
}

test("an image of several layers is pushed into the bucket and pulled as it was", async () => {
    const image = `${repository()}:1`;
    await user.makeImage(image);
    await addLayer(image, 1_000_000);
    await addLayer(image, 12_000_000);
    const digest = await user.push(image);
    expect(await user.pullAnew(image)).toBe(digest);
    const keys = s3.keysOf();
    expect(keys.filter((key) => !key.startsWith("some/where/docker/registry/v2/"))).toEqual([]);
    expect(keys).toContain(
        `some/where/docker/registry/v2/blobs/sha256/${digest.slice(7, 9)}/${digest.slice(7)}/data`,
    );
    // Nothing lies beside the container: neither a volume of the stack's nor one that Docker made.
    const { Mounts } = await inspect(stack.containerName);
    expect(
        (Mounts as unknown as { Destination: string }[]).map((each) => each.Destination),
    ).toEqual(["/etc/private-registry"]);
    expect((await docker("volume", "inspect", stack.dataVolume)).code).toBe(1);
});

test("the registry serves the bytes itself", async () => {
    // Anything but 200, such as the way to the bucket, is not taken for a layer.
    const { digest } = await images.image("team/direct", "1");
    expect(await images.isIntact("team/direct", digest)).toBe(true);
});

test("an object in several parts arrives as it was, or not at all", async () => {
    const client = s3.client();
    const content = randomBytes(23_000_000);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const size = { length: content.length, partBytes: 5 << 20 };
    const put = (key: string, digest: string) =>
        client.put(key, Readable.from(chunksOf(content, 300_000)), { ...size, sha256: digest });
    await put("parts/whole", sha256);
    expect(s3.read("parts/whole").equals(content)).toBe(true);
    await expect(put("parts/wrong", "0".repeat(64))).rejects.toThrow("not what its digest says");
    expect(s3.keysOf("parts")).toEqual(["whole"]);
});

test("a second up changes nothing, and the doctor finds all as it was set up", async () => {
    await stack.up("--expect-no-changes");
    expect(await expectHealthy(stack)).toContain("storage answers");
});

test("images outlive a destroy", async () => {
    const { digest } = await images.image("team/kept", "1");
    await stack.destroy();
    await stack.up();
    const outputs = await stack.outputs();
    images = new ApiImages(outputs);
    await user.login(`localhost:${stack.port}`, "dev", outputs.teams.dev?.password ?? "");
    expect(await images.isIntact("team/kept", digest)).toBe(true);
});

test("the keys are nowhere in clear", async () => {
    const values = [...s3.secrets(), ...(redis === undefined ? [] : [redis.password])];
    const secrets = values.map((value, index) => ({ name: `secret ${index + 1}`, value }));
    const container = JSON.stringify(await inspect(stack.containerName));
    const logs = await docker("logs", stack.containerName);
    const loaders = await Promise.all((await stack.containers()).map((id) => inspect(id)));
    const exported = await stack.exported();
    const outputs = JSON.stringify(await stack.outputs());
    const file = stack.read(`Pulumi.${stack.name}.yaml`);
    for (const text of [
        container,
        logs.stdout + logs.stderr,
        JSON.stringify(loaders),
        exported,
        outputs,
        file,
        stack.printed,
    ]) {
        expect(findSecrets(secrets, text)).toEqual([]);
    }
    const { stdout } = await docker(
        ...["exec", stack.containerName, "ls", "-ln", "/etc/private-registry"],
    );
    const files = stdout.split("\n").filter((line) => line.startsWith("-"));
    expect(files.length).toBeGreaterThan(6);
    expect(files.filter((line) => !line.startsWith("-r--------"))).toEqual([]);
});

describe("before anything changes", () => {
    const check = (storage: unknown, more: Record<string, unknown> = {}) =>
        preflight(read({ port: "1", ...more, storage, bindAddress: "127.0.0.1" }));

    test("what is right is let through", () => check(s3.config()));

    test.each([
        ["a wrong secret", { secretKey: "wrong" }, "SignatureDoesNotMatch"],
        ["an unknown key", { accessKey: "unknown" }, "No user exists"],
        ["no such bucket", { bucket: "nobodys" }, "is not there. Make it, or name another one"],
        ["a name that only containers may know", { endpoint: "http://s3.test:1" }, undefined],
    ])("%s", async (_, fields, message) => {
        const result = check(s3.config(fields));
        if (message === undefined) {
            // From here there is no way; the registry's container is asked after the change.
            await expect(result).resolves.toBeUndefined();
        } else {
            await expect(result).rejects.toThrow(message);
            await expect(result).rejects.toThrow("Nothing was changed.");
        }
    });

    test("a service that is down on this very host", async () => {
        const endpoint = `http://${network.gateway}:1`;
        await expect(check(s3.config({ endpoint }))).rejects.toThrow(
            /cannot be reached from this machine \(.*ECONNREFUSED.*nor from the containers on it/,
        );
    });

    test("a bucket that anybody can list, or read", async () => {
        await s3.makeBucket("open");
        const open = s3.client({ bucket: "open" });
        const allow = async (action: string, resource: string) => {
            const statement = {
                Effect: "Allow",
                Principal: "*",
                Action: action,
                Resource: resource,
            };
            const body = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
            expect((await open.ask("PUT", "", { query: { policy: "" }, body })).status).toBe(204);
        };
        await allow("s3:ListBucket", "arn:aws:s3:::open");
        await expect(check(s3.config({ bucket: "open" }))).rejects.toThrow("anybody can list");
        await open.ask("PUT", "some-object", { body: "x" });
        await allow("s3:GetObject", "arn:aws:s3:::open/*");
        await expect(check(s3.config({ bucket: "open" }))).rejects.toThrow("anybody can read");
    });

    test("an up is stopped there", async () => {
        const other = await TestStack.create({ storage: s3.config({ bucket: "nobodys" }) });
        try {
            const { code, printed } = await other.pulumi(["up", "--yes", "--skip-preview"]);
            expect(code).not.toBe(0);
            expect(printed).toContain("the bucket nobodys at http://");
            expect(await other.containers()).toEqual([]);
        } finally {
            await other.dispose();
        }
    });

    testWithRedis("a Redis that refuses the login", async () => {
        const wrong = { ...redis?.config(), password: "wrong" };
        await expect(check(s3.config(), { redis: wrong })).rejects.toThrow("WRONGPASS");
        await check(s3.config(), { redis: redis?.config() });
    });
});

test("the proof finds a storage that only the registry's container could have told of", async () => {
    const storage = s3.config({ endpoint: "http://s3.test:1" });
    const other = await TestStack.create({ storage });
    try {
        const { code, printed } = await other.pulumi(["up", "--yes", "--skip-preview"]);
        expect(code).not.toBe(0);
        expect(printed).toContain("cannot be reached from this machine");
        expect(printed).toContain("the registry runs and cannot use its storage, the bucket");
    } finally {
        await other.dispose();
    }
});

test("a bucket behind a certificate of one's own authority, for the registry and for what runs beside it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-s3-tls-"));
    const certificate = join(folder, "tls.crt");
    const privateKey = join(folder, "tls.key");
    const name = ["-subj", "/CN=s3", "-addext", `subjectAltName=IP:${network.gateway}`];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const files = ["-keyout", privateKey, "-out", certificate];
    await must("openssl", ["req", ...kind, "-days", "1", ...name, ...files]);
    const authority = readFileSync(certificate, "utf8");
    const secure = await S3Server.create(network.gateway, { certificate, privateKey, authority });
    const other = await TestStack.create({ storage: secure.config({ caCertificate: undefined }) });
    try {
        const distrusted = await other.pulumi(["preview"]);
        expect(distrusted.code).not.toBe(0);
        expect(distrusted.printed).toContain("See that address and certificate are right");
        other.configure({ storage: secure.config() });
        await other.up();
        const there = new ApiImages(await other.outputs());
        const { digest } = await there.image("team/app", "1");
        expect(await there.isIntact("team/app", digest)).toBe(true);
        const move = await maintain(other, "move-to-s3", ["", ""]);
        expect(move.stderr).toBe("");
        expect(move.stdout).toContain("already; there is nothing to move");
    } finally {
        await other.dispose();
        await secure.dispose();
        rmSync(folder, { recursive: true });
    }
});

describe("maintenance", () => {
    test("retention and gc free what no tag needs; what is pushed again is whole again", async () => {
        const layer = Buffer.alloc(50_000, "the layer of the old image");
        const old = await images.image("old/app", "1", { created: new Date("2020-01-01"), layer });
        await images.image("old/app", "2");
        const retention = await maintain(stack, "retention", ["", "apply"]);
        expect(retention.stderr).toBe("");
        expect(retention.stdout).toContain("Deleted 1 tag and 1 manifest");
        const preview = await maintain(stack, "gc", ["", "--dry-run"]);
        expect(preview.stdout).toMatch(/Would free [1-9]\d* blobs of \d+ in the bucket images/);
        const before = s3.keysOf().filter((key) => key.endsWith("/data")).length;
        const gc = await maintain(stack, "gc", [""]);
        expect(gc.stderr).toBe("");
        const freed = Number(/Freed (\d+) blobs? in the bucket images/.exec(gc.stdout)?.[1]);
        expect(freed).toBeGreaterThan(0);
        expect(before - s3.keysOf().filter((key) => key.endsWith("/data")).length).toBe(freed);
        expect(await images.isIntact("old/app", old.digest)).toBe(false);
        // A cache that still knew the layer would let the client leave it out.
        const again = await images.image("old/app", "3", { layer });
        expect(await images.isIntact("old/app", again.digest)).toBe(true);
    });

    test("a backup holds the stack and leaves the images to the bucket; it makes the stack again", async () => {
        const file = stack.path("backup");
        const refused = await maintain(stack, "backup", [file, "", "images-only"], PASSPHRASE);
        expect(refused.stderr).toContain("their backup is the bucket's own");
        expect(refused.code).toBe(1);
        const { stdout, stderr } = await maintain(stack, "backup", [file, ""], PASSPHRASE);
        expect(stderr).toBe("");
        expect(stdout).toContain("NOT in it: they lie in the bucket images at http://");
        const into = await maintain(stack, "restore", [file, "", "images-only"], PASSPHRASE);
        expect(into.stderr).toContain("which this cannot fill");

        const { digest } = await images.image("team/backed", "1");
        await stack.destroy();
        const empty = TestStack.emptyMachine(stack);
        try {
            const env = { PULUMI_STACK: undefined };
            const restored = await maintain(empty, "restore", [file, ""], {
                ...PASSPHRASE,
                ...env,
            });
            expect(restored.stdout).toContain("its images are those of its bucket");
            await empty.up();
            const there = new ApiImages(await empty.outputs());
            expect(await there.isIntact("team/backed", digest)).toBe(true);
        } finally {
            await empty.dispose();
        }
        await stack.up();
        images = new ApiImages(await stack.outputs());
    });

    test("a bucket is not moved to again", async () => {
        const { stdout, code } = await maintain(stack, "move-to-s3", ["", ""]);
        expect(stdout).toContain("already; there is nothing to move");
        expect(code).toBe(0);
    });
});

testWithRedis(
    "without its Redis the registry serves and takes images; with it again, too",
    async () => {
        const { digest } = await images.image("team/cached", "1");
        expect(Number(await redis?.ask("DBSIZE"))).toBeGreaterThan(0);
        await redis?.kill();
        expect(await images.isIntact("team/cached", digest)).toBe(true);
        const { digest: second } = await images.image("team/cached", "2");
        expect(await images.isIntact("team/cached", second)).toBe(true);
        await redis?.start();
        expect(await images.isIntact("team/cached", digest)).toBe(true);
        const { digest: third } = await images.image("team/cached", "3");
        expect(await images.isIntact("team/cached", third)).toBe(true);
    },
);

test("without its bucket the registry says so; with it again it goes on as it was", async () => {
    const { digest } = await images.image("team/safe", "1");
    const pull = () =>
        images.ask(`/v2/team/safe/manifests/${digest}`, {
            accept: "application/vnd.oci.image.manifest.v1+json",
        });
    await s3.kill();
    const answer = await pull();
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(JSON.parse(answer.body)).toHaveProperty("errors");
    await expect(images.image("team/safe", "2")).rejects.toThrow(/^50\d instead of/);
    await s3.start();
    await expectStatus(200, pull);
    expect(await images.isIntact("team/safe", digest)).toBe(true);
    const { digest: second } = await images.image("team/safe", "2");
    expect(await images.isIntact("team/safe", second)).toBe(true);
});
