import { withHosts } from "../support/client-host";
import { deploy } from "../support/deploy";
import { expectHealthy } from "../support/doctor";
import { client, fleet, REGISTRY_NAME } from "../support/fleet";
import { must } from "../support/run";
import { withStack } from "../support/stack";

const targets = ["docker"];

test("a client that has moved is set up where it is now; where it was stays as it is, and is cleaned as a client of its own", () =>
    withHosts(["light", "light"], async (hosts, network) => {
        const [old, now] = hosts;
        const at = (host: typeof old) => client(host, { targets });
        await withStack(fleet(network, { build: at(old) }), async (stack) => {
            const before = await Promise.all(hosts.map((host) => host.listing()));
            await stack.up();
            const ours = await old.listing();

            // The key is the client's identity: the same client, at another address.
            stack.configure(fleet(network, { build: at(now) }));
            expect((await stack.up()).printed).toMatch(/~ 1 updated\n +\d+ unchanged/);
            expect(await now.must("ls /etc/docker/certs.d")).toContain(REGISTRY_NAME);
            expect(await old.listing()).toBe(ours);

            // Under a name of its own the old one can be taken out, and gets back what it had before.
            stack.configure(fleet(network, { build: at(now), old: at(old) }));
            expect((await stack.up()).printed).toContain("unchanged");
            expect(await old.listing()).toBe(ours);
            stack.configure(fleet(network, {}));
            await stack.up();
            expect(await Promise.all(hosts.map((host) => host.listing()))).toEqual(before);
        });
    }));

test("a host that goes on as another client keeps what it has when the one it was is taken out", () =>
    withHosts(["light", "light"], async (hosts, network) => {
        const [first, second] = hosts;
        const at = (host: typeof first) => client(host, { targets });
        const listings = () => Promise.all(hosts.map((host) => host.listing()));
        await withStack(fleet(network, { a: at(first), b: at(second) }), async (stack) => {
            const before = await listings();
            await stack.up();
            const [ofFirst, ofSecond] = await listings();

            // One has another name now, the other one has the name that became free.
            stack.configure(fleet(network, { renamed: at(first), a: at(second) }));
            const { printed } = await stack.up();
            expect(printed).toMatch(/\+ 1 created\n +~ 1 updated\n +- 1 deleted/);
            expect(await listings()).toEqual([ofFirst, ofSecond]);
            await expectHealthy(stack);

            stack.configure(fleet(network, {}));
            await stack.up();
            expect(await listings()).toEqual(before);
            for (const host of hosts) await host.must("[ ! -e /var/lib/private-registry ]");
        });
    }));

test("a host that is lost while authorities are exchanged can be dropped, too", () =>
    withHosts(["light", "light"], async ([a, lost], network) => {
        const clients = { a: client(a, { targets }), lost: client(lost, { targets }) };
        const exchange = { authorities: ["1", "2"] };
        await withStack(fleet(network, clients, exchange), async (stack) => {
            await stack.up();
            await lost.stopSsh();
            stack.configure(fleet(network, { a: clients.a }, exchange));
            const { code, failures } = await deploy(stack, "up");
            expect(code).not.toBe(0);
            // The server's certificate waited for this client; it does no more.
            const [, drop = ""] = /^ {2}\.\/pulumiw (state delete .*)$/m.exec(failures) ?? [];
            await must("sh", ["-c", `pulumi ${drop}`], {
                cwd: stack.folder,
                env: stack.environment,
            });
            expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
        });
    }));

test("nothing is sent to a host that shows another key, on the way or behind it", () =>
    withHosts(["light", "light", "light"], async ([impostor, behind, jump], network) => {
        const { password } = network;
        const login = { user: "typist", password, targets };
        const clients = {
            "over-impostor": client(behind, {
                ...login,
                jumpHost: client(impostor, { user: "typist", password, hostKey: jump.hostKey }),
            }),
            behind: client(behind, {
                ...login,
                hostKey: jump.hostKey,
                jumpHost: client(jump, { user: "typist", password }),
            }),
        };
        await withStack(fleet(network, clients), async (stack) => {
            const { code, failures } = await deploy(stack, "up");
            expect(code).not.toBe(0);
            expect(failures).toContain(
                `over-impostor (on the way, at ${impostor.address}:22): it shows another host key`,
            );
            expect(failures).toContain(`behind (${behind.address}:22): it shows another host key`);
            // Not even the name of the user.
            for (const host of [impostor, behind]) {
                expect(await host.must("cat /var/log/sshd.log")).not.toMatch(
                    /accepted|failed|typist|authenticating/i,
                );
            }
            expect(await jump.must("cat /var/log/sshd.log")).toContain(
                "Accepted password for typist",
            );
            expect(stack.printed + failures).not.toContain(password);
        });
    }));
