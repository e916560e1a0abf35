import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import {
    type MirrorEndpoint,
    TARGETS,
    type TrustSettings,
    trustScript,
} from "../../lib/trust-script";
import { SHELLS } from "../support/shells";

const SETTINGS: TrustSettings = {
    stack: "private-registry-test",
    hostname: "registry.example.test",
    port: 5000,
    registry: "registry.example.test:5000",
    address: "192.0.2.10",
    targets: ["docker"],
    proofRequired: true,
    bundle: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
};
const MIRRORS: readonly MirrorEndpoint[] = [
    {
        registry: "docker.io",
        address: "registry.example.test:5001",
        anonymous: true,
        upstream: "https://registry-1.docker.io",
    },
    {
        registry: "quay.io",
        address: "registry.example.test:5002",
        anonymous: false,
        upstream: "https://quay.io",
    },
];
const part = (name: string) =>
    readFileSync(join(__dirname, "../../components/trust-host", `${name}.sh`), "utf8");

/** What a shell makes of the settings: one value after the other, each with a NUL behind it. */
function valuesIn(shell: readonly string[], settings: TrustSettings): string[] {
    const names = "stack hostname port registry address targets proof bundle";
    const script = trustScript(settings, (name) =>
        name === "main"
            ? `for name in ${names}; do eval "printf '%s\\\\0' \\"\\$$name\\""; done\n`
            : "",
    );
    const [command = "", ...args] = shell;
    const { stdout, stderr } = spawnSync(command, [...args, "-s"], {
        input: script,
        encoding: "utf8",
    });
    if (stderr !== "") throw new Error(stderr);
    return stdout.split("\0").slice(0, -1);
}

/** Any text without NUL, which no shell can hold, and with more of what a shell acts on than chance would give. */
const anyText = fc
    .array(
        fc.oneof(
            fc.string({ unit: "binary" }),
            fc.constantFrom(
                "'",
                '"',
                "\\",
                "$(id)",
                "`id`",
                "\n",
                "# x\n",
                "'\\''",
                "!",
                "%s",
                "\t",
            ),
        ),
        { maxLength: 12 },
    )
    .map((pieces) => pieces.join("").replaceAll(/[\p{Cs}\0]/gu, ""));

for (const { name, command, isThere } of SHELLS) {
    const inShell = isThere ? test : test.skip;
    inShell(`whatever the settings hold, ${name} gets exactly that`, () => {
        fc.assert(
            fc.property(
                fc.record({
                    stack: anyText,
                    hostname: anyText,
                    registry: anyText,
                    address: anyText,
                    bundle: anyText.map((text) => text.trimEnd()),
                }),
                (texts) => {
                    const { stack, hostname, registry, address, bundle } = texts;
                    expect(valuesIn(command, { ...SETTINGS, ...texts })).toEqual([
                        ...[stack, hostname, "5000", registry, address],
                        ...["docker", "required", bundle],
                    ]);
                },
            ),
            { numRuns: 60 },
        );
    });

    inShell(`every target's script is one that ${name} can read`, () => {
        const [program = "", ...args] = command;
        for (const target of TARGETS) {
            for (const mirrors of [[], MIRRORS]) {
                const input = trustScript({ ...SETTINGS, targets: [target], mirrors }, part);
                const { stderr } = spawnSync(program, [...args, "-n"], { input, encoding: "utf8" });
                expect(stderr).toBe("");
            }
        }
    });
}

test("the end of the certificates is not part of the setting, and is one line end in the file", () => {
    const bundle = `${SETTINGS.bundle}\n\n`;
    expect(valuesIn(["sh"], { ...SETTINGS, bundle }).at(-1)).toBe(SETTINGS.bundle.trimEnd());
});

test("a host gets the parts that it has a use for, without comments", () => {
    const read: string[] = [];
    const script = (settings: Partial<TrustSettings>) => {
        read.length = 0;
        return trustScript({ ...SETTINGS, ...settings }, (name) => {
            read.push(name);
            return part(name);
        });
    };
    script({});
    expect(read).toEqual(["base", "hosts", "docker", "proof", "main"]);
    script({ address: undefined, targets: ["k3s", "rke2", "system"] });
    expect(read).toEqual(["base", "rancher", "system", "proof", "main"]);
    script({ targets: ["found"] });
    expect(read.slice(2, -2)).toEqual(["docker", "containerd", "podman", "buildkit"]);
    const all = script({ targets: TARGETS });
    expect(all).not.toMatch(/^\s*#/m);
    expect(new Set(read).size).toBe(read.length);
});

test("a host without mirrors gets nothing of what is for them", () => {
    const read: string[] = [];
    const script = (mirrors?: readonly MirrorEndpoint[]) =>
        trustScript({ ...SETTINGS, targets: TARGETS, mirrors }, (name) => {
            read.push(name);
            return part(name);
        });
    const without = script();
    expect(script([])).toBe(without);
    expect(without).not.toMatch(/mirror/i);
    expect(read.filter((name) => name.includes("mirror"))).toEqual([]);
    // And what hosts have of it besides is the lines that are theirs alone.
    const lines = new Set(without.split("\n"));
    const ofParts = read.flatMap((name) => part(name).split("\n"));
    const marked = ofParts.filter((line) => line.endsWith(" # with mirrors"));
    expect(marked.length).toBeGreaterThan(0);
    const missing = ofParts.filter(
        (line) => !/^ *(#|$)/.test(line) && !lines.has(line.replace(/^(?: {4})+/, "")),
    );
    expect(missing).toEqual(marked);
});

test("a host with mirrors gets their parts for its targets, each once, and the settings as lines", () => {
    const read: string[] = [];
    const script = (settings: Partial<TrustSettings>) => {
        read.length = 0;
        return trustScript({ ...SETTINGS, mirrors: MIRRORS, ...settings }, (name) => {
            read.push(name);
            return part(name);
        });
    };
    const ofMirrors = () => read.filter((name) => name.includes("mirrors")).sort();
    expect(script({ targets: ["k3s", "rke2", "system"] })).toContain(
        [
            "\nmirrors='docker.io registry.example.test:5001 anonymous https://registry-1.docker.io",
            "quay.io registry.example.test:5002 login https://quay.io'\n",
        ].join("\n"),
    );
    expect(ofMirrors()).toEqual(["mirrors", "rancher-mirrors"]);
    const found = script({ targets: ["found", "docker"] });
    expect(ofMirrors()).toEqual([
        ...["buildkit-mirrors", "containerd-mirrors", "docker-mirrors", "docker-mirrors-undo"],
        ...["mirrors", "podman-mirrors"],
    ]);
    expect(found).not.toMatch(/# with mirrors|^\s*#/m);
    expect(new Set(read).size).toBe(read.length);
});
