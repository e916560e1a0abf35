import { withHosts } from "../support/client-host";
import { client, fleet, REGISTRY_NAME } from "../support/fleet";
import { must } from "../support/run";
import { type TestStack, withStack } from "../support/stack";
import { pushBlob } from "../support/stream";

/** What is written on hosts and into volumes: whose it is and who may do what with it. */

interface Entry {
    readonly owner: string;
    readonly mode: number;
    /** As `ls` and `find` say it: f, d, l, s. */
    readonly type: string;
    readonly path: string;
}

/** Reads lines of owner, mode, type and path. */
function entries(lines: string): Entry[] {
    return lines
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
            const [owner = "", mode = "", type = "", ...rest] = line.split(" ");
            return { owner, mode: Number.parseInt(mode, 8), type, path: rest.join(" ") };
        });
}

const isOpenToOthers = ({ mode, type }: Entry) => type !== "l" && (mode & 0o022) !== 0;
const paths = (found: readonly Entry[]) => found.map(({ path }) => path);

test("what up writes on a client host is root's and read-only, and its records are nobody else's", () =>
    withHosts(["light"], async ([host], network) => {
        const targets = ["docker", "containerd", "podman", "buildkit", "k3s", "system"];
        const login = client(host, { user: "limited", targets });
        // What it may do as root is to run the script, and nothing else.
        expect(await host.run("sudo -n id", { user: "limited" })).not.toMatchObject({ code: 0 });
        await host.must("touch /tmp/mark; sleep 0.1");
        await withStack(fleet(network, { host: login }), async (stack) => {
            await stack.up();
            const found = entries(
                await host.must(
                    "find /etc /usr /var/lib /opt /root /home -newercm /tmp/mark -printf '%U:%G %m %y %p\\n'",
                ),
            );
            expect(found.length).toBeGreaterThan(15);
            expect(found.filter(({ owner }) => owner !== "0:0")).toEqual([]);
            expect(paths(found.filter(isOpenToOthers))).toEqual([]);

            const registry = `${REGISTRY_NAME}:${stack.port}`;
            const ours = found.filter(({ path }) => path.includes(registry) && !isRecord(path));
            expect(paths(ours)).toContain(`/etc/docker/certs.d/${registry}/ca.crt`);
            expect(paths(ours)).toContain(`/etc/containerd/certs.d/${registry}/hosts.toml`);
            for (const { path, mode, type } of ours) {
                expect([path, mode.toString(8)]).toEqual([path, type === "d" ? "755" : "444"]);
            }
            expect(found.find(({ path }) => path === "/etc/hosts")?.mode).toBe(0o644);
            const records = found.filter(({ path }) => isRecord(path));
            expect(records.length).toBeGreaterThan(5);
            for (const { path, mode } of records) {
                expect([path, mode & 0o077]).toEqual([path, 0]);
            }
        });
    }));

const isRecord = (path: string) => path.startsWith("/var/lib/private-registry");

/** All that is below some folders of a container, without the kernel's own. */
async function within(name: string, ...folders: string[]): Promise<Entry[]> {
    const format = ["stat", "-c", "%u:%g %a %F %n"];
    const lines = await must("docker", [
        ...["exec", name, "find", ...folders, "-exec", ...format, "{}", "+"],
    ]);
    return entries(
        lines
            .replaceAll("regular empty file", "f")
            .replaceAll("regular file", "f")
            .replaceAll("directory", "d")
            .replaceAll("symbolic link", "l")
            .replaceAll("socket", "s"),
    );
}

test.each([
    ["the registry alone", {}],
    ["the gateway", { gateway: true }],
])("what the containers of %s share is root's, and secrets are for root to read", (_, config) =>
    withStack(config, async (stack: TestStack) => {
        await stack.up();
        await pushBlob(await stack.outputs(), "dev");
        const { containerName } = stack;
        const settings = await within(containerName, "/etc/private-registry");
        const data = await within(containerName, "/var/lib/registry");
        const all = [...settings, ...data];
        const secrets = [...settings];
        if ("gateway" in config) {
            secrets.push(...(await within(`${containerName}-gateway`, "/settings")));
            all.push(...(await within(`${containerName}-gateway`, "/run/access", "/run/registry")));
            all.push(...(await within(`${containerName}-access`, "/run/control")));
            expect(all.filter(({ type }) => type === "s")).toHaveLength(3);
            expect(paths(secrets)).toContain("/settings/tls.pem");
        } else {
            expect(paths(secrets)).toContain("/etc/private-registry/tls.key");
        }
        all.push(...secrets);
        expect(data.length).toBeGreaterThan(5);
        expect(all.filter(({ owner }) => owner !== "0:0")).toEqual([]);
        expect(paths(all.filter(isOpenToOthers))).toEqual([]);
        const files = secrets.filter(({ type }) => type === "f");
        expect(files.length).toBeGreaterThan(2);
        expect(paths(files.filter(({ mode }) => mode !== 0o400))).toEqual([]);
    }),
);
