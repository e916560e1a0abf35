import { randomBytes } from "node:crypto";
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DockerUser } from "../support/docker";
import { must } from "../support/run";
import { withStack } from "../support/stack";

/** Calls with an address of this machine that is not its loopback, where Docker trusts any certificate. */
async function withBridge(test: (address: string) => Promise<void>): Promise<void> {
    const name = `private-registry-bridge-${randomBytes(4).toString("hex")}`;
    await must("docker", ["network", "create", name]);
    try {
        const format = "{{(index .IPAM.Config 0).Gateway}}";
        await test((await must("docker", ["network", "inspect", "--format", format, name])).trim());
    } finally {
        await must("docker", ["network", "rm", name]);
    }
}

/** Adds a CA to those that Docker trusts for a registry; returns how to take it away again. */
function trust(registry: string, caCertificate: string): () => void {
    const folder = join("/etc/docker/certs.d", registry);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "ca.crt"), caCertificate);
    return () => {
        rmSync(folder, { recursive: true });
        try {
            rmdirSync(dirname(folder));
        } catch {
            // Others have certificates there.
        }
    };
}

/** Only root may write below /etc/docker. */
const isRoot = process.getuid?.() === 0 && process.platform === "linux";

(isRoot ? test : test.skip)(
    "Docker trusts the registry with the CA from the outputs, and not without",
    () =>
        withBridge((address) =>
            withStack({ hostname: address, bindAddress: address }, async (stack) => {
                await stack.up();
                const { caCertificate, registry, teams } = await stack.outputs();
                const user = new DockerUser();
                const login = () => user.login(registry, "dev", teams.dev?.password ?? "");
                const stranger = await login();
                expect(stranger.code).not.toBe(0);
                expect(stranger.stderr).toMatch(/x509: certificate signed by unknown authority/);

                const undo = trust(registry, caCertificate);
                try {
                    expect((await login()).stdout).toContain("Login Succeeded");
                    const image = `${registry}/trusted/app:1`;
                    await user.makeImage(image);
                    const digest = await user.push(image);
                    expect(await user.pullAnew(image)).toBe(digest);
                } finally {
                    undo();
                    await user.dispose();
                }
            }),
        ),
);
