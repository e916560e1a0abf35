import { complaint, read } from "../support/settings";

const mirrors = (fields: Record<string, unknown>) => ({ mirrors: { hub: fields } });
const PORT = { port: 5010 };

test.each([
    ["docker.io", "docker.io", "https://registry-1.docker.io"],
    ["https://registry-1.docker.io", "docker.io", "https://registry-1.docker.io"],
    ["quay.io", "quay.io", "https://quay.io"],
    ["registry.example.com:5000", "registry.example.com:5000", "https://registry.example.com:5000"],
    ["https://registry.example.com/", "registry.example.com", "https://registry.example.com"],
    ["http://192.0.2.1:5000", "192.0.2.1:5000", "http://192.0.2.1:5000"],
    ["[2001:db8::1]:5000", "[2001:db8::1]:5000", "https://[2001:db8::1]:5000"],
])("the upstream %s has the images of %s, at %s", (upstream, registry, url) => {
    expect(read(mirrors({ upstream, ...PORT })).mirrors).toEqual({
        hub: { registry, upstream: { url, ttl: "168h" }, port: 5010, anonymous: true },
    });
});

test("another place for a registry's images, a login, and a time to keep them", () => {
    const credentials = { username: "robot$web", password: "token" };
    const fields = {
        upstream: "https://cache.example.com",
        registry: "docker.io",
        port: "5010",
        ttl: 0,
        credentials,
        proxy: "http://proxy.example.com:3128",
    };
    const { hub } = read(mirrors(fields)).mirrors;
    expect(hub).toEqual({
        registry: "docker.io",
        upstream: {
            url: "https://cache.example.com",
            credentials,
            ttl: "0s",
            proxy: "http://proxy.example.com:3128",
        },
        port: 5010,
        // What takes a login to see is not shown to everybody.
        anonymous: false,
    });
    expect(read(mirrors({ ...fields, anonymous: "true" })).mirrors.hub?.anonymous).toBe(true);
    expect(read(mirrors({ ...fields, ttl: "36h" })).mirrors.hub?.upstream.ttl).toBe("36h");
});

test.each([
    ["upstream", ["", "localhost:5000", "http://127.0.0.1:5000", "ftp://a.example.com", "a b", 5]],
    ["upstream", ["https://user@a.example.com", "https://a.example.com/path", "a.example.com/b"]],
    ["port", [0, 65536, "http", "0x10", -1, 1.5]],
    ["registry", ["https://docker.io", "Docker.io", "docker.io/library", "a:0", "a:70000", ""]],
    ["ttl", ["7d", "1.5h", "-1h", "h", 168, ""]],
    ["anonymous", ["yes", 1]],
    ["caCertificate", ["ca.crt"]],
    ["proxy", ["proxy:3128", "http://user:pass@proxy.example.com", "http://localhost:3128"]],
    ["password", ["x"]],
])("a wrong %s is named and nothing else", (field, values) => {
    for (const value of values) {
        const text = complaint(mirrors({ upstream: "docker.io", ...PORT, [field]: value }));
        expect(text).toContain("the configuration has one problem");
        expect(text).toContain(`mirrors.hub.${field}`);
    }
});

test.each([
    [{ ...PORT }, "mirrors.hub.upstream"],
    [{ upstream: "docker.io" }, "mirrors.hub.port"],
    [{ upstream: "docker.io", ...PORT, credentials: {} }, "mirrors.hub.credentials.username"],
    [{ upstream: "docker.io", ...PORT, credentials: "x" }, "mirrors.hub.credentials"],
])("%j lacks something", (fields, key) => {
    expect(complaint(mirrors(fields))).toContain(`\n  ${key}\n    given: `);
});

test("a password is never shown, and never sent in clear", () => {
    const credentials = { username: "a b", password: "the secret" };
    const wrong = complaint(mirrors({ upstream: "docker.io", ...PORT, credentials }));
    expect(wrong).toContain("mirrors.hub.credentials.password");
    expect(wrong).not.toContain("the secret");
    const clear = complaint(
        mirrors({
            upstream: "http://a.example.com",
            ...PORT,
            credentials: { username: "a", password: "hunter2" },
        }),
    );
    expect(clear).toContain("they would go over the line in clear");
    expect(clear).not.toContain("hunter2");
});

test("two mirrors have different registries and ports, and the registry's own are not theirs", () => {
    const hub = { upstream: "docker.io", port: 5010 };
    const text = complaint({
        metricsPort: 5011,
        mirrors: {
            hub,
            other: { upstream: "https://cache.example.com", registry: "docker.io", port: 5011 },
            quay: { upstream: "quay.io", port: 5000 },
            "a.b": { upstream: "ghcr.io", port: 5010 },
        },
    });
    expect(text).toContain("mirrors.hub is of the same one");
    expect(text).toContain("mirrors.other.port");
    expect(text).toContain("a port other than `metricsPort`");
    expect(text).toContain("a port other than `port`");
    expect(text).toContain(`pulumi config set --path 'mirrors["a.b"].port' 5012`);
    expect(complaint({ mirrors: { "A b": hub } })).toContain("names of lower-case letters");
    expect(complaint({ mirrors: ["docker.io"] })).toContain(
        "an object {name: {upstream, port, …}}",
    );
});
