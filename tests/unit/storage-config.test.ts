import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { bucketName } from "../../lib/storage-config";
import { complaint, read } from "../support/settings";

const REGISTRY = join(__dirname, "../../scripts/maintenance/registry.mjs");
const S3 = { bucket: "images", region: "us-east-1", accessKey: "the-id", secretKey: "the-secret" };
const s3 = (fields: Record<string, unknown>) => ({ storage: { s3: { ...S3, ...fields } } });

test("a bucket of Amazon's, and one of another service", () => {
    expect(read(s3({})).s3).toEqual({
        ...S3,
        forcePathStyle: false,
        rootDirectory: "",
        encrypt: false,
        redirect: false,
    });
    const endpoint = "https://s3.example.com:9000";
    expect(read(s3({ endpoint, rootDirectory: "a/b", redirect: "true" })).s3).toMatchObject({
        endpoint,
        forcePathStyle: true,
        rootDirectory: "a/b",
        redirect: true,
    });
    expect(read(s3({ endpoint, forcePathStyle: false })).s3?.forcePathStyle).toBe(false);
});

test("the maintenance commands call a bucket what the program calls it", () => {
    const buckets = [{}, { endpoint: "https://s3.example.com:9000" }].flatMap(
        (fields) => read(s3(fields)).s3 ?? [],
    );
    const program = `
        import { bucketName } from ${JSON.stringify(REGISTRY)};
        process.stdout.write(JSON.stringify(${JSON.stringify(buckets)}.map(bucketName)));`;
    const said = execFileSync("node", ["--input-type=module", "-e", program], { encoding: "utf8" });
    expect(buckets).toHaveLength(2);
    expect(JSON.parse(said)).toEqual(buckets.map(bucketName));
});

test("a Redis", () => {
    expect(read({ redis: { address: "redis.example.com:6379" } }).redis).toEqual({
        host: "redis.example.com",
        port: 6379,
        db: 0,
    });
    const full = { address: "[2001:db8::1]:6380", username: "u", password: "p", db: "3" };
    expect(read({ redis: full }).redis).toEqual({
        host: "2001:db8::1",
        port: 6380,
        username: "u",
        password: "p",
        db: 3,
    });
});

test("a Redis of the registry's own, or none", () => {
    for (const redis of [true, "true"]) {
        const settings = read({ redis, redisImage: "redis:7" });
        expect(settings).toMatchObject({ redisServer: { image: "redis:7" } });
        expect(settings.redis).toBeUndefined();
    }
    expect(read({ redis: true }).redisServer?.image).toMatch(/^redis:\d/);
    for (const redis of [false, "false"]) expect(read({ redis })).toEqual(read({}));
    for (const redis of ["yes", "redis:6379", [true], "null"]) {
        expect(complaint({ redis })).toContain("\n  redis\n");
        expect(complaint({ redis })).toContain("true for one of the registry's own, false, or");
    }
    expect(complaint({ redis: "redis:6379" })).not.toContain("redis:6379");
});

test.each([
    ["bucket", ["Images", "ab", "a_b", ""]],
    ["region", ["us east", ""]],
    [
        "endpoint",
        [
            "s3.example.com",
            "ftp://s3.example.com",
            "https://s3.example.com/",
            "https://s3.example.com/path",
            "https://user@s3.example.com",
            // There the registry's container finds only itself.
            "http://localhost:9000",
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
        ],
    ],
    ["rootDirectory", ["/a", "a/", "a//b", "../a", "a b"]],
    ["accessKey", ["", "a b"]],
    ["secretKey", ["", "a\nb"]],
    ["encrypt", ["yes"]],
    ["redirect", [1]],
    ["caCertificate", ["ca.crt"]],
    ["acl", ["public-read"]],
])("storage.s3.%s", (field, values) => {
    for (const value of values) {
        expect(complaint(s3({ [field]: value }))).toContain(`\n  storage.s3.${field}\n`);
    }
});

test.each([
    [
        "address",
        ["redis", "redis:0", "redis:65536", "127.0.0.1:6379", "localhost:6379", "::1:6379"],
    ],
    ["password", [""]],
    ["db", [-1, "x"]],
    ["tls", [true]],
])("redis.%s", (field, values) => {
    for (const value of values) {
        const config = { redis: { address: "redis:6379", [field]: value } };
        expect(complaint(config)).toContain(`\n  redis.${field}\n`);
    }
});

test("what is missing is named, each with its command, and a key with --secret", () => {
    const said = complaint({ storage: { s3: {} }, redis: { username: "u" } });
    for (const field of ["bucket", "region"]) {
        expect(said).toContain(`pulumi config set --path storage.s3.${field} `);
    }
    for (const path of ["storage.s3.accessKey", "storage.s3.secretKey", "redis.password"]) {
        expect(said).toContain(`pulumi config set --secret --path ${path}`);
    }
    expect(said).toContain("pulumi config set --path redis.address ");
});

test("no value that may be a secret is shown", () => {
    const said = complaint({
        ...s3({ secretKey: "spilled secret", secretkey: "spilled", bucket: "A" }),
        redis: { address: "redis:6379", password: "spilled password" },
    });
    expect(said).not.toContain("spilled");
    expect(complaint({ storage: "spilled" })).not.toContain("spilled");
});

test.each([
    ["dataPath", "/opt/docker-images", "nothing beside storage.s3"],
    ["dataRetained", "false", "a bucket of yours is never emptied"],
])("beside a bucket there is no %s", (key, value, allowed) => {
    expect(complaint({ ...s3({}), [key]: value })).toContain(allowed);
});
