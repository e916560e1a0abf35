import { execFileSync, spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { parse } from "yaml";
import { pullSecretName } from "../../lib/team-files/kubernetes";
import { hostAndPortOf, type TeamFile } from "../../lib/team-files/team-access";
import { README, teamFiles } from "../../lib/team-files/team-files";
import { PARTS, teamAccess } from "../support/team-access";

interface PullSecret {
    readonly data: { readonly ".dockerconfigjson": string };
}

type Fields = Parameters<typeof teamAccess>[0];

function files(fields: Fields = {}): Record<string, TeamFile> {
    return Object.fromEntries(
        teamFiles(teamAccess(fields), PARTS).map((file) => [file.name, file]),
    );
}

function textOf(name: string, fields: Fields = {}): string {
    return files(fields)[name]?.text ?? "";
}

test("the files, and which of them hold the password", () => {
    expect(Object.values(files()).map(({ name, isSecret }) => [name, isSecret])).toEqual([
        [README, false],
        ["ca.crt", false],
        ["password", true],
        ["config.json", true],
        ["auth.json", true],
        ["trust-and-login.sh", false],
        ["pull-secret.yaml", true],
        ["hosts.toml", false],
        ["registries.yaml", true],
        ["buildkitd.toml", false],
        ["github-actions.yml", false],
        ["gitlab-ci.yml", false],
    ]);
    const password = "Zm9vYmFyYmF6";
    const { account } = teamAccess({ password });
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const forms = [password, base64(`web:${password}`), base64(account.dockerConfigJson)];
    for (const { name, purpose, text, isSecret } of Object.values(files({ password }))) {
        const everything = `${purpose.join("\n")}\n${text}`;
        expect([name, forms.some((form) => everything.includes(form))]).toEqual([name, isSecret]);
    }
});

test("the explanation names every file, the account and the authority", () => {
    const access = {
        username: "web-ci",
        address: "192.0.2.10",
        caFingerprints: ["AA:BB", "CC:DD"],
    };
    const text = textOf(README, access);
    for (const name of Object.keys(files()).filter((file) => file !== README)) {
        expect(text).toMatch(new RegExp(`^${name.replaceAll(".", "\\.")}( \\*)?$`, "m"));
    }
    expect(text).toMatch(
        /^Private registry registry\.example\.test:5000: hand-over for team web$/m,
    );
    expect(text).toMatch(/^ {2}User name {3}web-ci$/m);
    expect(text).toMatch(/^ {2}Address {5}192\.0\.2\.10$/m);
    expect(text).toMatch(/SHA-256 AA:BB\n.*SHA-256 CC:DD\n/);
});

const REGISTRIES = [
    ["registry.example.test:5000", "registry.example.test", 5000],
    ["registry.example.test", "registry.example.test", 443],
    ["192.0.2.10:5000", "192.0.2.10", 5000],
    ["[2001:db8::1]:5000", "2001:db8::1", 5000],
    ["[2001:db8::1]", "2001:db8::1", 443],
] as const;

test.each(REGISTRIES)("%s is written as each program wants it", (registry, hostname, port) => {
    const fields = { registry };
    expect(hostAndPortOf(teamAccess(fields))).toEqual({ hostname, port });
    expect(textOf("hosts.toml", fields)).toBe(
        [
            `server = "https://${registry}"`,
            "",
            `[host."https://${registry}"]`,
            '  capabilities = ["pull", "resolve", "push"]',
            "  # Beside this file.",
            '  ca = "ca.crt"',
            "",
        ].join("\n"),
    );
    expect(textOf("buildkitd.toml", fields)).toContain(
        registry.includes("]")
            ? `\n[registry]\n  "${registry}".ca = ["ca.crt"]\n`
            : `\n[registry."${registry}"]\n  ca = ["ca.crt"]\n`,
    );
    expect(parse(textOf("registries.yaml", fields))).toEqual({
        mirrors: { [registry]: { endpoint: [`https://${registry}`] } },
        configs: {
            [registry]: {
                auth: { username: "web", password: "s3cretS3cret" },
                tls: { ca_file: `/etc/rancher/certs.d/${registry}/ca.crt` },
            },
        },
    });
    expect(JSON.parse(textOf("auth.json", fields))).toEqual({
        auths: { [registry]: expect.objectContaining({ username: "web" }) },
    });
    expect(settingsOf(textOf("trust-and-login.sh", fields))).toMatchObject({ registry, hostname });
});

test.each([
    ["web", "private-registry-web"],
    ["data.sci_x", "private-registry-data-sci-x"],
    ["a._-b", "private-registry-a-b"],
])("the pull secret of team %s is called %s", (team, name) => {
    expect(pullSecretName(team)).toBe(name);
    // What Kubernetes takes as a name, and as a label.
    expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?$/);
});

test("the script for any machine tells nobody to run up", () => {
    const text = textOf("trust-and-login.sh");
    expect(text).not.toContain("run up");
    expect(text).not.toContain("clients.");
    expect(text).toContain("then run this again");
});

const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;

(hasShellcheck ? test : test.skip)("the script for any machine is clean for shellcheck", () => {
    const input = textOf("trust-and-login.sh", { address: "192.0.2.10", username: "it's me" });
    const { status, stdout } = spawnSync("shellcheck", ["--shell=sh", "-"], { input });
    expect([status, String(stdout)]).toEqual([0, ""]);
    // What it has for root is text to shellcheck; the parts of that are checked where they lie.
    const [, ofRoot = ""] = input.split(/^.*PRIVATE-REGISTRY-TRUST'?\n/m);
    expect(ofRoot).toContain("main()");
    expect(spawnSync("sh", ["-n"], { input: ofRoot }).status).toBe(0);
});

/** What a shell makes of the settings at the head of the script. */
function settingsOf(script: string): Record<string, string> {
    const names = ["registry", "hostname", "address", "stack", "username", "bundle"];
    const head = script.slice(0, script.indexOf("# What runs as root."));
    const shown = names.map((name) => `"$${name}"`).join(" ");
    const output = execFileSync("/bin/sh", ["-c", `${head}\nprintf '%s\\0' ${shown}`]);
    const values = output.toString().split("\0");
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

test("whatever a user is called, every format gives the name back", () => {
    const word = fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
        .filter((text) => !/[\p{Cc}\p{Cs}:]/u.test(text));
    fc.assert(
        fc.property(word, word, (username, password) => {
            const fields = { username, password };
            const { registry } = teamAccess();
            expect(settingsOf(textOf("trust-and-login.sh", fields)).username).toBe(username);
            expect(parse(textOf("registries.yaml", fields))).toMatchObject({
                configs: { [registry]: { auth: { username, password } } },
            });
            expect(parse(textOf("gitlab-ci.yml", fields))).toMatchObject({
                variables: { REGISTRY_USERNAME: username },
            });
            const secret = parse(textOf("pull-secret.yaml", fields)) as PullSecret;
            const auth = Buffer.from(`${username}:${password}`).toString("base64");
            expect(
                JSON.parse(Buffer.from(secret.data[".dockerconfigjson"], "base64").toString()),
            ).toEqual({ auths: { [registry]: { username, password, auth } } });
            expect(textOf("pull-secret.yaml", fields).split("\n")).toHaveLength(8);
        }),
        { numRuns: 50 },
    );
});
