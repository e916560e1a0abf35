import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ClientHost, hostsOfFile } from "../support/client-host";
import { type TrustSettings, trustScript } from "../../lib/trust-script";
import { makeAuthority } from "../support/test-authority";

/** The script by itself, without Pulumi and SSH: what it writes, keeps and puts back on every kind of host. */

const FOLDER = join(__dirname, "../../components/trust-host");
const ONE = makeAuthority().authority.certificate;
const TWO = makeAuthority().authority.certificate;
const REGISTRY = "registry.example.test:5000";

function script(settings: Partial<TrustSettings> = {}): string {
    return trustScript(
        {
            stack: "private-registry-test",
            hostname: "registry.example.test",
            port: 5000,
            registry: REGISTRY,
            targets: ["docker"],
            proofRequired: false,
            bundle: ONE,
            ...settings,
        },
        (name) => readFileSync(join(FOLDER, `${name}.sh`), "utf8"),
    );
}

const { on, gateway } = hostsOfFile("light", "busybox", "docker");

/** Runs the script on a host as `sh -s`, with the given shell. */
async function trust(
    host: ClientHost,
    mode: "apply" | "check" | "remove",
    settings: Partial<TrustSettings> = {},
    shell = "sh",
) {
    return host.run(`${shell} -s ${mode}`, {
        input: script({ address: gateway(), ...settings }),
    });
}

async function applied(...args: [ClientHost, Partial<TrustSettings>?, string?]): Promise<string> {
    const [host, settings, shell] = args;
    const { code, stdout, stderr } = await trust(host, "apply", settings, shell);
    if (code !== 0) throw new Error(stdout + stderr);
    return stdout;
}

/** Everything that the script may touch, with the time of the last change. */
function snapshot(host: ClientHost): Promise<string> {
    return host.must(
        "find /etc /usr/local/share /var/lib/private-registry -exec ls -ld --full-time {} + 2>/dev/null | grep -v ' /etc/ssl/certs' | sort",
    );
}

const SHELLS = [
    ["light", "dash"],
    ["light", "bash"],
    ["busybox", "sh"],
] as const;

describe.each(SHELLS)("on the host %s with the shell %s", (kind, shell) => {
    it("writes, a second time writes nothing, and leaves everything as it was", async () => {
        const host = on(kind);
        const before = await host.listing();
        const targets = ["docker", "containerd", "podman", "buildkit", "k3s", "rke2"] as const;
        const told = await applied(host, { targets }, shell);
        expect(told.match(/^[a-z0-9]+(?=:)/gm)).toEqual(
            ["hosts", ...targets, "proof"].flatMap((name) =>
                name === "containerd" ? [name, "warning"] : [name],
            ),
        );
        // These read their files only when they start, and are never restarted by the script.
        const restarts = {
            buildkit: "restart buildkitd, or make new builders: docker buildx create ",
            k3s: "it takes effect when k3s is restarted: systemctl restart k3s ",
            rke2: "it takes effect when rke2 is restarted: systemctl restart rke2 ",
        };
        for (const [name, advice] of Object.entries(restarts)) {
            expect(told).toMatch(new RegExp(`^${name}: /etc/\\S+ written; ${advice}`, "m"));
        }
        expect(await host.must(`cat '/etc/docker/certs.d/${REGISTRY}/ca.crt'`)).toBe(ONE);
        expect(await host.must("cat /etc/hosts")).toContain(
            `# BEGIN private-registry private-registry-test\n${gateway()} registry.example.test\n# END`,
        );
        expect(await host.must(`cat '/etc/containerd/certs.d/${REGISTRY}/hosts.toml'`)).toBe(
            [
                `server = "https://${REGISTRY}"\n`,
                `[host."https://${REGISTRY}"]`,
                '  capabilities = ["pull", "resolve", "push"]',
                `  ca = "/etc/containerd/certs.d/${REGISTRY}/ca.crt"\n`,
            ].join("\n"),
        );
        const first = await snapshot(host);
        const again = await applied(host, { targets }, shell);
        expect(again.match(/unchanged/g)).toHaveLength(7);
        expect(again).not.toContain("restart buildkitd");
        expect(again).not.toContain("is restarted");
        expect(await snapshot(host)).toBe(first);

        expect(await trust(host, "remove", { targets }, shell)).toMatchObject({ code: 0 });
        expect(await host.listing()).toBe(before);
        expect(await host.run("ls /var/lib/private-registry")).not.toMatchObject({ code: 0 });
        // What is gone can be taken back again.
        expect(await trust(host, "remove", { targets }, shell)).toMatchObject({ code: 0 });
    });

    it("keeps what others have there, and puts back what it replaced", async () => {
        const host = on(kind);
        await host.must(
            `mkdir -p '/etc/docker/certs.d/${REGISTRY}' /etc/docker/certs.d/other /etc/buildkit /etc/rancher/k3s &&
            printf 'theirs' >'/etc/docker/certs.d/${REGISTRY}/ca.crt' && chmod 640 '/etc/docker/certs.d/${REGISTRY}/ca.crt' &&
            printf 'debug = true' >/etc/buildkit/buildkitd.toml &&
            printf 'mirrors: {}\\nconfigs: # ours\\n    "a:1":\\n        auth: {}\\n' >/etc/rancher/k3s/registries.yaml &&
            cp /etc/hosts /tmp/hosts && printf '10.1.1.1 elsewhere' >>/etc/hosts`,
        );
        try {
            const before = await host.listing();
            const targets = ["docker", "buildkit", "k3s"] as const;
            await applied(host, { targets }, shell);
            expect(await host.must(`cat '/etc/docker/certs.d/${REGISTRY}/ca.crt'`)).toBe(ONE);
            expect(await host.must("cat /etc/buildkit/buildkitd.toml")).toMatch(
                /^debug = true\n# BEGIN .*\n\[registry\."registry\.example\.test:5000"\]\n {2}ca = \[/,
            );
            expect(await host.must("cat /etc/rancher/k3s/registries.yaml")).toBe(
                [
                    "mirrors: {}",
                    "configs: # ours",
                    "# BEGIN private-registry private-registry-test",
                    `    "${REGISTRY}":`,
                    "      tls:",
                    `        ca_file: /etc/rancher/k3s/certs.d/${REGISTRY}/ca.crt`,
                    "# END private-registry private-registry-test",
                    '    "a:1":',
                    "        auth: {}",
                    "",
                ].join("\n"),
            );
            expect(await host.must("cat /etc/hosts")).toContain("10.1.1.1 elsewhere\n# BEGIN");
            await applied(host, { targets, bundle: ONE + TWO }, shell);
            await trust(host, "remove", { targets }, shell);
            expect(await host.listing()).toBe(before);
        } finally {
            await host.must(
                "rm -rf /etc/docker /etc/buildkit /etc/rancher; cat /tmp/hosts >/etc/hosts",
            );
        }
    });

    it("takes back what another name, port or target leaves over", async () => {
        const host = on(kind);
        const before = await host.listing();
        await applied(host, { targets: ["docker", "podman", "buildkit"] }, shell);
        await applied(
            host,
            { targets: ["podman"], hostname: "other.test", registry: "other.test", port: 443 },
            shell,
        );
        expect(await host.run("ls /etc/docker /etc/buildkit/buildkitd.toml")).not.toMatchObject({
            code: 0,
        });
        expect(await host.must("ls /etc/containers/certs.d")).toBe("other.test\n");
        expect(await host.must("cat /etc/hosts")).not.toContain("registry.example.test");
        await trust(host, "remove", {}, shell);
        expect(await host.listing()).toBe(before);
    });
});

describe("the name in /etc/hosts", () => {
    it.each([
        [
            "a line of somebody else's says the same",
            "GATEWAY registry.example.test",
            /hosts: .* in a line that is not ours/,
        ],
        ["a line for another family", "fd00::9 registry.example.test", /hosts: .*written/],
        ["a comment", "# 10.9.9.9 registry.example.test", /hosts: .*written/],
        ["a longer name", "10.9.9.9 my.registry.example.test", /hosts: .*written/],
    ])("%s", async (_, line, told) => {
        const host = on("light");
        await host.must(
            `cp /etc/hosts /tmp/hosts && echo '${line.replace("GATEWAY", gateway())}' >>/etc/hosts`,
        );
        try {
            const before = await host.listing();
            expect(await applied(host)).toMatch(told);
            await trust(host, "remove");
            expect(await host.listing()).toBe(before);
        } finally {
            await host.must("cat /tmp/hosts >/etc/hosts");
        }
    });

    it.each([
        ["a line for another family", "127.0.0.9 registry.example.test", /hosts: .* written/],
        [
            "the same address in other words",
            "FD00:0::9 Registry.example.test",
            /hosts: .* in a line that is not ours/,
        ],
    ])("is what it should be beside %s, also by a check", async (_, line, told) => {
        const host = on("light");
        const settings = { address: "fd00::9" };
        await host.must(`cp /etc/hosts /tmp/hosts && echo '${line}' >>/etc/hosts`);
        try {
            expect(await applied(host, settings)).toMatch(told);
            const { stdout } = await trust(host, "check", settings);
            expect(stdout).toMatch(/^resolve\tours\t/m);
            expect(stdout).toMatch(/^hosts\tours\t/m);
            await trust(host, "remove", settings);
        } finally {
            await host.must("cat /tmp/hosts >/etc/hosts");
        }
    });

    it("refuses to argue with a line that says something else, and changes nothing", async () => {
        const host = on("light");
        await host.must(
            "cp /etc/hosts /tmp/hosts && echo '10.9.9.9 Registry.Example.test' >>/etc/hosts",
        );
        try {
            const before = await host.listing();
            const { code, stderr } = await trust(host, "apply");
            expect(code).toBe(1);
            expect(stderr).toMatch(
                /^\/etc\/hosts maps registry\.example\.test to 10\.9\.9\.9, .*; take that line out, .*then run up again\n$/,
            );
            expect(await host.listing()).toBe(before);
        } finally {
            await host.must("cat /tmp/hosts >/etc/hosts");
        }
    });

    it("is one block again after somebody doubled it, and is left to people when it is cut", async () => {
        const host = on("light");
        await applied(host);
        await host.must("grep -A2 BEGIN /etc/hosts >/tmp/block && cat /tmp/block >>/etc/hosts");
        expect((await trust(host, "check")).stdout).toContain("hosts\tduplicated");
        await applied(host);
        expect(await host.must("grep -c BEGIN /etc/hosts")).toBe("1\n");
        await host.must("sed '/END private/d' /etc/hosts >/tmp/cut && cat /tmp/cut >/etc/hosts");
        expect((await trust(host, "apply")).stderr).toMatch(
            /block .* is damaged; take its lines out by hand/,
        );
        await host.must("cat /tmp/block | tail -n 1 >>/etc/hosts");
        expect(await trust(host, "remove")).toMatchObject({ code: 0 });
    });
});

describe("the system's own store", () => {
    it.each(["light", "docker"] as const)(
        "takes one file per certificate, and gives them back (%s)",
        async (kind) => {
            const host = on(kind);
            const before = await host.listing();
            await applied(host, { targets: ["system"], bundle: ONE + TWO });
            const store = await host.must("cat /etc/ssl/certs/ca-certificates.crt");
            expect(store).toContain(ONE.trim());
            expect(store).toContain(TWO.trim());
            expect(await applied(host, { targets: ["system"], bundle: ONE + TWO })).toContain(
                "unchanged",
            );
            // Somebody refreshed it without our file, or the file came without a refresh.
            await host.must(
                "cp /etc/ssl/certs/ca-certificates.crt /tmp/store; : >/etc/ssl/certs/ca-certificates.crt",
            );
            expect(
                (await trust(host, "check", { targets: ["system"], bundle: ONE + TWO })).stdout,
            ).toContain("system\tstale");
            await applied(host, { targets: ["system"], bundle: ONE });
            const rotated = await host.must("cat /etc/ssl/certs/ca-certificates.crt");
            expect(rotated).toContain(ONE.trim());
            expect(rotated).not.toContain(TWO.trim());
            await trust(host, "remove");
            expect(await host.listing()).toBe(before);
        },
    );

    it("says what is missing where it cannot be refreshed, and changes nothing", async () => {
        const host = on("busybox");
        const before = await host.listing();
        const { code, stderr } = await trust(host, "apply", { targets: ["system"] });
        expect(code).toBe(1);
        expect(stderr).toMatch(/install ca-certificates, or leave system out of the targets/);
        expect(await host.listing()).toBe(before);
    });

    it.each([
        [
            "RHEL",
            "/etc/pki/ca-trust/source/anchors",
            "update-ca-trust",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        ],
        [
            "SUSE",
            "/usr/share/pki/trust/anchors",
            "update-ca-certificates",
            "/var/lib/ca-certificates/ca-bundle.pem",
        ],
        [
            "Arch",
            "/etc/ca-certificates/trust-source/anchors",
            "update-ca-trust",
            "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
        ],
        [
            "Alpine",
            "/usr/local/share/ca-certificates",
            "update-ca-certificates",
            "/etc/ssl/certs/ca-certificates.crt",
        ],
    ])("knows the layout of %s", async (_, anchors, tool, store) => {
        // The layout, and a tool that does what the family's own one does.
        const host = on("busybox");
        await host.must(
            `cp -p /etc/ssl/certs/ca-certificates.crt /tmp/store && rm -rf /usr/local/share/ca-certificates && mkdir -p ${anchors} ${store.replace(/\/[^/]*$/, "")} &&
            printf '#!/bin/sh\\ncat ${anchors}/*.crt >${store} 2>/dev/null || : >${store}\\n' >/usr/sbin/${tool} && chmod 755 /usr/sbin/${tool}`,
        );
        try {
            await applied(host, { targets: ["system"] });
            expect(await host.must(`cat ${store}`)).toBe(ONE);
            await trust(host, "remove");
            expect(await host.must(`ls ${anchors}`)).toBe("");
            expect(await host.must(`cat ${store}`)).toBe("");
        } finally {
            await host.must(
                `rm -rf /usr/sbin/${tool} ${anchors} ${store}; mkdir -p /usr/local/share/ca-certificates; cp -p /tmp/store /etc/ssl/certs/ca-certificates.crt`,
            );
        }
    });
});

describe("Docker's folders", () => {
    it("are those of the users who have a daemon of their own, too, and stay theirs", async () => {
        const host = on("light");
        await host.must(
            "su ops -c 'mkdir -p ~/.config/systemd/user && touch ~/.config/systemd/user/docker.service'",
        );
        try {
            const told = await applied(host, { targets: ["found"] });
            expect(told).toContain(
                `docker: /home/ops/.config/docker/certs.d/${REGISTRY}/ca.crt written`,
            );
            expect(
                await host.must(`ls -l '/home/ops/.config/docker/certs.d/${REGISTRY}/ca.crt'`),
            ).toMatch(/^-r--r--r-- 1 ops ops/);
            await trust(host, "remove");
            expect(await host.must("ls /home/ops/.config")).toBe("systemd\n");
        } finally {
            await host.must("rm -rf /home/ops/.config");
        }
    });

    it("are snap's where Docker is a snap", async () => {
        const host = on("light");
        await host.must("mkdir -p /var/snap/docker/123 && ln -s 123 /var/snap/docker/current");
        try {
            await applied(host, { targets: ["found"] });
            expect(
                await host.must(
                    `cat '/var/snap/docker/current/etc/docker/certs.d/${REGISTRY}/ca.crt'`,
                ),
            ).toBe(ONE);
            await trust(host, "remove");
            expect(await host.must("ls /var/snap/docker/123")).toBe("");
        } finally {
            await host.must("rm -rf /var/snap");
        }
    });
});

it("says so where it finds nothing to set up, and changes nothing", async () => {
    const host = on("light");
    const before = await host.listing();
    const { code, stderr } = await trust(host, "apply", { targets: ["found"] });
    expect(code).toBe(1);
    expect(stderr).toMatch(
        /^none of Docker, containerd, Podman and BuildKit is on this host; .*clients\.<key>\.targets.*\n$/,
    );
    expect(await host.listing()).toBe(before);
    expect(await host.run("ls /var/lib/private-registry")).not.toMatchObject({ code: 0 });
});

describe.each(SHELLS)("two stacks at once on the host %s with the shell %s", (kind, shell) => {
    const stacks = ["one", "other"].map((stack) => ({
        stack,
        hostname: `${stack}.example.test`,
        registry: `${stack}.example.test:5000`,
    }));

    it("both have their lines, and both take them back", async () => {
        const host = on(kind);
        const before = await host.must("cat /etc/hosts");
        const both = (mode: "apply" | "remove") =>
            Promise.all(stacks.map((settings) => trust(host, mode, settings, shell)));
        for (let round = 0; round < 7; round++) {
            for (const { code, stdout, stderr } of await both("apply")) {
                expect([code, stderr, stdout]).toEqual([0, "", expect.stringMatching(/^proof:/m)]);
            }
            const hosts = await host.must("cat /etc/hosts");
            for (const { stack } of stacks) {
                expect(hosts).toContain(`# BEGIN private-registry ${stack}\n`);
            }
            for (const { code } of await both("remove")) expect(code).toBe(0);
            expect(await host.must("cat /etc/hosts")).toBe(before);
        }
        // Whose stack made a folder and went first could not take it away.
        await host.must("rmdir -p /etc/docker/certs.d 2>/dev/null || true");
    });
});

it("says that another run holds it up after a minute, and changes nothing", async () => {
    const host = on("light");
    const before = await host.listing();
    // A minute passes at once.
    await host.must("ln -s /bin/true /usr/local/bin/sleep");
    const holder = host.must(
        "exec 9</etc && flock 9 && touch /tmp/held && until [ -e /tmp/let-go ]; do /bin/sleep 0.1; done",
    );
    try {
        await host.must("until [ -e /tmp/held ]; do /bin/sleep 0.1; done");
        const { code, stderr } = await trust(host, "apply");
        expect([code, stderr]).toEqual([
            1,
            "another run has been changing this host for a minute; see what it waits for, then run up again\n",
        ]);
        expect(await host.listing()).toBe(before);
        // Looking needs no turn.
        expect(await trust(host, "check")).toMatchObject({ code: 0 });
    } finally {
        await host.must("touch /tmp/let-go; rm /usr/local/bin/sleep");
        await holder;
    }
});

it("leaves what somebody else has changed since, and says so", async () => {
    const host = on("light");
    await applied(host);
    await host.must(
        `echo '${TWO}' >/tmp/two && cat /tmp/two >'/etc/docker/certs.d/${REGISTRY}/ca.crt'`,
    );
    expect((await trust(host, "remove")).stdout).toMatch(
        /left: .*ca\.crt, which somebody else has changed/,
    );
    expect(await host.must(`cat '/etc/docker/certs.d/${REGISTRY}/ca.crt'`)).toContain(TWO);
    await host.must("rm -r /etc/docker");
});

it.each(["light", "docker"] as const)(
    "killed at any moment, it leaves whole files, and the next run goes on (%s)",
    async (kind) => {
        const host = on(kind);
        const before = await host.listing();
        const hosts = await host.must("cat /etc/hosts");
        const targets = ["docker", "podman", "buildkit"] as const;
        const input = script({ address: gateway(), targets });
        const left = new Set<string>();
        for (let round = 0; round < 25; round++) {
            // A shell gives what it starts in the background no input of its own. The moments are spread over a whole run.
            await host.must("cat >/tmp/script && rm -f /tmp/ended", { input });
            await host.must(
                `{ sh -s apply </tmp/script >/dev/null 2>&1; touch /tmp/ended; } &
                until run=$(pgrep -f '^sh -s apply$') || [ -e /tmp/ended ]; do :; done
                sleep 0.${String((round * 7) % 25).padStart(2, "0")}; kill -9 $run 2>/dev/null; wait`,
            );
            const now = await host.must("cat /etc/hosts");
            expect(
                now === hosts ||
                    (now.startsWith(hosts) &&
                        now.endsWith("# END private-registry private-registry-test\n")),
            ).toBe(true);
            const ca = await host.run(`cat '/etc/docker/certs.d/${REGISTRY}/ca.crt'`);
            expect(["", ONE]).toContain(ca.stdout);
            const record = await host.run(
                "cd /var/lib/private-registry/* && if [ -e done ]; then echo done; else echo begun; fi",
            );
            left.add(record.stdout.trim());
            if (round % 5 === 4) await trust(host, "remove");
        }
        // It was caught at work.
        expect(left).toContain("begun");
        await applied(host, { targets });
        await trust(host, "remove");
        expect(await host.listing()).toBe(before);
    },
);
