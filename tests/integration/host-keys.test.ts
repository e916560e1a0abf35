import { join } from "node:path";
import { withHosts } from "../support/client-host";
import { client, fleet } from "../support/fleet";
import { run } from "../support/run";
import { type TestStack, withStack } from "../support/stack";

const SCRIPT = join(__dirname, "../../scripts/check/host-keys.mjs");

test("npm run host-keys compares what hosts show with what is pinned, and pins what is not", () =>
    withHosts(["light", "light", "light"], async ([a, b, jump], network) => {
        const hostKeys = (stack: TestStack, ...args: string[]) =>
            run("node", [SCRIPT, stack.name, ...args], {
                cwd: stack.folder,
                env: stack.environment,
            });
        const ecdsa = (await a.must("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ecdsa_key.pub")).trim();
        const fingerprint = await b.must("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
        const digest = fingerprint.split(" ")[1] ?? "";
        const clients = {
            // Any of a host's keys may be the one that is pinned.
            a: client(a, { hostKey: `${ecdsa} root@a` }),
            "b.1": { host: b.address },
            behind: { host: "127.0.0.1", jumpHost: { host: jump.address } },
            here: { local: true },
        };
        await withStack(fleet(network, clients), async (stack) => {
            // A secret in one client makes one of all of them.
            await stack.must(
                ...["config", "set", "--secret", "--path", "clients.a.password", "swordfish"],
            );
            const first = await hostKeys(stack, "");
            expect(first.code).toBe(1);
            expect(first.stdout).toContain(`a (${a.address}): ecdsa-sha2-nistp256 SHA256:`);
            expect(first.stdout).toMatch(/^a .*, the one that is pinned$/m);
            expect(first.stdout).toContain(
                `b.1 (${b.address}): ssh-ed25519 ${digest}, not pinned\n` +
                    `  ./pulumiw config set --stack ${stack.name} --path 'clients["b.1"].hostKey' '${b.hostKey}'\n`,
            );
            expect(first.stdout).toContain(`behind (${jump.address}): ssh-ed25519 SHA256:`);
            // What answers here at that address is another one.
            expect(first.stdout).toContain(
                `behind (127.0.0.1): not pinned; it is behind ${jump.address}: ask from there, with ssh-keyscan 127.0.0.1\n`,
            );
            expect(first.stdout).not.toMatch(/^here /m);
            expect(first.stdout + first.stderr).not.toContain("swordfish");

            // The command that is printed does it; --write does it for all.
            const [, command = ""] =
                /^ {2}\.\/pulumiw (.* 'clients\["b\.1"\]\.hostKey' .*)$/m.exec(first.stdout) ?? [];
            await run("sh", ["-c", `pulumi ${command}`], {
                cwd: stack.folder,
                env: stack.environment,
            });
            expect((await hostKeys(stack, "", "b.1")).stdout).toMatch(
                /, the one that is pinned\n$/,
            );
            expect((await hostKeys(stack, "write")).stdout).toMatch(
                /^behind \(.*\): ssh-ed25519 SHA256:.*, pinned now$/m,
            );
            const pinned = stack.read(`Pulumi.${stack.name}.yaml`);
            expect(pinned).toContain(jump.hostKey);
            expect((await hostKeys(stack, "", "a", "b.1")).code).toBe(0);

            // One that differs is named, and never replaced.
            const old = b.hostKey;
            await b.changeHostKey();
            const changed = await hostKeys(stack, "write", "a", "b.1");
            expect(changed.code).toBe(1);
            expect(changed.stdout).toMatch(
                /^b\.1 \(.*\): ssh-ed25519 SHA256:.*, NOT the one that is pinned \(ssh-ed25519 SHA256:.*\)\n {2}if it was installed anew, and its console shows the same: \.\/pulumiw config set /m,
            );
            expect(changed.stdout).toMatch(/^a .*, the one that is pinned$/m);
            expect(stack.read(`Pulumi.${stack.name}.yaml`)).toContain(old);

            await a.stopSsh();
            const off = await hostKeys(stack, "", "a");
            expect(off).toMatchObject({ code: 1 });
            expect(off.stdout).toMatch(/^a .*: shows no ed25519 or ecdsa host key$/m);
            expect(await hostKeys(stack, "", "nobody")).toMatchObject({
                code: 1,
                stderr: "host-keys: no such client: nobody\n",
            });
        });
    }));
