import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as command from "@pulumi/command";
import { type Properties, PulumiPackage } from "../support/package-types";
import { inputsOf, outputsOf, type Schema, schemaOf, those } from "../support/provider-schema";

// The compatible providers beside the npm packages of the official ones, in the versions that the program uses: what a program
// can write for one it can write for the other, or the provider refuses it by name and offline/README.md says so.

const PROVIDERS = join(__dirname, "../../offline/providers");
const README = readFileSync(join(PROVIDERS, "../README.md"), "utf8");
const built = process.env.PULUMIW_PLUGINS;
const hasGo = (process.env.PATH ?? "")
    .split(delimiter)
    .some((folder) => existsSync(join(folder, "go")));

/** What the compatible providers have no word for, by resource type. offline/README.md names each. */
const NOT_COVERED: Readonly<Record<string, readonly string[]>> = {
    "docker:index/container:Container": [
        ...["cgroupParent", "cgroupnsMode", "cpus", "deviceCgroupRules", "deviceReadBps"],
        ...["deviceReadIops", "deviceRequests", "deviceWriteBps", "deviceWriteIops", "devices"],
        ...["gpus", "platform", "publishAllPorts", "storageOpts"],
    ],
    "docker:index/remoteImage:RemoteImage": ["build"],
    "docker:index/service:Service": [
        "auth",
        "taskSpec.containerSpec.configs",
        "taskSpec.containerSpec.privileges.credentialSpec",
        "taskSpec.networksAdvanceds[].name",
        "taskSpec.resources.reservation.genericResources",
    ],
    "docker:index/volume:Volume": ["cluster"],
    "tls:index/certRequest:CertRequest": [
        ...["privateKeyPemWo", "privateKeyPemWoVersion", "subject.emailAddress"],
    ],
    "tls:index/locallySignedCert:LocallySignedCert": [
        ...["caPrivateKeyPemWo", "caPrivateKeyPemWoVersion"],
    ],
    "tls:index/selfSignedCert:SelfSignedCert": [
        ...["privateKeyPemWo", "privateKeyPemWoVersion", "subject.emailAddress"],
    ],
    "command:local:Command": ["archive", "archivePaths", "assetPaths", "assets"],
};

/**
 * Inputs whose change does not replace; every other one does. docker: as in the schema of 5.1.0, and `healthcheck` replaces since
 * 5.2.0. The schemas of tls and random do not tell: these are from their sources, 5.5.1 and 4.21.1. command: from its package.
 */
const IN_PLACE: Readonly<Record<string, readonly string[]>> = {
    "docker:index/container:Container": [
        ...["attach", "containerReadRefreshTimeoutMilliseconds", "cpuPeriod", "cpuQuota", "cpuSet"],
        ...["cpuShares", "destroyGraceSeconds", "init", "logs", "maxRetryCount", "memory"],
        ...[
            "memoryReservation",
            "memorySwap",
            "mustRun",
            "removeVolumes",
            "restart",
            "rm",
            "start",
        ],
        ...["tmpfs", "wait", "waitTimeout"],
    ],
    "docker:index/network:Network": [],
    "docker:index/remoteImage:RemoteImage": ["forceRemove", "keepLocally"],
    "docker:index/secret:Secret": [],
    "docker:index/service:Service": [
        ...["convergeConfig", "endpointSpec", "labels", "rollbackConfig", "taskSpec"],
        "updateConfig",
    ],
    "docker:index/volume:Volume": [],
    "random:index/randomBytes:RandomBytes": [],
    "random:index/randomPassword:RandomPassword": [],
    "tls:index/certRequest:CertRequest": [],
    "tls:index/locallySignedCert:LocallySignedCert": ["earlyRenewalHours"],
    "tls:index/privateKey:PrivateKey": [],
    "tls:index/selfSignedCert:SelfSignedCert": ["earlyRenewalHours"],
};

const TYPES: Readonly<Record<string, readonly string[]>> = {
    docker: [
        ...["container:Container", "network:Network", "remoteImage:RemoteImage"],
        ...["secret:Secret", "service:Service", "volume:Volume"],
    ].map((type) => `docker:index/${type}`),
    tls: [
        ...["certRequest:CertRequest", "locallySignedCert:LocallySignedCert"],
        ...["privateKey:PrivateKey", "selfSignedCert:SelfSignedCert"],
    ].map((type) => `tls:index/${type}`),
    random: ["randomBytes:RandomBytes", "randomPassword:RandomPassword"].map(
        (type) => `random:index/${type}`,
    ),
    command: ["command:local:Command", "command:remote:Command"],
};

/** Those of one side that the other does not have, without what is in a thing that it does not have. */
function missing(from: Properties, all: Properties): string[] {
    const paths = Object.keys(all).filter((path) => !Object.hasOwn(from, path));
    const isWithin = (path: string, other: string) =>
        path.startsWith(other) && /^[.[{]/.test(path.slice(other.length));
    return paths.filter((path) => !paths.some((other) => isWithin(path, other))).sort();
}

function only(all: Properties, names: Properties): Properties {
    return Object.fromEntries(Object.entries(all).filter(([name]) => Object.hasOwn(names, name)));
}

const names = Object.keys(TYPES);
const describeProviders = built === undefined && !hasGo ? describe.skip : describe;

describeProviders.each(names)("%s", (name) => {
    const official = new PulumiPackage(name);
    let folder = "";
    let schema: Schema;

    beforeAll(async () => {
        if (built === undefined) {
            folder = mkdtempSync(join(tmpdir(), "private-registry-provider-"));
            // As `go test` has just compiled them.
            execFileSync(
                "go",
                ["build", "-trimpath", "-o", `${folder}/`, `./cmd/pulumi-resource-${name}`],
                {
                    cwd: PROVIDERS,
                    env: { ...process.env, CGO_ENABLED: "0" },
                },
            );
            schema = await schemaOf(folder, name);
        } else {
            schema = await schemaOf(
                join(built, `resource-${name}-v${official.version}+offline`),
                name,
            );
        }
    });
    afterAll(() => {
        if (folder !== "") rmSync(folder, { recursive: true });
    });

    test("has the resource types that the program uses, and says that it is no official build", () => {
        expect(Object.keys(schema.resources).sort()).toEqual(TYPES[name]);
        expect([schema.name, schema.version]).toEqual([name, `${official.version}+offline`]);
        expect(schema.meta?.moduleFormat).toBe("(.*)(?:/[^/]*)");
    });

    test.each(TYPES[name] ?? [])("%s: inputs and outputs are the official ones", (token) => {
        const { inputs, outputs } = official.resource(token);
        const ourInputs = inputsOf(schema, schema.resources[token]);
        const ourOutputs = outputsOf(schema, schema.resources[token]);
        expect(ourInputs).toEqual(only(inputs, ourInputs));
        expect(ourOutputs).toEqual(only(outputs, ourOutputs));
    });

    test.each(TYPES[name] ?? [])("%s: what is not covered is known, and documented", (token) => {
        const { inputs, outputs } = official.resource(token);
        const resource = schema.resources[token];
        const without = [
            ...missing(inputsOf(schema, resource), inputs),
            ...missing(outputsOf(schema, resource), outputs),
        ];
        const known = NOT_COVERED[token] ?? [];
        expect([...new Set(without)].sort()).toEqual([...known].sort());
        for (const path of known) {
            expect(README).toMatch(new RegExp(`[\`.]${path.replace(/^.*\./, "")}\``));
        }
    });

    test.each(TYPES[name] ?? [])("%s: the same is secret", (token) => {
        const { secretInputs, secretOutputs } = official.resource(token);
        const { inputProperties, properties } = schema.resources[token] ?? {};
        for (const [all = {}, secrets] of [
            [inputProperties, secretInputs],
            [properties, secretOutputs],
        ] as const) {
            expect(those(all, ({ secret }) => secret)).toEqual(
                secrets.filter((property) => Object.hasOwn(all, property)).sort(),
            );
        }
    });

    test.each(TYPES[name] ?? [])("%s: a change replaces where the official one does", (token) => {
        const all = schema.resources[token]?.inputProperties ?? {};
        const inPlace = IN_PLACE[token];
        const replacing =
            inPlace === undefined
                ? official.resource(token).replacing
                : Object.keys(all).filter((input) => !inPlace.includes(input));
        expect(those(all, ({ replaceOnChanges }) => replaceOnChanges)).toEqual(
            [...replacing].sort(),
        );
    });

    test("its own settings are the official ones", () => {
        const settings = official.settings();
        const ours = inputsOf(schema, schema.provider);
        expect(ours).toEqual(only(settings, ours));
    });

    if (name !== "command") return;
    const { connectionArgsProvideDefaults, proxyConnectionArgsProvideDefaults } =
        command.types.input.remote;
    test.each([
        ["Connection", connectionArgsProvideDefaults],
        ["ProxyConnection", proxyConnectionArgsProvideDefaults],
    ] as const)("%s: what is not given is the official default", (type, withDefaults) => {
        const members = schema.types?.[`command:remote:${type}`]?.properties ?? {};
        const defaults = Object.entries(members)
            .map(([member, property]) => [member, property.default] as const)
            .filter(([, value]) => value !== undefined);
        expect({ host: "h", ...Object.fromEntries(defaults) }).toEqual(withDefaults({ host: "h" }));
    });
});
