import { withHosts } from "../support/client-host";
import { deploy } from "../support/deploy";
import { doctor, expectHealthy } from "../support/doctor";
import { client, fleet, login, pull, push, REGISTRY_NAME } from "../support/fleet";
import { ask } from "../support/registry-client";
import { commandLinesDuring } from "../support/processes";
import { must } from "../support/run";
import { findSecrets, secretsWithin } from "../support/secrets";
import { withStack } from "../support/stack";
import { filesBelow } from "../support/stack-past";

/** The tutorial, from beginning to end, with everything that it does by hand on the clients done by `up`. */
test("what one host pushes another one pulls, and destroy leaves no trace on either", () =>
    withHosts(["docker", "docker"], async (hosts, network) => {
        const [a, b] = hosts;
        await withStack(fleet(network, {}), async (stack) => {
            const registry = `${REGISTRY_NAME}:${stack.port}`;
            const image = `${registry}/team/app:1`;
            await stack.up();
            // The name alone, written by hand, is not enough.
            await a.must(
                `cp /etc/hosts /tmp/hosts && echo '${network.gateway} ${REGISTRY_NAME}' >>/etc/hosts`,
            );
            expect(await pull(a, image)).toContain("x509: certificate signed by unknown authority");
            await a.must("mv /tmp/hosts /etc/hosts");
            const before = await Promise.all(hosts.map((host) => host.listing()));
            const dockerd = await a.must("pidof dockerd");

            stack.configure(fleet(network, { a: client(a), b: client(b) }));
            const { printed } = await stack.up();
            expect(printed).toContain(`docker: /etc/docker/certs.d/${registry}/ca.crt written`);
            expect(printed).toContain(
                `hosts: ${network.gateway} ${REGISTRY_NAME} in /etc/hosts written`,
            );
            expect(printed).toContain(`proof: 401 from https://${registry}/v2/ by curl`);
            expect((await stack.outputs()).clients).toEqual({ a: a.address, b: b.address });
            expect((await stack.must("preview")).printed).toMatch(/\d+ unchanged/);

            expect(await push(a, image)).toContain("no basic auth credentials");
            await login(a, stack);
            const digest = /digest: (sha256:[0-9a-f]{64})/.exec(await push(a, image))?.[1];
            await login(b, stack);
            expect(await pull(b, image)).toContain(`Digest: ${digest ?? "none"}`);

            // Docker trusts the authority for another name, too, which is not in the certificate.
            const other = `other.example.test:${stack.port}`;
            const certs = "/etc/docker/certs.d";
            await a.must(
                `cp /etc/hosts /tmp/hosts && echo '${network.gateway} other.example.test' >>/etc/hosts &&
                cp -r '${certs}/${registry}' '${certs}/${other}'`,
            );
            expect(await pull(a, `${other}/team/app:1`)).toContain(
                `x509: certificate is valid for localhost, ${REGISTRY_NAME}, not other.example.test`,
            );
            await a.must(`mv /tmp/hosts /etc/hosts && rm -r '${certs}/${other}'`);

            const outputs = await stack.outputs();
            const asDev = async (path: string): Promise<unknown> => {
                const question = { team: "dev", address: network.gateway };
                return JSON.parse((await ask(outputs, path, question)).body);
            };
            expect(await asDev("/v2/_catalog")).toEqual({ repositories: ["team/app"] });
            expect(await asDev("/v2/team/app/tags/list")).toEqual({
                name: "team/app",
                tags: ["1"],
            });

            // Nothing is done twice, and Docker was never restarted.
            const logins = await a.logins();
            expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
            expect(await a.logins()).toBe(logins);
            expect(await a.must("pidof dockerd")).toBe(dockerd);

            const state = await stack.exported();
            expect(state).not.toContain(network.key.privateKey.split("\n")[1]);
            expect(state).not.toContain("PRIVATE KEY");

            await stack.destroy();
            expect(await Promise.all(hosts.map((host) => host.listing()))).toEqual(before);
            expect(await a.run("ls /var/lib/private-registry")).toMatchObject({ code: 2 });
        });
    }));

test("each host that fails is named with its cause, the others are done, and the next up does what is missing", () =>
    withHosts(
        ["light", "docker", "light", "light", "light", "light", "light", "light", "light"],
        async (hosts, network) => {
            const [good, full, nosudo, refused, off, otherkey, login, frozen, behind] = hosts;
            const targets = ["docker"];
            // The official provider waits for these without end, by its source.
            const isOffline = process.env.PULUMIW_ENGINE_KIND === "offline";
            const hanging: Record<string, ReturnType<typeof client>> = {};
            if (isOffline) {
                hanging.frozen = client(frozen, { targets });
                hanging.behind = client(behind, { targets, jumpHost: client(login) });
            }
            const clients = {
                good: client(good, { targets }),
                full: client(full),
                nosudo: client(nosudo, { user: "guest", targets }),
                refused: client(refused, { targets }),
                off: client(off, { targets }),
                otherkey: client(otherkey, { targets }),
                login: client(login, { privateKey: network.makeKeyPair().privateKey, targets }),
                unknown: { host: "client.invalid", hostKey: good.hostKey, targets },
                ...hanging,
            };
            const failing = Object.entries(clients).filter(([name]) => name !== "good");
            await withStack(fleet(network, clients), async (stack) => {
                await full.fillDisk("/etc/docker");
                await Promise.all([refused.stopSsh(), off.vanish(), otherkey.changeHostKey()]);
                await Promise.all([frozen.freezeSsh(), behind.vanish(login.address)]);
                const before = await full.listing();
                const { code, printed, failures } = await deploy(stack, "up");
                expect(code).not.toBe(0);
                // One line each: the host, what kept it, and what to do.
                const causes: Record<string, RegExp> = {
                    full: /^cannot write \/etc\/docker\/certs\.d\/.*: No space left on device; free some space there, then run up again$/,
                    nosudo: /^guest is not root and may not become root with sudo -n without a password; allow it in sudoers, or log in as root$/,
                    refused: /^nothing listens there \(connection refused\); start sshd on it/,
                    off: /^it does not answer \(i\/o timeout\); switch it on/,
                    otherkey:
                        /^it shows another host key than the one that is pinned .*npm run host-keys/,
                    login: /^it refuses the login \(.*\); add the public key to authorized_keys there/,
                    unknown: /^its name does not resolve here \(no such host\); correct host/,
                    frozen: /^it takes connections and then says nothing \(no SSH handshake within 21s\); start its sshd/,
                    behind: /^it does not answer \(no connection through the proxy within 7s\); switch it on/,
                };
                for (const [name, { host }] of failing) {
                    const said = printed
                        .split(/\n\n/)
                        .find((text) => text.includes(`(registry-trust-${name}):`));
                    expect(said).toContain(host);
                    const line = failures
                        .split("\n")
                        .find((text) => text.startsWith(`  ${name} (${host}`));
                    expect(line?.replace(/^.*?\): /, "")).toMatch(causes[name] ?? "no cause");
                }
                const many = `${failing.length} client hosts could not be set up or cleaned; `;
                expect(failures.startsWith(`\n${many}`)).toBe(true);
                expect(failures.trim().split("\n")).toHaveLength(failing.length + 1);
                expect(printed).not.toContain("failed to register");
                expect(await good.must("ls /etc/docker/certs.d")).toContain(REGISTRY_NAME);
                // What a failed host had been given is taken back.
                expect(await full.listing()).toBe(before);
                expect(await full.run("ls /var/lib/private-registry")).toMatchObject({ code: 2 });

                await full.freeDisk("/etc/docker");
                await refused.startSsh();
                await off.comeBack();
                await frozen.thawSsh();
                await behind.comeBack(login.address);
                const logins = await good.logins();
                stack.configure(
                    fleet(network, {
                        ...{ good: clients.good, full: clients.full },
                        ...{ refused: clients.refused, off: clients.off },
                        otherkey: client(otherkey, { targets }),
                        ...hanging,
                    }),
                );
                const back = [full, refused, off, otherkey];
                if (isOffline) back.push(frozen, behind);
                expect((await stack.up()).printed).toContain(`+ ${back.length} created`);
                expect(await good.logins()).toBe(logins);
                for (const host of back) {
                    expect(await host.must("ls /etc/docker/certs.d")).toContain(REGISTRY_NAME);
                }

                // Nor does the doctor wait for it as long as for one that works.
                if (isOffline) {
                    await behind.vanish(login.address);
                    const { code, stdout } = await doctor(stack);
                    expect(code).toBe(1);
                    expect(stdout).toMatch(
                        /^behind .* it does not answer \(no connection through the proxy within 15 s\); switch it on/m,
                    );
                    expect(stdout).toContain("1 that differ");
                    await behind.comeBack(login.address);
                }
            });
        },
    ));

test("a host that is taken out is cleaned, the others are not touched; a lost one is dropped from the state", () =>
    withHosts(["light", "light", "light"], async (hosts, network) => {
        const [a, b, c] = hosts;
        const targets = ["docker"];
        const all = {
            a: client(a, { targets }),
            b: client(b, { targets }),
            c: client(c, { targets }),
        };
        await withStack(fleet(network, all), async (stack) => {
            const before = await Promise.all(hosts.map((host) => host.listing()));
            await stack.up();
            const logins = await a.logins();

            stack.configure(fleet(network, { a: all.a, c: all.c }));
            expect((await stack.up()).printed).toMatch(/- 1 deleted\n +\d+ unchanged/);
            expect(await b.listing()).toBe(before[1]);
            expect(await a.logins()).toBe(logins);

            // One that cannot be reached cannot be cleaned: that is said, and what to do about it.
            const dropFromState = async (failures: string) => {
                const [, drop = ""] = /^ {2}\.\/pulumiw (state delete .*)$/m.exec(failures) ?? [];
                await must("sh", ["-c", `pulumi ${drop}`], {
                    cwd: stack.folder,
                    env: stack.environment,
                });
            };
            await c.stopSsh();
            stack.configure(fleet(network, { a: all.a }));
            const refused = await deploy(stack, "up");
            expect(refused.code).not.toBe(0);
            expect(refused.failures).toMatch(
                /^ {2}c \(.*:22\): nothing listens there \(connection refused\)/m,
            );
            await dropFromState(refused.failures);
            expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
            expect(await c.listing()).not.toBe(before[2]);

            // Nor does a destroy get past one that is off: the others are cleaned, the registry stays until the host is dropped.
            stack.configure(fleet(network, { a: all.a, b: all.b }));
            await stack.up();
            await b.vanish();
            const container = await stack.containerId();
            const off = await deploy(stack, "destroy");
            expect(off.code).not.toBe(0);
            expect(off.failures).toMatch(
                /^\nOne client host could not be cleaned, so the registry stays for now; the other hosts are done:\n {2}b \(.*:22\): it does not answer \(i\/o timeout\)/,
            );
            expect(await a.listing()).toBe(before[0]);
            expect(await stack.containerId()).toBe(container);
            const outputs = await stack.outputs();
            const question = { team: "dev", address: network.gateway };
            expect((await ask(outputs, "/v2/", question)).status).toBe(200);

            await dropFromState(off.failures);
            await stack.destroy();
            expect(await stack.containerId()).toBeUndefined();
            expect(await b.listing()).not.toBe(before[1]);
        });
    }));

test("users log in with a key and sudo, a password, a key with a passphrase, over a jump host, and no secret of theirs is left anywhere", () =>
    withHosts(["light", "light", "light", "light"], async (hosts, network) => {
        const [limited, locked, typist, jump] = hosts;
        const key = network.makeKeyPair("open sesame");
        await locked.must(`echo '${key.publicKey}' >/root/.ssh/authorized_keys`);
        const clients = {
            limited: client(limited, { user: "limited" }),
            locked: client(locked, { privateKeyPath: key.privateKeyPath }),
            typist: client(typist, { user: "typist" }),
            // What the jump host reaches by this address is itself.
            behind: {
                ...client(jump, { user: "ops" }),
                host: "127.0.0.1",
                jumpHost: client(jump),
            },
        };
        const config = Object.entries(clients).map(([name, fields]) => [
            name,
            { ...fields, targets: ["docker"] },
        ]);
        await withStack(
            fleet(network, Object.fromEntries(config) as typeof clients),
            async (stack) => {
                const set = async (path: string, ...args: string[]) => {
                    await stack.must("config", "set", "--path", `clients.${path}`, ...args);
                };
                await set("locked.privateKeyPassword", "--secret", "open sesame");
                await set("typist.password", "--secret", network.password);
                // The hosts' are among them: each is a container of this machine.
                const processes = await commandLinesDuring(async () => {
                    await stack.up();
                });
                expect(processes).toContain("pulumi-language-nodejs");
                expect(processes).toContain("sshd");
                for (const host of hosts) {
                    expect(await host.must("ls /etc/docker/certs.d")).toContain(REGISTRY_NAME);
                }
                expect(await jump.must("cat /var/log/sshd.log")).toMatch(
                    /Accepted publickey for ops from 127\.0\.0\.1/,
                );

                // The doctor has an SSH of its own, which logs in to each as well.
                const healthy = await expectHealthy(stack);
                for (const name of Object.keys(clients)) {
                    expect(healthy).toMatch(new RegExp(`^${name} +.* ours +proved `, "m"));
                }
                const secrets = [
                    { name: "password", value: network.password },
                    { name: "passphrase", value: "open sesame" },
                    ...secretsWithin("key", network.key.privateKey),
                    ...secretsWithin("key with a passphrase", key.privateKey),
                ];
                expect(secrets.length).toBeGreaterThan(4);
                const expectNowhere = async () => {
                    const files = filesBelow(stack.folder).map(({ path, text }) => path + text);
                    const onHosts = await Promise.all(
                        hosts.map((host) =>
                            host.must("find /etc /var/lib /root -type f -print -exec cat {} +"),
                        ),
                    );
                    for (const text of onHosts) expect(text).toContain("BEGIN private-registry");
                    const own = [await stack.exported(), stack.printed, processes];
                    const places = [...own, ...files, ...onHosts];
                    expect(places.flatMap((text) => findSecrets(secrets, text))).toEqual([]);
                };
                await expectNowhere();

                // One that is done again and not let in: what is said of it does not tell with what that was tried.
                await typist.must("echo typist:another-one | chpasswd");
                await set("typist.targets[1]", "podman");
                const { code, failures } = await deploy(stack, "up");
                expect(code).not.toBe(0);
                expect(failures).toMatch(/^ {2}typist \(.*\): it refuses the login /m);
                const { stdout } = await doctor(stack);
                expect(stdout).toMatch(/^typist .*it refuses the login /m);
                await expectNowhere();
            },
        );
    }));
