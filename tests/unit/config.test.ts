import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { parse } from "yaml";
import { readSettings } from "../../config";
import { ofConfiguration } from "../../lib/advice";
import { CONFIG_KEYS, type Settings } from "../../lib/settings";
import { complaint, read, SURROUNDINGS } from "../support/settings";

const BUCKET = { bucket: "images", region: "eu-west-1", accessKey: "id", secretKey: "key" };
const KEEP_TEN = { repositories: "*", keepLast: 10 };

test("without any configuration there is a registry on localhost:5000 with one team", () => {
    expect(read({})).toEqual({
        hostname: "localhost",
        port: 5000,
        bindAddress: "0.0.0.0",
        subjectAltNames: [],
        subject: {},
        keyAlgorithm: "ECDSA",
        authorities: ["1"],
        authorityValidityDays: 3650,
        certificateValidityDays: 200,
        earlyRenewalDays: 30,
        teams: { dev: {} },
        image: "registry:3.1.1",
        dockerHost: "unix:///var/run/docker.sock",
        containerName: "private-registry-test",
        clients: {},
        mirrors: {},
        instance: "private-registry-test",
        dataVolume: "private-registry-test-data",
        owner: "private-registry/test",
        dataRetained: true,
        deleteEnabled: true,
        readOnly: false,
        memoryMiB: 2048,
        cpuShares: 1024,
        retention: [],
        say: expect.anything(),
    });
});

test.each([
    [{ port: "443" }, { port: 443 }],
    [{ hostname: "registry.example.com" }, { hostname: "registry.example.com" }],
    [{ hostname: "192.0.2.1" }, { hostname: "192.0.2.1" }],
    [{ teams: ["web", "ops"] }, { teams: { web: {}, ops: {} } }],
    [
        { teams: { web: { generation: 2 }, ops: null } },
        { teams: { web: { generation: 2 }, ops: {} } },
    ],
    [
        { teams: { web: { accounts: ["web-2", "web"] } } },
        { teams: { web: { accounts: ["web-2", "web"] } } },
    ],
    [{ authorities: [1, "2"] }, { authorities: ["1", "2"] }],
    [{ readOnly: "true" }, { readOnly: true }],
    [
        { subject: { country: "DE", organization: "Example & Söhne" } },
        { subject: { country: "DE", organization: "Example & Söhne" } },
    ],
    [{ subjectAltNames: ["*.example.com", "::1"] }, { subjectAltNames: ["*.example.com", "::1"] }],
    [{ dockerHost: "ssh://ops@host" }, { dockerHost: "ssh://ops@host" }],
    [
        { retention: [{ repositories: "ci/*", keepLast: "10", keepTags: ["v*", "latest"] }] },
        { retention: [{ repositories: "ci/*", keepLast: 10, keepTags: ["v*", "latest"] }] },
    ],
    [
        { retention: [{ repositories: "base/*", keepTags: ["*"] }, KEEP_TEN] },
        { retention: [{ repositories: "base/*", keepTags: ["*"] }, KEEP_TEN] },
    ],
    [{ containerName: "hub" }, { containerName: "hub", dataVolume: "private-registry-test-data" }],
    [
        { image: `registry@sha256:${"a".repeat(64)}` },
        { image: `registry@sha256:${"a".repeat(64)}` },
    ],
])("%j is taken as %j", (config, expected) => {
    expect(read(config)).toMatchObject(expected);
});

test("DOCKER_HOST is the Docker host unless the configuration names one", () => {
    expect(read({}, { dockerHost: "tcp://127.0.0.1:2375" }).dockerHost).toBe(
        "tcp://127.0.0.1:2375",
    );
    expect(
        read({ dockerHost: "ssh://ops@host" }, { dockerHost: "tcp://127.0.0.1:2375" }).dockerHost,
    ).toBe("ssh://ops@host");
});

test.each([
    [
        "hostname",
        [
            "Registry.example.com",
            "a b",
            "-a",
            "a..b",
            "1.2.3",
            "$(id)",
            "a\nb",
            "",
            "x".repeat(254),
        ],
    ],
    ["port", ["0", "65536", "5000.5", "1e3", "0x10", "05000", "-1", "", "five"]],
    ["bindAddress", ["localhost", "1.2.3", "0.0.0.0/0"]],
    ["address", ["0.0.0.0", "::", "0:0::0", "registry.test", "fe80::1%eth0"]],
    ["subjectAltNames", ["registry.test", ["a b"], ["a.test", "a.test"], ["*.*.test"], [1]]],
    [
        "subject",
        [{ country: "de" }, { organization: "a\nb" }, { locality: "x".repeat(65) }, "C=DE"],
    ],
    ["keyAlgorithm", ["ED25519", "ecdsa"]],
    ["authorities", [[], ["1", "1"], ["a/b"], "1"]],
    ["authorityValidityDays", ["0", "36501"]],
    ["certificateValidityDays", ["0", "a year"]],
    ["earlyRenewalDays", ["-1"]],
    [
        "teams",
        [
            [],
            {},
            ["a:b"],
            ["A"],
            ["a", "a"],
            { a: { generation: 0 } },
            { a: { accounts: [] } },
            { a: { accounts: ["a", "a"] } },
            { a: { accounts: ["a:b"] } },
            "dev",
            ["a\nb:c"],
        ],
    ],
    [
        "image",
        [
            "registry",
            "registry:latest",
            "Registry:1",
            "registry:3 --privileged",
            "registry@sha256:abc",
        ],
    ],
    ["dockerHost", ["docker.test", "http://docker.test", "ssh://a b@c"]],
    ["containerName", ["/x", "a b", "-x"]],
    ["dataPath", ["relative", "/a:b", "/a/../b", "/a/", "/"]],
    ["dataRetained", ["yes", "1", "on"]],
    ["deleteEnabled", ["off"]],
    ["readOnly", ["True"]],
    ["metricsPort", ["0"]],
    ["memoryMiB", ["0", "127", "2g"]],
    ["cpuShares", ["1", "half"]],
    [
        "retention",
        [
            "team/*",
            [{ keepLast: 1 }],
            [{ repositories: "Team/*", keepLast: 1 }],
            [{ repositories: "*", keepLast: 0 }],
            [{ repositories: "*", keepLast: 1, keepTags: [] }],
        ],
    ],
] as const)("%s refuses what it does not take", (key, values) => {
    for (const value of values) {
        const text = complaint({ [key]: value });
        expect(text).toContain(`\n  ${key}\n    given:   ${JSON.stringify(value)}`.slice(0, 90));
        expect(text).toContain(`allowed: ${CONFIG_KEYS[key]?.allowed ?? ""}`);
        expect(text).toContain("fix:     pulumi config set ");
    }
});

test("a fix changes the stack that was run, by what ran it", () => {
    const say = ofConfiguration("./pulumiw", "prod");
    expect(complaint({ port: "http", prot: "1" }, { say })).toMatch(
        /fix: +\.\/pulumiw config set --stack prod port 5000\n[^]*fix: +\.\/pulumiw config rm --stack prod prot$/m,
    );
});

test("every key's example is allowed", () => {
    for (const [name, { example, schema }] of Object.entries(CONFIG_KEYS)) {
        const [path, value] = example;
        expect(path.split(/[.[]/)[0]).toBe(name);
        if (path === name) expect(schema.safeParse(value).success).toBe(true);
    }
});

test("all problems are reported at once, with unknown keys", () => {
    const text = complaint({ port: "http", hostname: "A", prot: "5000", teams: [] });
    expect(text).toContain("the configuration has 4 problems; nothing was changed");
    for (const key of ["port", "hostname", "prot", "teams"]) {
        expect(text).toContain(`\n  ${key}\n`);
    }
    expect(text).toContain("no such key; the keys are hostname, port,");
    expect(text).toContain("pulumi config rm prot");
});

test.each([
    [{ teams: { dev: { password: "s3cret" } } }, "teams.dev.password"],
    [{ teams: { dev: { generation: 1 }, "a.b": { pasword: "s3cret" } } }, 'teams["a.b"].pasword'],
    [{ retention: [{ repositories: "*", token: "s3cret" }] }, "retention[0].token"],
    [{ subject: { key: "s3cret" } }, "subject.key"],
    [{ swarm: { secret: "s3cret" } }, "swarm.secret"],
    [{ password: "s3cret" }, "password"],
])("what stands under a name that nobody knows is not shown: %j", (config, path) => {
    const text = complaint(config);
    expect(text).toContain(`\n  ${path}\n    given:   (not shown: it may be a secret)`);
    expect(text).toContain("\n    allowed: no such ");
    expect(text).toMatch(/fix: {5}pulumi config rm /);
    expect(text).toContain("the configuration has one problem");
    expect(text).not.toContain("s3cret");
});

test.each([
    { Dev: { password: "s3cret" } },
    [{ name: "dev", password: "s3cret" }],
    { dev: "s3cret" },
])("teams in another form than they have are not shown: %j", (teams) => {
    const text = complaint({ teams });
    expect(text).toContain("\n  teams\n    given:   (not shown: it may be a secret)");
    expect(text).not.toContain("s3cret");
});

test("a field that nobody knows hides no other problem of its key", () => {
    const text = complaint({ teams: { dev: { generation: 0, password: "s3cret" } } });
    expect(text).toContain("the configuration has 2 problems");
    expect(text).toContain("\n  teams.dev.password\n");
    expect(text).toContain("\n  teams\n    given:   (not shown: it may be a secret)");
    expect(text).not.toContain("s3cret");
});

test.each([
    [{ certificateValidityDays: 30 }, "earlyRenewalDays", "less than certificateValidityDays (30)"],
    [
        { authorityValidityDays: 230 },
        "authorityValidityDays",
        "more than certificateValidityDays + earlyRenewalDays (230)",
    ],
    [{ metricsPort: 5000 }, "metricsPort", "a port other than `port`"],
    [
        { gateway: true, metricsPort: 5001, gatewayMetricsPort: 5001 },
        "gatewayMetricsPort",
        "a port other than `metricsPort`",
    ],
    [{ gatewayMetricsPort: 5001 }, "gatewayMetricsPort", "only where there is a gateway"],
    [{ replicas: 3 }, "replicas", "set only with `swarm`"],
    [{ swarm: true }, "swarm", "replicas cannot share a volume or a folder"],
    [
        { swarm: true, storage: { s3: BUCKET }, metricsPort: 5001 },
        "metricsPort",
        "replicas publish nothing",
    ],
    [
        { swarm: true, storage: { s3: BUCKET }, gateway: false },
        "gateway",
        "or the registry is a service of a Swarm",
    ],
    [
        { gateway: false, teams: { dev: { pull: ["*"] } } },
        "gateway",
        "where a team has permissions",
    ],
    [
        { teams: { web: {}, ops: { accounts: ["ops", "web"] } } },
        "teams.ops.accounts",
        "user names that no other team has; web is one of web",
    ],
    [
        { dataPath: "/srv/images", dataRetained: false },
        "dataRetained",
        "a folder of yours is never deleted",
    ],
    [{ retention: [{ repositories: "*" }] }, "retention[0]", "keepLast or olderThanDays, or both"],
    [
        { retention: [{ repositories: "*", keepTags: ["v*"] }] },
        "retention[0]",
        "what was pushed a moment ago would be deleted",
    ],
    [
        { retention: [{ ...KEEP_TEN, keepTags: ["*"] }] },
        "retention[0]",
        'nothing beside keepTags ["*"]',
    ],
    [
        { retention: [KEEP_TEN, { repositories: "team/*", olderThanDays: 30 }] },
        "retention[1]",
        "a rule for other repositories than rule 0",
    ],
    [
        {
            retention: [
                { ...KEEP_TEN, repositories: "team/*" },
                { ...KEEP_TEN, repositories: "team/*" },
            ],
        },
        "retention[1]",
        "a rule for other repositories than rule 0",
    ],
    [{ retention: [KEEP_TEN], deleteEnabled: false }, "deleteEnabled", "retention rules"],
])("%j is a contradiction", (config, key, allowed) => {
    const text = complaint(config);
    expect(text).toContain(`\n  ${key}\n`);
    expect(text).toContain(allowed);
    expect(text).toContain("has one problem");
});

test("an unusable DOCKER_HOST is named as such", () => {
    expect(complaint({}, { dockerHost: "nonsense" })).toContain(
        "from the environment variable DOCKER_HOST",
    );
});

test("other programs' configuration is not looked at", () => {
    expect(
        readSettings({ "aws:region": "x", "private-registry:port": "5001" }, SURROUNDINGS).port,
    ).toBe(5001);
});

test("whatever text a key is given, it is taken as it is or refused by name", () => {
    const keys = fc.constantFrom(...Object.keys(CONFIG_KEYS));
    const values = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.integer().map(String));
    fc.assert(
        fc.property(keys, values, (key, value) => {
            let settings: Settings;
            try {
                settings = readSettings(
                    { [`private-registry:${key}`]: value },
                    SURROUNDINGS,
                ) as Settings;
            } catch (error) {
                const text = (error as Error).message;
                expect(text).toContain(key);
                // Nothing that was given can move the cursor or colour the terminal.
                expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
                return;
            }
            // These come together in one object, where there is a gateway at all.
            if (/^(gateway|swarm|replicas|redisImage)/.test(key)) return;
            const read = settings[key as keyof Settings];
            expect(typeof read === "object" ? read : String(read)).toEqual(
                typeof read === "object" ? expect.anything() : value,
            );
        }),
        { numRuns: 1000 },
    );
});

test("the project file declares the same defaults", () => {
    const project = parse(readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8")) as {
        config: Record<string, { default: unknown; description: string }>;
    };
    const plain = Object.entries(CONFIG_KEYS).filter(
        ([, key]) => key.default !== undefined && typeof key.default !== "object",
    );
    expect(
        Object.fromEntries(
            Object.entries(project.config).map(([key, value]) => [key, value.default]),
        ),
    ).toEqual(Object.fromEntries(plain.map(([name, key]) => [name, key.default])));
    for (const [name, { description }] of Object.entries(project.config)) {
        expect(description).toContain(CONFIG_KEYS[name]?.allowed);
    }
});
