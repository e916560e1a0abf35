import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { read } from "../support/settings";
import { preflight } from "../../preflight";

const folder = mkdtempSync(join(tmpdir(), "private-registry-docker-"));
const socket = join(folder, "docker.sock");
let containers: unknown[] = [];
let afterLooks: (() => void) | undefined;
const daemon = createHttpServer((request, response) => {
    expect(request.url).toBe("/containers/json?all=true");
    response.end(JSON.stringify(containers));
    afterLooks?.();
});
const others: Server[] = [];

beforeAll(() => once(daemon.listen(socket), "listening"));
afterEach(() => {
    afterLooks = undefined;
    others.splice(0).forEach((server) => server.close());
});
afterAll(() => {
    daemon.close();
    rmSync(folder, { recursive: true });
});

function check(
    config: Record<string, string> = {},
    dockerHost = `unix://${socket}`,
): Promise<void> {
    return preflight(read({ port: "1", ...config }, { dockerHost }));
}

const container = (name: string, owner?: string, ports: unknown[] = [], state = "running") => ({
    Names: [`/${name}`],
    Labels: owner === undefined ? {} : { "private-registry.stack": owner },
    Ports: ports,
    State: state,
});
const published = (port: number, ip = "0.0.0.0", type = "tcp") => ({
    IP: ip,
    PublicPort: port,
    Type: type,
});

test.each([
    ["an empty host", []],
    [
        "this stack's own container",
        [container("private-registry-test", "private-registry/test", [published(1)])],
    ],
    [
        "other containers on other ports",
        [
            container("web", undefined, [
                published(2),
                published(1, "0.0.0.0", "udp"),
                { Type: "tcp" },
            ]),
        ],
    ],
    ["a container on another address", [container("web", undefined, [published(1, "192.0.2.1")])]],
])("nothing is wrong with %s", async (_, list) => {
    containers = list;
    await expect(check({ bindAddress: "127.0.0.1" })).resolves.toBeUndefined();
});

test.each([
    [
        "someone's container has the name",
        [container("private-registry-test")],
        "is taken by a container that is not from this program. Remove it (docker rm private-registry-test)",
    ],
    [
        "another stack's container has the name",
        [container("private-registry-test", "hub/prod")],
        "belongs to the stack hub/prod",
    ],
    [
        "someone's container has the port",
        [container("web", undefined, [published(1)])],
        "port 1 (port, at 127.0.0.1:1) is taken by the container web",
    ],
    [
        "the gateway is no longer wanted and has the port",
        [container("private-registry-test-gateway", "private-registry/test", [published(1)])],
        "docker rm --force private-registry-test-gateway",
    ],
    [
        "another stack has the metrics port",
        [container("hub", "hub/prod", [published(2, "127.0.0.1")])],
        "port 2 (metricsPort, at 127.0.0.1:2) is taken by the container hub",
    ],
])("%s", async (_, list, message) => {
    containers = list;
    const error = check({ bindAddress: "127.0.0.1", metricsPort: "2" });
    await expect(error).rejects.toThrow(message);
    await expect(error).rejects.toThrow("Nothing was changed.");
});

test("the name of a Redis of the registry's own is looked at, which nobody asks before it is there", async () => {
    containers = [container("private-registry-test-redis")];
    await expect(check({ redis: "true" })).rejects.toThrow(
        'the container name "private-registry-test-redis" is taken',
    );
    await check();
    containers = [container("private-registry-test-redis", "private-registry/test")];
    await check({ redis: "true" });
});

test("a program outside of Docker has the port", async () => {
    const server = createServer();
    others.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    containers = [];
    await expect(check({ bindAddress: "127.0.0.1", port: String(port) })).rejects.toThrow(
        `port ${port} (port, at 127.0.0.1:${port}) is taken by another program of this machine. Free it, or take another one: pulumi config set port <port>`,
    );
});

describe("a port that Docker listens on and does not list yet", () => {
    // So it is while a container starts, and with one that ends as soon as it is started.
    const listedAfter = async (looks: number, owner?: string) => {
        const server = createServer();
        others.push(server);
        await once(server.listen(0, "127.0.0.1"), "listening");
        const { port } = server.address() as AddressInfo;
        const name = owner === undefined ? "web" : "private-registry-test";
        containers = [container(name, owner)];
        afterLooks = () => {
            if (--looks === 0) containers = [container(name, owner, [published(port)])];
        };
        return { bindAddress: "127.0.0.1", port: String(port) };
    };

    test("is this stack's own", async () => {
        await check(await listedAfter(3, "private-registry/test"));
    });

    test("is its own for as long as Docker starts it again and again", async () => {
        const config = await listedAfter(Infinity);
        containers = [
            container("private-registry-test", "private-registry/test", [], "restarting"),
        ];
        let looks = 0;
        afterLooks = () => looks++;
        await check(config);
        expect(looks).toBe(1);
    });

    test("is not its own when it is another one of its containers that Docker starts again", async () => {
        const config = await listedAfter(Infinity);
        const mirror = "private-registry-test-mirror-hub";
        containers = [container(mirror, "private-registry/test", [], "restarting")];
        await expect(check(config)).rejects.toThrow("is taken by another program");
    });

    test("is another container's, by its name", async () => {
        const config = await listedAfter(3);
        await expect(check(config)).rejects.toThrow("is taken by the container web");
    });
});

test("all problems are named at once", async () => {
    containers = [container("private-registry-test"), container("web", undefined, [published(1)])];
    await expect(check()).rejects.toThrow(/container name .*\nport 1 /);
});

test("a daemon that does not answer is named, with what to do", async () => {
    await expect(check({}, `unix://${folder}/none.sock`)).rejects.toThrow(
        /^no Docker daemon answers at unix:.*none\.sock \(.*ENOENT.*\)\. Start Docker there, or name another one: pulumi config set dockerHost/,
    );
});

describe("a Docker host over ssh", () => {
    const bin = join(folder, "bin");
    const path = process.env.PATH ?? "";

    /** Puts a stand-in for ssh first on PATH; it notes its arguments, then does what the program says. */
    function installSsh(program: string): void {
        mkdirSync(bin, { recursive: true });
        const script = `#!/bin/sh\nprintf '%s ' "$@" >'${folder}/arguments'\n${program}\n`;
        writeFileSync(join(bin, "ssh"), script, { mode: 0o755 });
        process.env.PATH = `${bin}:${path}`;
    }
    afterEach(() => {
        process.env.PATH = path;
    });

    test("is asked through its own docker command", async () => {
        const carry = `const s = require("net").connect("${socket}"); process.stdin.pipe(s); s.pipe(process.stdout);`;
        installSsh(`exec '${process.execPath}' -e '${carry}'`);
        containers = [container("web", undefined, [published(1)])];
        await expect(check({}, "ssh://ops@docker.test:2222")).rejects.toThrow(
            "is taken by the container web",
        );
        expect(readFileSync(join(folder, "arguments"), "utf8")).toBe(
            "-o BatchMode=yes -o ConnectTimeout=15 -T -p 2222 -- ops@docker.test docker system dial-stdio ",
        );
    });

    test("that cannot be reached is named, with what ssh says", async () => {
        installSsh("echo 'ops@docker.test: Permission denied (publickey).' >&2; exit 255");
        await expect(check({}, "ssh://ops@docker.test")).rejects.toThrow(
            /^no Docker daemon answers at ssh:\/\/ops@docker\.test \(ops@docker\.test: Permission denied \(publickey\)\.\)/,
        );
    });
});
