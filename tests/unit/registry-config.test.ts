import { parse } from "yaml";
import {
    type Listening,
    redisCommands,
    registryConfig,
    type RegistryConfigArgs,
    serviceEnvironment,
    serviceFiles,
} from "../../lib/registry-config";
import type { RedisCache, S3Storage } from "../../lib/storage-config";

const args = {
    httpSecret: 'tricky: "secret" # with %{yaml} in it',
    deleteEnabled: true,
    readOnly: false,
    metricsPublished: false,
    listens: "directly" as Listening,
};
const CA = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";
const s3: S3Storage = {
    bucket: "images",
    region: "us-east-1",
    forcePathStyle: false,
    rootDirectory: "",
    accessKey: "id",
    secretKey: "key",
    encrypt: false,
    redirect: false,
};
const redis: RedisCache = { host: "redis.test", port: 6379, db: 3, password: "pässword" };
const read = (changes: Partial<RegistryConfigArgs> = {}) =>
    parse(registryConfig({ ...args, ...changes })) as Record<string, never>;

test("is YAML that holds what was given", () => {
    expect(read()).toMatchObject({
        version: "0.1",
        log: { level: "info", formatter: "json", accesslog: { disabled: true } },
        storage: { delete: { enabled: true }, maintenance: { readonly: { enabled: false } } },
        http: {
            secret: args.httpSecret,
            tls: { minimumtls: "tls1.2" },
            debug: { addr: "127.0.0.1:5001", prometheus: { enabled: false } },
        },
        auth: { htpasswd: { path: "/etc/private-registry/htpasswd" } },
    });
});

test("modes", () => {
    expect(read({ deleteEnabled: false, readOnly: true })).toMatchObject({
        storage: { delete: { enabled: false }, maintenance: { readonly: { enabled: true } } },
    });
    expect(read({ metricsPublished: true })).toMatchObject({
        http: { debug: { addr: ":5001", prometheus: { enabled: true } } },
    });
});

test("behind a gateway it has no port, no TLS and no accounts", () => {
    const { http, auth } = read({ listens: "on-socket" });
    expect(http).toMatchObject({ net: "unix", addr: "/run/registry/registry.sock" });
    expect(http).not.toHaveProperty("tls");
    expect(auth).toBeUndefined();
});

test("there is exactly one storage driver: the folder, or the bucket, whose bytes the registry serves itself", () => {
    const drivers = (changes: Partial<RegistryConfigArgs>) =>
        Object.keys(read(changes).storage as unknown as object).filter((key) =>
            ["filesystem", "s3", "redirect"].includes(key),
        );
    expect(drivers({})).toEqual(["filesystem"]);
    expect(drivers({ s3 })).toEqual(["s3", "redirect"]);
    expect(read({ s3 })).toMatchObject({
        storage: {
            s3: { bucket: "images", region: "us-east-1", accesskey: "id", secretkey: "key" },
            redirect: { disable: true },
            cache: { blobdescriptor: "inmemory" },
        },
    });
    const elsewhere = { endpoint: "https://s3.test", forcePathStyle: true, rootDirectory: "a/b" };
    expect(read({ s3: { ...s3, ...elsewhere, redirect: true } })).toMatchObject({
        storage: {
            s3: {
                regionendpoint: "https://s3.test",
                forcepathstyle: true,
                rootdirectory: "/a/b",
            },
            redirect: { disable: false },
        },
    });
});

test("a Redis remembers blobs, by TLS when it has a certificate", () => {
    expect(read({ redis })).toMatchObject({
        storage: { cache: { blobdescriptor: "redis" } },
        redis: { addrs: ["redis.test:6379"], password: "pässword", db: 3 },
    });
    expect(read({ redis })).not.toHaveProperty("redis.tls");
    expect(read({ redis: { ...redis, caCertificate: CA } })).toMatchObject({
        redis: { tls: { rootcas: ["/etc/private-registry/redis-ca.crt"] } },
    });
});

test("only what needs files beside the configuration has them", () => {
    expect(serviceFiles({})).toEqual({});
    expect(serviceFiles({ s3 })).toEqual({});
    expect(serviceEnvironment({ s3, redis })).toEqual([]);
    expect(serviceFiles({ s3: { ...s3, caCertificate: CA } })).toEqual({ "storage-ca.crt": CA });
    expect(serviceEnvironment({ s3: { ...s3, caCertificate: CA } })).toEqual([
        "AWS_CA_BUNDLE=/etc/private-registry/storage-ca.crt",
    ]);
    expect(Object.keys(serviceFiles({ redis }))).toEqual(["redis-address", "redis-forget"]);
    expect(Object.keys(serviceFiles({ redis: { ...redis, caCertificate: CA } }))).toEqual([
        "redis-ca.crt",
    ]);
});

test("commands for Redis say how many bytes each word has", () => {
    expect(redisCommands({ ...redis, username: "u" }, ["PING"])).toBe(
        "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$9\r\npässword\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n",
    );
});

test("replicas let in nobody but the gateway", () => {
    const { http, auth } = read({ listens: "to-gateway" });
    expect(http).toMatchObject({
        addr: ":5000",
        tls: {
            certificate: "/etc/private-registry/tls.crt",
            clientcas: ["/etc/private-registry/tls.crt"],
        },
    });
    expect(auth).toBeUndefined();
});
