import { spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClientNetwork } from "../support/client-host";
import { DOCTOR } from "../support/doctor";
import { fleet, REGISTRY_NAME } from "../support/fleet";
import { must, run } from "../support/run";
import { withStack } from "../support/stack";

/** Runs a command where /etc and /var/lib are those of a folder, for itself and what it starts. */
const IN_FOLDER = `mount --bind "$0/etc" /etc && mount --bind "$0/lib" /var/lib && exec "$@"`;

/** Only root may have mounts of its own. */
const isPossible =
    process.platform === "linux" && spawnSync("unshare", ["--mount", "true"]).status === 0;

(isPossible ? test : test.skip)(
    "the machine that runs Pulumi is a client, too: trust is written, looked at and taken back without SSH",
    async () => {
        const network = await ClientNetwork.create();
        const folder = mkdtempSync(join(tmpdir(), "private-registry-local-"));
        try {
            // Other tests write to /etc itself: two copies of it could differ.
            await must("cp", ["--archive", "/etc", join(folder, "etc")]);
            await must("cp", ["--archive", join(folder, "etc"), join(folder, "before")]);
            mkdirSync(join(folder, "lib"));
            const hosts = join(folder, "etc/hosts");
            const original = readFileSync(hosts, "utf8");
            const unshare = ["--mount", "sh", "-c", IN_FOLDER, folder];
            const tools = {
                pulumi: `PATH=\${PATH#*:}; exec unshare --mount sh -c '${IN_FOLDER}' '${folder}' pulumi "$@"`,
            };
            const here = { local: true, targets: ["podman"] };
            await withStack(
                fleet(network, { here }),
                async (stack) => {
                    expect((await stack.up()).printed).toContain("proof: 401 from");
                    const registry = `${REGISTRY_NAME}:${stack.port}`;
                    const ca = join(folder, `etc/containers/certs.d/${registry}/ca.crt`);
                    const { caCertificate, clients } = await stack.outputs();
                    expect(clients).toEqual({ here: "localhost" });
                    expect(readFileSync(ca, "utf8")).toBe(caCertificate);
                    expect(readFileSync(hosts, "utf8")).toContain(
                        `${network.gateway} ${REGISTRY_NAME}\n`,
                    );
                    expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
                    // None of it is on this machine itself.
                    const record = `/var/lib/private-registry/private-registry-${stack.name}`;
                    expect(existsSync(join(folder, record.replace("/var", "")))).toBe(true);
                    expect(existsSync(record)).toBe(false);
                    expect(existsSync(ca.slice(folder.length))).toBe(false);
                    expect(readFileSync("/etc/hosts", "utf8")).not.toContain(stack.name);

                    const options = { cwd: stack.folder, env: stack.environment };
                    const doctor = (mode = "") =>
                        run("unshare", [...unshare, "node", DOCTOR, "", mode], options);
                    expect((await doctor()).stdout).toMatch(
                        /^here +this machine +\S+ +ours +proved +(?:199|200)$/m,
                    );
                    writeFileSync(hosts, original);
                    expect((await doctor()).stdout).toContain("hosts missing");
                    expect((await doctor("repair")).code).toBe(0);
                    expect(readFileSync(hosts, "utf8")).toContain(REGISTRY_NAME);

                    await stack.destroy();
                    expect(readFileSync(hosts, "utf8")).toBe(original);
                    expect(readdirSync(join(folder, "lib"))).toEqual([]);
                    await must("diff", [
                        ...["--recursive", "--no-dereference"],
                        ...[join(folder, "before"), join(folder, "etc")],
                    ]);
                },
                { tools },
            );
        } finally {
            rmSync(folder, { recursive: true });
            await network.dispose();
        }
    },
);
