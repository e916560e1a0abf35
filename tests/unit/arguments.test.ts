import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { PrivateRegistry } from "../../components/private-registry";
import { settingsOf } from "../../lib/arguments";
import { known } from "../../lib/late";
import { ALL_KEYS, CONFIG_KEYS } from "../../lib/settings";
import { configWith, outcome, SURROUNDED } from "../support/config-cases";
import { configPaths } from "../support/config-paths";
import { SAMPLES } from "../support/config-samples";
import { isMarkedSecret, noteDeclarations, record, settled } from "../support/mocks";
import { read } from "../support/settings";

/** What a library's user gives: the same names, checks and defaults as the configuration of the stack. */

const HOST_KEY = String(SAMPLES["ssh.jumpHost.hostKey"]?.[0]);
const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nKEY\n-----END OPENSSH PRIVATE KEY-----\n";

beforeEach(() => record(false));

/** As JavaScript hands it over, where no compiler has looked. */
function settings(args: Record<string, unknown>) {
    return settingsOf("hub", args, SURROUNDED);
}

function complaint(args: Record<string, unknown>, name = "hub"): string {
    try {
        settingsOf(name, args, SURROUNDED);
    } catch (error) {
        expect(error).toBeInstanceOf(pulumi.RunError);
        return (error as Error).message;
    }
    throw new Error("the arguments were accepted");
}

const NAMES = {
    containerName: "private-registry-test-hub",
    instance: "private-registry-test-hub",
    dataVolume: "private-registry-test-hub-data",
    owner: "private-registry/test/hub",
    say: expect.anything(),
};

test("without any arguments it is what a stack without configuration is, under a name of its own", () => {
    expect(settings({})).toEqual({ ...read({}), ...NAMES });
    expect(settings({ hostname: undefined, teams: undefined })).toEqual({
        ...settings({}),
        ...NAMES,
    });
});

const OF_PROGRAM = ["retention"];
const CASES = [...configPaths()].filter(
    ([path]) =>
        !OF_PROGRAM.includes(/^\w+/.exec(path)?.[0] ?? "") && !path.includes("privateKeyPath"),
);

test.each(CASES)("%s is taken as the configuration takes it (%s)", (path) => {
    for (const sample of SAMPLES[path] ?? []) {
        const texts = configWith(path, sample);
        const args = Object.fromEntries(
            Object.entries(texts).map(([key, text]) => [key.split(":")[1], parsed(text)]),
        ) as Record<string, unknown>;
        const configured = outcome(texts);
        if (!("settings" in configured)) throw new Error(configured.said);
        const { containerName, ...names } = NAMES;
        expect(settings(args)).toEqual({
            ...configured.settings,
            ...names,
            ...(path === "containerName" ? {} : { containerName }),
        });
    }
});

function parsed(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

test("all problems are named at once, by their paths, with what to write in the program", () => {
    const text = complaint({
        hostname: "Registry",
        port: 70000,
        prot: "s3cret",
        subject: { country: "de" },
        clients: { build1: { host: "a b" }, build2: { host: "b.test", hostKey: 7 } },
        ssh: { password: 5 },
        storage: { s3: { bucket: "images" } },
        mirrors: { hub: { upstream: "docker.io" } },
    });
    expect(text).toMatch(/^the arguments of PrivateRegistry "hub" have 1\d problems\n/);
    for (const [key, fix] of [
        ["hostname", 'hostname: "registry.example.com"'],
        ["port", "port: 5000"],
        ["prot", "leave out prot"],
        ["subject", "subject.organization: 'Example Inc'"],
        ["clients.build1.host", 'clients.build1.host: "192.0.2.21"'],
        ["clients.build2.hostKey", "clients.build2.hostKey: 'ssh-ed25519 AAAA…'"],
        ["ssh.password", 'ssh.password: new pulumi.Config().requireSecret("…")'],
        ["storage.s3.region", 'storage.s3.region: "us-east-1"'],
        ["mirrors.hub.port", "mirrors.hub.port: 5010"],
    ] as const) {
        expect(text).toMatch(
            new RegExp(`\\n  ${key.replaceAll(".", "\\.")}\\n    given: .*\\n.*\\n    fix:     `),
        );
        expect(text).toContain(`fix:     ${fix}`);
    }
    expect(text).not.toContain("pulumi config");
    expect(text).not.toContain("npm run");
    // What stands under a wrong name may be a secret.
    expect(text).not.toContain("s3cret");
});

test("a rule for a command that only this project has is refused, and the name is checked too", () => {
    expect(complaint({ retention: [] })).toContain("no such key; the keys are hostname, port,");
    expect(complaint({}, "my registry")).toContain('\n  name\n    given:   "my registry"');
});

test("an Output where a plain value is needed is named as one", () => {
    expect(complaint({ hostname: pulumi.output("registry.test") })).toContain(
        "\n  hostname\n    given:   an Output or a Promise",
    );
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    expect(complaint({ hostname: cyclic, teams: () => 1 })).toContain("has no JSON");
});

test("a secret may be an Output: it is secret in what is made of it, and checked there", async () => {
    const secrets = {
        key: pulumi.secret(PRIVATE_KEY),
        bucket: pulumi.secret("the-secret-of-the-bucket"),
        redis: Promise.resolve("the-password-of-redis"),
        robot: pulumi.output("the-password-of-robot"),
    };
    for (const preview of [false, true]) {
        const recording = record(preview);
        new PrivateRegistry(
            "hub",
            {
                hostname: "registry.example.test",
                ssh: { privateKey: secrets.key },
                clients: {
                    one: { host: pulumi.output("192.0.2.1"), hostKey: pulumi.output(HOST_KEY) },
                    two: { host: pulumi.output("192.0.2.2"), hostKey: HOST_KEY },
                },
                storage: {
                    s3: {
                        bucket: "images",
                        region: "eu-west-1",
                        accessKey: "the-id",
                        secretKey: secrets.bucket,
                    },
                },
                redis: { address: "redis.test:6379", password: secrets.redis },
                mirrors: {
                    lab: {
                        upstream: "lab.test",
                        port: 5011,
                        credentials: { username: "robot", password: secrets.robot },
                    },
                },
            },
            { transformations: [noteDeclarations(recording)] },
        );
        await settled(recording);
        const { registered } = recording;
        const all = JSON.stringify(registered);
        const open = JSON.stringify(registered, (_, given: unknown) =>
            isMarkedSecret(given) ? "[secret]" : given,
        );
        expect(all).toContain("192.0.2.2");
        expect(all).toContain(JSON.stringify(PRIVATE_KEY).slice(1, -1));
        const late = ["the-secret-of-the-bucket", "the-password-of-redis", "the-password-of-robot"];
        // Their files hold a secret besides, which a preview does not know.
        if (!preview) for (const text of late) expect(all).toContain(text);
        for (const text of [...late, "BEGIN OPENSSH PRIVATE KEY"]) expect(open).not.toContain(text);
    }
});

test("an Output with a value that is not right is refused where it is used, by its path, and not shown", async () => {
    const { clients } = settings({
        hostname: "registry.example.test",
        clients: {
            one: { host: "192.0.2.1", hostKey: HOST_KEY, privateKey: pulumi.secret("no key") },
        },
    });
    const late = pulumi.output(clients.one?.login?.privateKey);
    const said = await new Promise<string>((resolve) => {
        pulumi.recover(late, String).apply((text) => {
            resolve(String(text));
        });
    });
    expect(said).toContain("clients.one.privateKey\n    given:   (not shown: it may be a secret)");
});

test("what a look in advance needs is had from Outputs, unless a preview does not know it", async () => {
    const given = { a: pulumi.secret("x"), b: [pulumi.output("y"), "z"], c: Promise.resolve(1) };
    expect(await known(given)).toEqual({ a: "x", b: ["y", "z"], c: 1 });
    expect(await known(undefined)).toBeUndefined();
    record(true);
    const { result } = new RandomPassword("made-later", { length: 20 });
    expect(await known({ a: "x", b: result })).toBeUndefined();
});

describe("the documentation of the arguments", () => {
    const text = readFileSync(join(__dirname, "../../components/private-registry-args.ts"), "utf8");
    const [, body = ""] = /export interface PrivateRegistryArgs \{\n(.*?)\n\}/s.exec(text) ?? [];
    const documented = new Map(
        [...body.matchAll(/\/\*\*(.*?)\*\/\n {4}readonly (\w+)\?:/gs)].map(
            ([, comment = "", key = ""]) => [key, /@default (.*)/.exec(comment)?.[1]],
        ),
    );

    test("has each of them", () => {
        expect([...documented.keys()].sort()).toEqual(
            ALL_KEYS.filter((key) => !OF_PROGRAM.includes(key)).sort(),
        );
    });

    test("says the default that each has", () => {
        const said = [...documented].filter(([key]) => Object.hasOwn(CONFIG_KEYS, key));
        const parsedDefaults = said.map(([key, value]) => [
            key,
            value === undefined
                ? undefined
                : (JSON.parse(value.replace("dev:", '"dev":')) as unknown),
        ]);
        expect(Object.fromEntries(parsedDefaults)).toEqual(
            Object.fromEntries(said.map(([key]) => [key, CONFIG_KEYS[key]?.default])),
        );
    });
});
