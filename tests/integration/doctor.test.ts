import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClientHost, withHosts } from "../support/client-host";
import { docker } from "../support/docker";
import { doctor, expectHealthy } from "../support/doctor";
import { client, fleet, REGISTRY_NAME } from "../support/fleet";
import { must } from "../support/run";
import { type TestStack, withStack } from "../support/stack";

/** As `npm run up -- --repair` does. */
async function repair(stack: TestStack): Promise<void> {
    await doctor(stack, "repair");
    await stack.up("--refresh");
}

test("whatever is changed by hand on a client host is found, and put right", () =>
    withHosts(["light", "light"], async ([a, b], network) => {
        const targets = ["docker", "containerd", "system"];
        const clients = { a: client(a, { targets }), b: client(b, { user: "ops", targets }) };
        await withStack(fleet(network, clients), async (stack) => {
            await stack.up();
            const healthy = await expectHealthy(stack);
            expect(healthy).toMatch(
                /^HOST +ADDRESS +NAME IS +FILES +TLS +DAYS LEFT +WHAT DIFFERS$/m,
            );
            const row = (host: ClientHost, name: string) =>
                new RegExp(
                    `^${name} +${host.address} +${network.gateway} +ours +proved +(?:199|200)$`,
                    "m",
                );
            expect(healthy).toMatch(row(a, "a"));
            expect(healthy).toMatch(row(b, "b"));

            // A Docker that takes longer than a login may is not laid to the hosts' charge.
            const slow = stack.path("slow");
            mkdirSync(slow);
            const program = `#!/bin/sh\n[ -e '${slow}/done' ] || { : >'${slow}/done'; sleep 16; }\nPATH=\${PATH#*:}\nexec docker "$@"\n`;
            writeFileSync(join(slow, "docker"), program, { mode: 0o755 });
            const PATH = `${slow}:${stack.environment.PATH ?? ""}`;
            expect((await doctor(stack, "", { PATH })).stdout).toMatch(row(a, "a"));
            expect(existsSync(join(slow, "done"))).toBe(true);

            const ca = `/etc/docker/certs.d/${REGISTRY_NAME}:${stack.port}/ca.crt`;
            // What does not get in each other's way is found and mended in one go; on the other host as a user who needs sudo.
            const rounds: Record<string, [string, RegExp, ClientHost?]>[] = [
                {
                    "the name is gone": [
                        "sed '/BEGIN/,/END/d' /etc/hosts >/tmp/h; cat /tmp/h >/etc/hosts",
                        /hosts missing/,
                    ],
                    "the certificate is gone": [`rm '${ca}'`, /docker missing/],
                    "the settings of containerd are gone": [
                        "rm -r /etc/containerd",
                        /containerd missing/,
                    ],
                    "the store is stale": [
                        "echo >/etc/ssl/certs/ca-certificates.crt",
                        /system stale/,
                    ],
                },
                {
                    "the name leads elsewhere": [
                        "sed 's/^.* registry/10.1.1.1 registry/' /etc/hosts >/tmp/h; cat /tmp/h >/etc/hosts",
                        /hosts other/,
                    ],
                    "the certificate is another one": [
                        `cat /usr/share/ca-certificates/mozilla/*G4.crt >'${ca}'`,
                        /docker other/,
                    ],
                },
                {
                    "the name is there twice": [
                        "grep -A2 BEGIN /etc/hosts >/tmp/h; cat /tmp/h >>/etc/hosts",
                        /hosts duplicated/,
                    ],
                    "anybody may write the certificate": [`chmod 666 '${ca}'`, /docker mode/],
                    "the record is gone": ["rm -r /var/lib/private-registry", /record missing/],
                    "the certificate is gone on the other host": [
                        `rm '${ca}'`,
                        /^b .* docker missing/m,
                        b,
                    ],
                },
            ];
            for (const round of rounds) {
                const edits = Object.values(round);
                for (const [edit, , host = a] of edits) await host.must(edit);
                const isAtB = edits.some(([, , host]) => host === b);
                const { code, stdout } = await doctor(stack);
                for (const [what, [, found]] of Object.entries(round)) {
                    expect([what, code, stdout]).toEqual([what, 1, expect.stringMatching(found)]);
                }
                if (!isAtB) expect(stdout).toMatch(row(b, "b"));
                expect(stdout).toContain(
                    `${isAtB ? 2 : 1} that differ. To put it right: npm run up -- --repair`,
                );
                const mended = await doctor(stack, "repair");
                expect(mended).toMatchObject({
                    code: 0,
                    stdout: expect.stringContaining("All is as it was set up."),
                });
                for (const [host, name] of [[a, "a"] as const, [b, "b"] as const]) {
                    expect(mended.stdout).toMatch(row(host, name));
                }
            }

            // A host that is off is one line; nothing that it shows is believed when its key is another one.
            await a.stopSsh();
            await b.changeHostKey();
            const { code, stdout } = await doctor(stack);
            expect(code).toBe(1);
            expect(stdout).toMatch(
                /^a .*nothing listens there \(.*ECONNREFUSED.*\); start sshd on it/m,
            );
            expect(stdout).toMatch(/^b .*it shows another host key than the one that is pinned/m);
            await a.startSsh();
        });
    }));

test("whatever is changed by hand on the Docker host is found, and put right", () =>
    withStack({ teams: ["dev"] }, async (stack) => {
        await stack.up();
        await expectHealthy(stack);
        const name = stack.containerName;
        const settings = async () => {
            const format =
                '{{range .Mounts}}{{if eq .Destination "/etc/private-registry"}}{{.Source}}{{end}}{{end}}';
            return (await must("docker", ["inspect", "--format", format, name])).trim();
        };
        const folder = await settings();
        const shell = (command: string) => must("sh", ["-c", command]);
        /** Ends when Docker leaves the container alone for some 25 seconds before it starts it again. */
        const restartInLoop = async () => {
            await docker("restart", name);
            const format = "{{.State.Restarting}} {{.RestartCount}}";
            for (;;) {
                const found = await must("docker", ["inspect", "--format", format, name]);
                if (/^true (9|\d\d)/.test(found)) return;
                await sleep(200);
            }
        };
        const rounds: Record<string, [() => Promise<unknown>, RegExp]>[] = [
            {
                "it starts no more by itself": [
                    () => docker("update", "--restart", "no", name),
                    /WRONG +container +was changed: restart/,
                ],
                "an account was added, and the certificate file is another one": [
                    () =>
                        shell(
                            `echo 'eve:$2y$05$abcdefghijklmnopqrstuuJ1zWZ1zWZ1zWZ1zWZ1zWZ1zWZ1zWZ1z' >>'${folder}/htpasswd'; echo >'${folder}/tls.crt'`,
                        ),
                    /WRONG +settings +htpasswd, tls.crt changed or gone/,
                ],
            },
            {
                "its settings are none": [
                    async () => {
                        await shell(`echo none >'${folder}/config.yml'`);
                        await restartInLoop();
                    },
                    new RegExp(
                        `WRONG +container +ends as soon as it is started \\(exit code [1-9]\\d*\\); see: docker logs ${name}$`,
                        "m",
                    ),
                ],
            },
            {
                "it is stopped": [() => docker("stop", name), /WRONG +container +does not run/],
            },
            {
                "it is gone": [() => docker("rm", "--force", name), /WRONG +container +is gone/],
                "the images are gone": [
                    () => docker("volume", "rm", "--force", stack.dataVolume),
                    /WRONG +container-data +is gone/,
                ],
            },
        ];
        for (const round of rounds) {
            for (const [edit] of Object.values(round)) await edit();
            const { code, stdout } = await doctor(stack);
            for (const [what, [, found]] of Object.entries(round)) {
                expect([what, code, stdout]).toEqual([what, 1, expect.stringMatching(found)]);
            }
            await repair(stack);
        }
        const { url, registry, isFine } = JSON.parse((await doctor(stack, "json")).stdout) as {
            url: string;
            registry: { part: string; state: string }[];
            isFine: boolean;
        };
        expect({ url, isFine }).toEqual({ url: (await stack.outputs()).url, isFine: true });
        expect(registry.map(({ part, state }) => `${part} ${state}`)).toEqual([
            "Docker ok",
            "settings ok",
            "proof ok",
            "certificate ok",
            "authority 1 ok",
        ]);
    }));

test("a certificate is worth a word in its last 30 days, and is wrong in its last 7; an authority too", () =>
    withStack({ earlyRenewalDays: 5 }, async (stack) => {
        await stack.up();
        const { caCertificate, certificateExpires } = await stack.outputs();
        // Only the doctor's own clock is another one: all the rest is as it is today.
        const clock = stack.path("clock.js");
        const shown = async (part: string, ends: string, days: number) => {
            const ahead = Date.parse(ends) - Date.now() - days * 86_400_000 - 3_600_000;
            writeFileSync(clock, `const now = Date.now; Date.now = () => now() + ${ahead};`);
            const options = { NODE_OPTIONS: `--require ${clock}` };
            const { code, stdout } = await doctor(stack, "json", options);
            const { registry } = JSON.parse(stdout) as {
                registry: { part: string; state: string; text: string }[];
            };
            const { state, text } = registry.find((finding) => finding.part === part) ?? {};
            return [code, state, text];
        };
        const server = (days: number) => shown("certificate", certificateExpires, days);
        const notYet = "an up renews it in its last 5 (earlyRenewalDays)";
        expect(await server(31)).toEqual([0, "ok", "31 days left"]);
        expect(await server(30)).toEqual([0, "due", `30 days left; ${notYet}`]);
        expect(await server(8)).toEqual([0, "due", `8 days left; ${notYet}`]);
        expect(await server(7)).toEqual([1, "WRONG", `7 days left; ${notYet}`]);
        expect(await server(4)).toEqual([1, "WRONG", "4 days left; run: npm run up"]);
        const { validTo } = new X509Certificate(caCertificate);
        const authority = (days: number) => shown("authority 1", validTo, days);
        expect(await authority(8)).toEqual([1, "due", "8 days left; the next up renews it"]);
        expect(await authority(7)).toEqual([1, "WRONG", "7 days left; run: npm run up"]);
    }));
