import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { withHosts } from "../support/client-host";
import { dockerOn, prepare, withOpenSsh } from "../support/docker-machine";
import { goTool } from "../support/go-tool";
import { REGISTRY_IMAGE } from "../support/images";
import { InstalledLibrary } from "../support/library";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { freePort, type TestStack, withStack } from "../support/stack";

/** The project as a package in programs of others: packed, installed with npm, and deployed by the examples. */

const PROJECT = join(__dirname, "../..");
const { dependencies = {}, devDependencies } = JSON.parse(
    readFileSync(join(PROJECT, "examples/fleet/package.json"), "utf8"),
) as Record<string, Record<string, string>>;

let library: InstalledLibrary;

beforeAll(async () => {
    library = await InstalledLibrary.create({ ...dependencies, ...devDependencies });
});
afterAll(() => {
    library.dispose();
});

test("the package has the library, compiled, with its types and what it reads when it runs, and nothing else", () => {
    const { files } = library;
    const outside = files.filter((file) => !/^dist\/(components|lib)\//.test(file));
    expect(outside).toEqual([
        "LICENSE",
        "README.md",
        "dist/library.d.ts",
        "dist/library.js",
        "dist/plugin/main.d.ts",
        "dist/plugin/main.js",
        "dist/preflight.d.ts",
        "dist/preflight.js",
        "package.json",
        "plugin/pulumi-resource-private-registry",
    ]);
    const inside = files
        .filter((file) => !outside.includes(file))
        .map((file) => file.slice("dist/".length));
    const sources = ["components", "components/trust-host", "lib"].flatMap((folder) =>
        readdirSync(join(PROJECT, folder)).map((file) => `${folder}/${file}`),
    );
    const assets = inside.filter((file) => sources.includes(file));
    expect(assets.sort()).toEqual(sources.filter((file) => /\.(sh|js|d\.ts)$/.test(file)).sort());
    // Every other one is a module: both halves of it.
    const modules = inside.filter((file) => !assets.includes(file));
    expect(modules.filter((file) => !/\.(js|d\.ts)$/.test(file))).toEqual([]);
    for (const file of modules) {
        expect(sources).toContain(file.replace(/(\.d\.ts|\.js)$/, ".ts"));
        expect(modules).toContain(
            file.endsWith(".d.ts")
                ? file.replace(/\.d\.ts$/, ".js")
                : file.replace(/\.js$/, ".d.ts"),
        );
    }
    // What only commands of this project use.
    expect(inside.filter((file) => /team-files|json-text/.test(file))).toEqual([]);
});

test("a program with it has one copy of Pulumi, its own, and what needs none of it is not installed", () => {
    const { manifest } = library;
    expect(manifest.dependencies).not.toHaveProperty("@pulumi/pulumi");
    expect(manifest.peerDependencies).toEqual({
        "@pulumi/pulumi": `^${dependencies["@pulumi/pulumi"] ?? ""}`,
    });
    expect(library.copies("@pulumi/pulumi")).toBe(1);
    for (const name of ["jest", "ssh2", "yaml", "pulumi"]) expect(library.copies(name)).toBe(0);
});

test("npm publishes nothing that says so", () => {
    expect(library.manifest).toMatchObject({ private: true });
});

test("the examples are right to the package's types, and these in themselves", async () => {
    const names = ["single-machine", "fleet", "remote"];
    const compiler = join(library.packages, ".bin/tsc");
    await must(compiler, ["--project", library.typeCheck(names)]);
});

/** Asks as a team for the start page of the API. */
async function greet(
    stack: TestStack,
    team: string | undefined,
    address?: string,
    hostname?: string,
) {
    const { status } = await ask(await stack.outputs(), "/v2/", { team, address, hostname });
    return status;
}

test("single-machine: the registry is there, is refused what is wrong, stays as it is, and goes", () =>
    withStack(
        {},
        async (stack) => {
            await stack.up();
            expect(await greet(stack, "dev")).toBe(200);
            expect(await greet(stack, "ci")).toBe(200);
            expect(await greet(stack, undefined)).toBe(401);
            expect(await stack.containerId()).toBeDefined();
            expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);

            stack.configure({ port: 70000 });
            const refused = await stack.pulumi(["preview"]);
            expect(refused.code).not.toBe(0);
            expect(refused.printed).toContain(
                'the arguments of PrivateRegistry "registry" have one problem',
            );
            expect(refused.printed).toMatch(/port\n +given: +70000\n.*\n +fix: +port: 5000/);

            await stack.destroy();
            expect(await stack.containers()).toEqual([]);
        },
        { project: library.example("single-machine") },
    ));

test("a port that something else has is named before anything is made", () =>
    withStack(
        {},
        async (first) => {
            await first.up();
            await withStack(
                { port: first.port },
                async (second) => {
                    const { code, printed } = await second.pulumi([
                        "up",
                        "--yes",
                        "--skip-preview",
                    ]);
                    expect(code).not.toBe(0);
                    expect(printed).toContain(
                        `port ${first.port} (port, at 127.0.0.1:${first.port}) is taken by the container ${first.containerName}. Free it, or take another one: port: "<port>"`,
                    );
                    expect(await second.containers()).toEqual([]);
                },
                { project: library.example("single-machine") },
            );
        },
        { project: library.example("single-machine") },
    ));

test("fleet: hosts behind a jump host trust the registry and its mirror, and are put back", () =>
    withHosts(["light", "docker", "podman"], async ([jump, a, b], network) => {
        const before = await Promise.all([a, b].map((host) => host.listing()));
        const place = ({ address, hostKey }: typeof a) => ({ host: address, hostKey });
        const config = {
            address: network.gateway,
            sshKey: network.key.privateKey,
            jumpHost: place(jump),
            hosts: { a: place(a), b: place(b) },
            mirrorPort: await freePort(),
        };
        await withStack(
            config,
            async (stack) => {
                const { printed } = await stack.up();
                expect(printed.match(/proof: 401 from/g)).toHaveLength(2);
                const registry = `registry.example.com:${stack.port}`;
                expect(await a.must("ls /etc/docker/certs.d")).toContain(registry);
                expect(await a.must("cat /etc/docker/daemon.json")).toContain("registry-mirrors");
                expect(await greet(stack, "dev", network.gateway, "registry.example.com")).toBe(
                    200,
                );
                expect(await stack.exported()).not.toContain("PRIVATE KEY");
                expect(await b.logins()).toBeGreaterThan(0);
                expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
                await stack.destroy();
                expect(await stack.containers()).toEqual([]);
            },
            { project: library.example("fleet") },
        );
        expect(await Promise.all([a, b].map((host) => host.listing()))).toEqual(before);
    }));

test("remote: the registry is on another machine, and teams may do what they are told", () =>
    withHosts(["docker"], async ([server], network) => {
        await prepare(server, [REGISTRY_IMAGE, "caddy:2.11.9"]);
        const config = {
            dockerHost: `ssh://root@${server.address}`,
            address: server.address,
        };
        await withOpenSsh([server], network, (options) =>
            withStack(
                config,
                async (stack) => {
                    await stack.up();
                    expect((await dockerOn(server)).containers).toContain(
                        `${stack.containerName}-gateway`,
                    );
                    expect(await stack.containers()).toEqual([]);
                    const outputs = await stack.outputs();
                    const start = async (team: string, repository: string) => {
                        const { status } = await ask(outputs, `/v2/${repository}/blobs/uploads/`, {
                            team,
                            method: "POST",
                            address: server.address,
                            hostname: "registry.example.com",
                        });
                        return status;
                    };
                    expect(await start("web", "web/app")).toBe(202);
                    expect(await start("web", "base/os")).toBe(403);
                    expect(await start("ops", "base/os")).toBe(202);
                    await stack.destroy();
                    expect(await dockerOn(server)).toEqual({
                        containers: [],
                        volumes: [stack.dataVolume],
                        networks: [],
                    });
                },
                { ...options, project: library.example("remote") },
            ),
        );
    }));

test("yaml: a program in another language has it made by the plugin, with its secrets kept", async () => {
    const host = await goTool(
        "yaml-host",
        "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
    );
    const tools = { "pulumi-language-yaml": `exec '${host}' "$@"` };
    await withHosts(["docker"], async ([build1], network) => {
        const before = await build1.listing();
        const config = {
            address: network.gateway,
            host: build1.address,
            hostKey: build1.hostKey,
        };
        await withStack(
            config,
            async (stack) => {
                await must("pulumi", ["config", "set", "--secret", "--raw", "sshKey"], {
                    cwd: stack.folder,
                    env: stack.environment,
                    input: network.key.privateKey,
                });
                const { printed } = await stack.up();
                expect(printed).toContain("proof: 401 from https://registry.example.com");
                const hostname = "registry.example.com";
                expect(await greet(stack, "ci", network.gateway, hostname)).toBe(200);
                expect(await greet(stack, undefined, network.gateway, hostname)).toBe(401);
                expect(await stack.exported()).not.toContain("OPENSSH PRIVATE KEY");
                expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);

                await stack.must("config", "set", "port", "70000");
                const refused = await stack.pulumi(["preview"]);
                expect(refused.code).not.toBe(0);
                expect(refused.printed).toContain(
                    'the arguments of PrivateRegistry "registry" have one problem',
                );
                await stack.destroy();
                expect(await stack.containers()).toEqual([]);
            },
            { project: library.example("yaml"), tools },
        );
        expect(await build1.listing()).toEqual(before);
    });
});
