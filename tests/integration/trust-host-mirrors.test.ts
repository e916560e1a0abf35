import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { type MirrorEndpoint, type TrustSettings, trustScript } from "../../lib/trust-script";
import { type ClientHost, hostsOfFile } from "../support/client-host";
import { makeAuthority } from "../support/test-authority";

/** What the script by itself does for mirrors: files of others, files of ours, and Docker's own setting. */

const FOLDER = join(__dirname, "../../components/trust-host");
const CA = makeAuthority().authority.certificate;
const NAME = "registry.example.test";
const HUB: MirrorEndpoint = {
    registry: "docker.io",
    address: `${NAME}:5001`,
    anonymous: true,
    upstream: "https://registry-1.docker.io",
};
const QUAY: MirrorEndpoint = {
    registry: "quay.io",
    address: `${NAME}:5002`,
    anonymous: false,
    upstream: "https://quay.io",
};
const BOTH = [HUB, QUAY];
const TARGETS = ["docker", "containerd", "podman", "buildkit", "k3s", "rke2"] as const;
const DAEMON = "/etc/docker/daemon.json";
const ENTRY = `"registry-mirrors":["https://${HUB.address}"]`;

const { on, gateway } = hostsOfFile("light", "busybox", "docker");

interface Settings extends Partial<TrustSettings> {
    readonly shell?: string;
}

function trust(host: ClientHost, mode: "apply" | "check" | "remove", given: Settings = {}) {
    const { shell = "sh", ...settings } = given;
    const input = trustScript(
        {
            stack: "private-registry-test",
            hostname: NAME,
            port: 5000,
            registry: `${NAME}:5000`,
            address: gateway(),
            targets: ["docker"],
            proofRequired: false,
            bundle: CA,
            mirrors: [HUB],
            ...settings,
        },
        (name) => readFileSync(join(FOLDER, `${name}.sh`), "utf8"),
    );
    return host.run(`${shell} -s ${mode}`, { input });
}

async function applied(host: ClientHost, settings: Settings = {}): Promise<string> {
    const { code, stdout, stderr } = await trust(host, "apply", settings);
    if (code !== 0 || stderr !== "") throw new Error(stdout + stderr);
    return stdout;
}

/** What a check says of everything but the proofs and the name. */
async function looked(host: ClientHost, settings: Settings = {}): Promise<string[][]> {
    const { code, stdout, stderr } = await trust(host, "check", settings);
    if (code !== 0 || stderr !== "") throw new Error(stdout + stderr);
    return stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t"))
        .filter(([target = ""]) => !["resolve", "proof", "hosts"].includes(target));
}

/** Writes a file with exactly this text. */
function write(host: ClientHost, path: string, text: string): Promise<string> {
    return host.must(`mkdir -p '${path.replace(/\/[^/]*$/, "")}' && cat >'${path}'`, {
        input: text,
    });
}

function read(host: ClientHost, path: string): Promise<string> {
    return host.must(`cat '${path}'`);
}

/** Everything that the script may touch, with the time of the last change. */
function snapshot(host: ClientHost): Promise<string> {
    return host.must(
        "find /etc /var/lib/private-registry -exec ls -ld --full-time {} + 2>/dev/null | sort",
    );
}

/** Runs a test, then removes what it has left, and sees that the host is as before it. */
async function leavingNothing(
    host: ClientHost,
    settings: Settings,
    test: () => Promise<void>,
): Promise<void> {
    const before = await host.listing();
    try {
        await test();
    } finally {
        await trust(host, "remove", settings);
    }
    expect(await host.listing()).toBe(before);
    expect(await host.run("ls /var/lib/private-registry")).not.toMatchObject({ code: 0 });
}

const SHELLS = [
    ["light", "dash"],
    ["light", "bash"],
    ["busybox", "sh"],
] as const;

describe.each(SHELLS)("on the host %s with the shell %s", (kind, shell) => {
    const all = { targets: TARGETS, mirrors: BOTH, shell };

    it("writes for every client, a second time writes nothing, and leaves everything as it was", async () => {
        const host = on(kind);
        await leavingNothing(host, all, async () => {
            await applied(host, all);
            for (const folder of [
                "docker/certs.d",
                "containers/certs.d",
                "containerd/certs.d",
                "buildkit/certs",
                "rancher/k3s/certs.d",
                "rancher/rke2/certs.d",
            ]) {
                for (const { address } of BOTH) {
                    expect(await read(host, `/etc/${folder}/${address}/ca.crt`)).toBe(CA);
                }
            }
            expect(await read(host, DAEMON)).toBe(`{${ENTRY}}\n`);
            expect(await read(host, "/etc/containerd/certs.d/docker.io/hosts.toml")).toBe(
                [
                    'server = "https://registry-1.docker.io"\n',
                    `[host."https://${HUB.address}"]`,
                    '  capabilities = ["pull", "resolve"]',
                    `  ca = "/etc/containerd/certs.d/${HUB.address}/ca.crt"\n`,
                ].join("\n"),
            );
            expect(await read(host, "/etc/containerd/certs.d/quay.io/hosts.toml")).toContain(
                `[host."https://${QUAY.address}"]`,
            );
            const podman =
                "/etc/containers/registries.conf.d/private-registry-private-registry-test.conf";
            expect(await read(host, podman)).toBe(
                BOTH.map(({ registry, address }) =>
                    [
                        "[[registry]]",
                        `prefix = "${registry}"`,
                        `location = "${registry}"\n`,
                        "[[registry.mirror]]",
                        `location = "${address}"\n`,
                    ].join("\n"),
                ).join("\n"),
            );
            const marks = ["BEGIN", "END"].map(
                (mark) => `# ${mark} private-registry private-registry-test`,
            );
            expect(await read(host, "/etc/buildkit/buildkitd.toml")).toBe(
                [
                    marks[0],
                    `[registry."${NAME}:5000"]`,
                    `  ca = ["/etc/buildkit/certs/${NAME}:5000/ca.crt"]`,
                    ...BOTH.flatMap(({ registry, address }) => [
                        `[registry."${registry}"]`,
                        `  mirrors = ["${address}"]`,
                        `[registry."${address}"]`,
                        `  ca = ["/etc/buildkit/certs/${address}/ca.crt"]`,
                    ]),
                    marks[1],
                    "",
                ].join("\n"),
            );
            for (const kind of ["k3s", "rke2"]) {
                const text = await read(host, `/etc/rancher/${kind}/registries.yaml`);
                expect(text.startsWith(marks[0] ?? "") && text.endsWith(`${marks[1]}\n`)).toBe(
                    true,
                );
                const folder = `/etc/rancher/${kind}/certs.d`;
                expect(parse(text)).toEqual({
                    configs: Object.fromEntries(
                        [`${NAME}:5000`, HUB.address, QUAY.address].map((address) => [
                            address,
                            { tls: { ca_file: `${folder}/${address}/ca.crt` } },
                        ]),
                    ),
                    mirrors: Object.fromEntries(
                        BOTH.map(({ registry, address }) => [
                            registry,
                            { endpoint: [`https://${address}`] },
                        ]),
                    ),
                });
            }
            const first = await snapshot(host);
            expect(await applied(host, all)).not.toContain("written");
            expect(await snapshot(host)).toBe(first);
            expect((await looked(host, all)).filter(([, state]) => state !== "ours")).toEqual([]);
            expect(await snapshot(host)).toBe(first);
        });
    });

    it("takes back what a mirror leaves over that is gone, or is elsewhere now", async () => {
        const host = on(kind);
        const plain = { ...all, mirrors: undefined };
        await write(host, DAEMON, '{\n  "debug": true\n}\n');
        try {
            await leavingNothing(host, plain, async () => {
                await applied(host, plain);
                const without = await host.listing();
                await applied(host, all);
                const moved = { ...HUB, address: `${NAME}:6001` };
                await applied(host, { ...all, mirrors: [moved] });
                expect(await read(host, DAEMON)).toBe(
                    `{${ENTRY.replace("5001", "6001")},\n  "debug": true\n}\n`,
                );
                expect(await host.run("grep -rlE ':500[12]' /etc")).toMatchObject({ stdout: "" });
                await applied(host, { ...all, mirrors: [QUAY] });
                expect(await read(host, DAEMON)).toBe('{\n  "debug": true\n}\n');
                await applied(host, all);
                await applied(host, plain);
                expect(await host.listing()).toBe(without);
                // The next one starts anew.
                await applied(host, all);
            });
        } finally {
            await host.must("rm -r /etc/docker");
        }
    });

    it.each([
        ["an empty object with blanks", "{ \n}\n", `{${ENTRY} \n}\n`],
        [
            "lines, without an end of the last one",
            '\n{\r\n\t"log-opts": {"a{": "}\\"{"},\r\n\t"hosts": []\r\n}',
            `\n{${ENTRY},\r\n\t"log-opts": {"a{": "}\\"{"},\r\n\t"hosts": []\r\n}`,
        ],
    ])(
        "puts its entry into Docker's file, and takes exactly that out: %s",
        async (_, text, set) => {
            const host = on(kind);
            await write(host, DAEMON, text);
            await host.must(`chmod 640 ${DAEMON}`);
            try {
                await leavingNothing(host, { shell }, async () => {
                    await applied(host, { shell });
                    expect(await read(host, DAEMON)).toBe(set);
                    expect(await applied(host, { shell })).toMatch(/daemon\.json .* unchanged/);
                });
            } finally {
                await host.must("rm -r /etc/docker");
            }
        },
    );

    it.each([
        ["behind it", `{${ENTRY}, "debug":true}\n`, '{ "debug":true}\n'],
        ["before it", `{"debug":true , ${ENTRY}}\n`, '{"debug":true }\n'],
        ["on both sides", `{"a":1,${ENTRY},"b":2}\n`, '{"a":1,"b":2}\n'],
        [
            "with all of it laid out anew",
            `{\n  "registry-mirrors": [\n    "https://${HUB.address}/"\n  ],\n  "debug": true\n}\n`,
            '{\n  \n  "debug": true\n}\n',
        ],
    ])("keeps what somebody adds to a file that it has made: %s", async (_, edited, left) => {
        const host = on(kind);
        try {
            await applied(host, { shell });
            await write(host, DAEMON, edited);
            expect(await applied(host, { shell })).toMatch(/daemon\.json .* unchanged/);
            expect(await read(host, DAEMON)).toBe(edited);
            await trust(host, "remove", { shell });
            expect(await read(host, DAEMON)).toBe(left);
        } finally {
            await trust(host, "remove", { shell });
            await host.must("rm -rf /etc/docker");
        }
    });

    it.each([
        [
            "mirrors of its own",
            '{"registry-mirrors":["https://other.test"]}',
            /has mirrors of its own/,
        ],
        ["none on purpose", '{ "registry-mirrors" : [] }', /has mirrors of its own/],
        ["a brace too few", '{"debug":true', /is not the JSON object/],
        ["nothing", "", /is not the JSON object/],
        ["a byte of zero", '{"debug":"\0"}', /is not the JSON object/],
    ])(
        "leaves a file of Docker's as it is that has %s, and says what to do",
        async (_, text, why) => {
            const host = on(kind);
            await write(host, DAEMON, text);
            try {
                await leavingNothing(host, { shell }, async () => {
                    const told = await applied(host, { shell });
                    expect(await read(host, DAEMON)).toBe(text);
                    expect(told).toMatch(why);
                    expect(told).toMatch(
                        /^warning: \/etc\/docker\/daemon\.json .*add "https:\/\/registry\.example\.test:5001" to its "registry-mirrors", then systemctl reload docker$/m,
                    );
                    const states = await looked(host, { shell });
                    expect(states.map(([, state]) => state)).toEqual(["ours", "ours", "other"]);
                });
            } finally {
                await host.must("rm -r /etc/docker");
            }
        },
    );

    it("leaves a mirror to Docker's file that somebody has put there", async () => {
        const host = on(kind);
        const text = `{"registry-mirrors":["https://other.test","https://${HUB.address}"]}\n`;
        await write(host, DAEMON, text);
        try {
            await leavingNothing(host, { shell }, async () => {
                expect(await applied(host, { shell })).not.toContain("warning");
                const states = await looked(host, { shell });
                expect(states.map(([, state]) => state)).toEqual(["ours", "ours", "ours"]);
                // Another port is not this one.
                await write(host, DAEMON, text.replace("5001", "50010"));
                expect(await applied(host, { shell })).toContain("warning");
                await write(host, DAEMON, text);
            });
        } finally {
            await host.must("rm -r /etc/docker");
        }
    });

    it("leaves its entry to whoever has made a list of their own of it, and says so", async () => {
        const host = on(kind);
        try {
            await applied(host, { shell });
            const text = `{"registry-mirrors":["https://${HUB.address}","https://other.test"]}\n`;
            await write(host, DAEMON, text);
            expect(await applied(host, { shell })).not.toContain("warning");
            await write(host, DAEMON, text);
            await trust(host, "remove", { shell });
            expect(await read(host, DAEMON)).toBe(text);
        } finally {
            await trust(host, "remove", { shell });
            await host.must("rm -rf /etc/docker");
        }
    });

    it("keeps a link to Docker's file, and the file's mode", async () => {
        const host = on(kind);
        await write(host, "/etc/settings/docker.json", '{"debug":true}');
        await host.must(
            `mkdir /etc/docker && ln -s ../settings/docker.json ${DAEMON} && chmod 600 /etc/settings/docker.json`,
        );
        try {
            await leavingNothing(host, { shell }, async () => {
                await applied(host, { shell });
                expect(await host.must(`readlink ${DAEMON}`)).toBe("../settings/docker.json\n");
                expect(await read(host, DAEMON)).toBe(`{${ENTRY},"debug":true}`);
                expect(await host.must("ls -l /etc/settings/docker.json")).toMatch(/^-rw-------/);
            });
        } finally {
            await host.must("rm -r /etc/docker /etc/settings");
        }
    });

    it("leaves files and tables of others for the same registries, and says what to add", async () => {
        const host = on(kind);
        const theirs: Record<string, string> = {
            "/etc/containerd/certs.d/docker.io/hosts.toml": 'server = "https://other.test"\n',
            "/etc/containers/registries.conf":
                '# [[registry]]\n# location = "quay.io"\n[[registry]]\nprefix = "a.test"\nlocation = "quay.io"\n[[registry.mirror]]\nlocation = "quay.io"\n',
            "/etc/containers/registries.conf.d/theirs.conf":
                "[[registry]]\nlocation = 'docker.io' # theirs\n[[registry.mirror]]\nlocation = \"other.test\"\n",
            "/etc/buildkit/buildkitd.toml": '[registry."docker.io"]\n  http = false\n',
            "/etc/rancher/k3s/registries.yaml":
                'mirrors:\n  docker.io:\n    endpoint: ["https://other.test"]\n',
            "/etc/rancher/rke2/registries.yaml": 'configs:\n    "a:1":\n        auth: {}\n',
        };
        for (const [path, text] of Object.entries(theirs)) await write(host, path, text);
        const settings = { ...all, targets: TARGETS.slice(1) };
        try {
            await leavingNothing(host, settings, async () => {
                const told = await applied(host, settings);
                const warned = told.split("\n").filter((line) => /^warning: .*mirror/.test(line));
                const advice = {
                    containerd:
                        /containerd\/certs\.d\/docker\.io\/hosts\.toml is not ours: .* add to it: \[host\."https:\/\/registry\.example\.test:5001"\] capabilities = \["pull", "resolve"\] ca = "\S+"$/,
                    podman: /registries\.conf\.d\/theirs\.conf has an entry of its own for docker\.io: .*\[\[registry\.mirror\]\] location = "registry\.example\.test:5001"$/,
                    buildkit:
                        /buildkitd\.toml has a \[registry\."docker\.io"\] of its own: .* mirrors = \["registry\.example\.test:5001"\]$/,
                    k3s: /k3s\/registries\.yaml has entries of its own: .*"docker\.io": \{ endpoint: \["https:\/\/registry\.example\.test:5001"\] \}, then restart k3s$/,
                    rke2: /rke2\/registries\.yaml has entries of its own: .*"quay\.io": .*, then restart rke2$/,
                };
                for (const text of Object.values(advice)) {
                    expect(warned.filter((line) => text.test(line))).toHaveLength(1);
                }
                expect(warned).toHaveLength(7);
                for (const path of Object.keys(theirs).slice(0, 3)) {
                    expect(await read(host, path)).toBe(theirs[path]);
                }
                const podman = await read(
                    host,
                    "/etc/containers/registries.conf.d/private-registry-private-registry-test.conf",
                );
                expect(podman).toMatch(/^\[\[registry\]\]\nprefix = "quay\.io"\n/);
                expect(podman).not.toContain("docker.io");
                const buildkit = await read(host, "/etc/buildkit/buildkitd.toml");
                expect(buildkit.match(/^\[registry\."docker\.io"\]/gm)).toHaveLength(1);
                expect(buildkit).toContain(`[registry."quay.io"]\n  mirrors = ["${QUAY.address}"]`);
                expect(await read(host, "/etc/rancher/k3s/registries.yaml")).toContain(
                    `ca_file: /etc/rancher/k3s/certs.d/${HUB.address}/ca.crt`,
                );
                expect(await read(host, "/etc/rancher/rke2/registries.yaml")).toContain(
                    `    "${HUB.address}":\n      tls:\n        ca_file: /etc/rancher/rke2/certs.d/${HUB.address}/ca.crt`,
                );
                const others = (await looked(host, settings)).filter(
                    ([, state]) => state !== "ours",
                );
                expect(others.map(([target, state]) => `${target} ${state}`)).toEqual([
                    "containerd other",
                    "podman other",
                    "buildkit other",
                    ...["k3s other", "k3s other", "rke2 other", "rke2 other"],
                ]);
                const first = await snapshot(host);
                await applied(host, settings);
                expect(await snapshot(host)).toBe(first);
            });
        } finally {
            await host.must("rm -rf /etc/containerd /etc/containers /etc/buildkit /etc/rancher");
        }
    });

    it("tells in a check what is not as it was left, and an apply mends it", async () => {
        const host = on(kind);
        const settings = {
            ...all,
            targets: ["docker", "containerd", "podman", "buildkit"] as const,
        };
        await leavingNothing(host, settings, async () => {
            await applied(host, settings);
            const first = await host.listing();
            await host.must(
                `echo '{}' >${DAEMON}; rm /etc/containerd/certs.d/docker.io/hosts.toml
                echo theirs >/etc/containers/registries.conf.d/private-registry-private-registry-test.conf
                chmod 600 /etc/docker/certs.d/${QUAY.address}/ca.crt; sed -i '/mirrors = /d' /etc/buildkit/buildkitd.toml`,
            );
            const states = (await looked(host, settings)).filter(([, state]) => state !== "ours");
            expect(states.map(([target, state]) => `${target} ${state}`)).toEqual([
                "docker mode",
                "docker missing",
                "containerd missing",
                "podman other",
                "buildkit other",
            ]);
            await applied(host, settings);
            expect((await looked(host, settings)).filter(([, state]) => state !== "ours")).toEqual(
                [],
            );
            // The line that somebody wrote there is theirs.
            expect(await read(host, DAEMON)).toBe(`{${ENTRY}}\n`);
            expect(await host.listing()).toBe(first);
        });
    });
});

describe("Docker", () => {
    const host = () => on("docker");
    const pid = () => host().must("cat /var/run/docker.pid");
    const mirrors = async () => {
        const said = await host().must("docker info --format '{{json .RegistryConfig.Mirrors}}'");
        return (JSON.parse(said) as string[] | null) ?? [];
    };

    it("takes the mirror and gives it back without a restart", async () => {
        const before = await pid();
        await leavingNothing(host(), {}, async () => {
            expect(await applied(host())).not.toContain("warning");
            expect(await mirrors()).toEqual([`https://${HUB.address}/`]);
            await applied(host(), { mirrors: [{ ...HUB, address: `${NAME}:6001` }] });
            expect(await mirrors()).toEqual([`https://${NAME}:6001/`]);
            await applied(host(), { mirrors: [] });
            expect(await mirrors()).toEqual([]);
            await applied(host());
        });
        expect(await mirrors()).toEqual([]);
        expect(await pid()).toBe(before);
    });

    it("is told again of a mirror that it does not use, although its file has it", async () => {
        await leavingNothing(host(), {}, async () => {
            await applied(host());
            await host().must(
                `cp -p ${DAEMON} /tmp/daemon.json && echo '{"registry-mirrors":[]}' >${DAEMON} && kill -HUP $(cat /var/run/docker.pid)`,
            );
            while ((await mirrors()).length > 0) await sleep(100);
            await host().must(`cp -p /tmp/daemon.json ${DAEMON}`);
            expect(await looked(host())).toContainEqual(["docker", "stale", expect.any(String)]);
            expect(await applied(host())).not.toContain("warning");
            expect(await mirrors()).toEqual([`https://${HUB.address}/`]);
            expect(await looked(host())).not.toContainEqual([
                "docker",
                "stale",
                expect.any(String),
            ]);
        });
    });

    it("is not given a mirror in its file that its command line has", async () => {
        const restart = async (options: string) => {
            await host().must(
                `kill $(cat /var/run/docker.pid); while [ -e /var/run/docker.pid ]; do sleep 0.2; done
                dockerd ${options} >/var/log/dockerd.log 2>&1 & until docker info >/dev/null 2>&1; do sleep 0.2; done`,
            );
        };
        try {
            await restart("--registry-mirror https://other.test");
            await leavingNothing(host(), {}, async () => {
                const told = await applied(host());
                expect(told).toMatch(
                    /^warning: Docker is started with --registry-mirror, .*add --registry-mirror https:\/\/registry\.example\.test:5001 there$/m,
                );
                expect(await host().run(`ls ${DAEMON}`)).not.toMatchObject({ code: 0 });
            });
            await restart(`--registry-mirror https://${HUB.address}`);
            await leavingNothing(host(), {}, async () => {
                expect(await applied(host())).not.toContain("warning");
                expect(await looked(host())).toContainEqual([
                    "docker",
                    "ours",
                    `https://${HUB.address} is an option of Docker's command line`,
                ]);
            });
        } finally {
            await restart("");
        }
    });

    it("is told apart from one that reads another file", async () => {
        const told = await host().must(
            `kill $(cat /var/run/docker.pid); while [ -e /var/run/docker.pid ]; do sleep 0.2; done
            echo '{}' >/etc/other.json; dockerd --config-file /etc/other.json >/var/log/dockerd.log 2>&1 & until docker info >/dev/null 2>&1; do sleep 0.2; done`,
        );
        expect(told).toBe("");
        try {
            await leavingNothing(host(), {}, async () => {
                expect(await applied(host())).toMatch(
                    /^warning: Docker does not take the mirror .*--config-file/m,
                );
            });
        } finally {
            await host().must(
                `kill $(cat /var/run/docker.pid); while [ -e /var/run/docker.pid ]; do sleep 0.2; done
                rm /etc/other.json; dockerd >/var/log/dockerd.log 2>&1 & until docker info >/dev/null 2>&1; do sleep 0.2; done`,
            );
        }
    });

    it("is set up where it does not run, and is not waited for", async () => {
        await leavingNothing(on("light"), {}, async () => {
            expect(await applied(on("light"))).not.toContain("warning");
            expect(await read(on("light"), DAEMON)).toBe(`{${ENTRY}}\n`);
        });
    });

    it("gets no mirror that wants a login, and people are told how to pull through it", async () => {
        const mirrors = [{ ...HUB, anonymous: false }];
        await leavingNothing(on("light"), { mirrors }, async () => {
            expect(await applied(on("light"), { mirrors })).toMatch(
                /^warning: Docker logs in to no mirror.* docker login registry\.example\.test:5001 && docker pull registry\.example\.test:5001\/library\/alpine$/m,
            );
            expect(await on("light").run(`ls ${DAEMON}`)).not.toMatchObject({ code: 0 });
            expect(await looked(on("light"), { mirrors })).toHaveLength(2);
        });
    });

    it("of a snap has its file elsewhere, and that of a user is left to the user", async () => {
        const light = on("light");
        await light.must(
            `mkdir -p /var/snap/docker/123 && ln -s 123 /var/snap/docker/current
            su ops -c 'mkdir -p ~/.config/systemd/user && touch ~/.config/systemd/user/docker.service'`,
        );
        try {
            await leavingNothing(light, {}, async () => {
                expect(await applied(light)).toMatch(
                    /^warning: \/home\/ops\/\.config\/docker\/daemon\.json belongs to a user: .*add "https:\/\/registry\.example\.test:5001" to its "registry-mirrors", then systemctl --user reload docker, as that user$/m,
                );
                expect(await read(light, "/var/snap/docker/current/config/daemon.json")).toBe(
                    `{${ENTRY}}\n`,
                );
                await write(light, "/home/ops/.config/docker/daemon.json", `{${ENTRY}}`);
                expect(await applied(light)).not.toContain("warning");
                await light.must("rm /home/ops/.config/docker/daemon.json");
            });
            expect(await light.must("ls /var/snap/docker/123 /home/ops/.config")).not.toMatch(
                /config$|docker$/m,
            );
        } finally {
            await light.must("rm -rf /var/snap /home/ops/.config");
        }
    });
});

it("killed at any moment, it leaves Docker's file whole, and can be taken back", async () => {
    const host = on("light");
    const text = '{"debug":true}\n';
    await write(host, DAEMON, text);
    try {
        const settings = { targets: ["docker", "podman"] as const };
        const before = await host.listing();
        for (let round = 0; round < 15; round++) {
            const mirrors = [{ ...HUB, address: `${NAME}:${6000 + (round % 4)}` }];
            const input = trustScript(
                {
                    ...{ stack: "private-registry-test", hostname: NAME, port: 5000, bundle: CA },
                    ...{ registry: `${NAME}:5000`, proofRequired: false, ...settings, mirrors },
                },
                (name) => readFileSync(join(FOLDER, `${name}.sh`), "utf8"),
            );
            await host.must("cat >/tmp/script && rm -f /tmp/ended", { input });
            await host.must(
                `{ sh -s apply </tmp/script >/dev/null 2>&1; touch /tmp/ended; } &
                until run=$(pgrep -f '^sh -s apply$') || [ -e /tmp/ended ]; do :; done
                sleep 0.${String((round * 7) % 25).padStart(2, "0")}; kill -9 $run 2>/dev/null; wait`,
            );
            expect(await read(host, DAEMON)).toMatch(
                /^\{("registry-mirrors":\["https:\/\/registry\.example\.test:600\d"\],)?"debug":true\}\n$/,
            );
        }
        await trust(host, "remove", settings);
        expect(await host.listing()).toBe(before);
    } finally {
        await trust(host, "remove");
        await host.must("rm -rf /etc/docker");
    }
});
