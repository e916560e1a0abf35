import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { freePort } from "../support/free-port";
import { makeAuthority, type Pair } from "../support/test-authority";

const PROGRAM = readFileSync(join(__dirname, "../../components/prove-registry.js"), "utf8");
const { authority, servers } = makeAuthority(
    "DNS:registry.test,IP:127.0.0.1",
    "DNS:other.test",
    { names: "DNS:registry.test", begins: 1, ends: 2 },
    { names: "DNS:registry.test", begins: -2, ends: -1 },
);
const [right, wrongName, early, ended] = servers as [Pair, Pair, Pair, Pair];
const stranger = makeAuthority("DNS:registry.test");

const open: Server[] = [];
afterEach(() => open.splice(0).forEach((server) => server.close()));

/** Answers as a registry with the account dev/secret does. */
const registry: RequestListener = (request, response) => {
    const known =
        request.headers.authorization === `Basic ${Buffer.from("dev:secret").toString("base64")}`;
    response
        .writeHead(known ? 200 : 401, { "docker-distribution-api-version": "registry/2.0" })
        .end("{}");
};

async function listen(server: Server): Promise<number> {
    open.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
}

const overTls = (listener: RequestListener, pair = right) =>
    listen(createTlsServer({ key: pair.key, cert: pair.certificate }, listener));

async function prove(port: number, changes: Record<string, unknown> = {}) {
    const input = {
        hostname: "registry.test",
        address: "127.0.0.1",
        port,
        containerName: "hub",
        caBundle: authority.certificate,
        certificate: right.certificate,
        passwords: { dev: "secret" },
        containerId: "0",
        loaderExitCode: 0,
        patienceMs: 200,
        ...changes,
    };
    const node = spawn(process.execPath, ["-"]);
    node.stdin.end(`${PROGRAM}\nprove(${JSON.stringify(input)});\n`);
    const [stdout, stderr, [code]] = await Promise.all([
        text(node.stdout),
        text(node.stderr),
        once(node, "close"),
    ]);
    return { code: code as number, stdout, stderr };
}

test("a registry that serves the right certificate, refuses strangers and knows its accounts is proved", async () => {
    expect(await prove(await overTls(registry))).toEqual({
        code: 0,
        stdout: "proved: TLS for registry.test, 401 without account, accounts accepted: dev\n",
        stderr: "",
    });
});

test("a mirror for anybody is proved without accounts, and none that refuses", async () => {
    const anybody: RequestListener = (_, response) =>
        response.writeHead(200, { "docker-distribution-api-version": "registry/2.0" }).end("{}");
    const input = { anonymous: true, passwords: {} };
    expect(await prove(await overTls(anybody), input)).toMatchObject({
        code: 0,
        stdout: "proved: TLS for registry.test, 200 without account\n",
    });
    expect((await prove(await overTls(registry), input)).stderr).toContain(
        "must be accepted with 200, the registry answered 401",
    );
    expect((await prove(await overTls(anybody))).stderr).toContain("must be refused with 401");
});

test("an address as host name is proved too", async () => {
    expect(await prove(await overTls(registry), { hostname: "127.0.0.1" })).toMatchObject({
        code: 0,
        stderr: "",
    });
});

test("a registry that answers a moment later is waited for", async () => {
    const port = await freePort();
    const late = setTimeout(() => {
        open.push(
            createTlsServer({ key: right.key, cert: right.certificate }, registry).listen(
                port,
                "127.0.0.1",
            ),
        );
    }, 500);
    const result = await prove(port, { patienceMs: 20_000 });
    clearTimeout(late);
    expect(result).toMatchObject({ code: 0, stderr: "" });
});

test("a question that got no answer in its time is asked once more, however long that took", async () => {
    let asked = 0;
    const port = await overTls((request, response) => {
        if (++asked > 1) registry(request, response);
    });
    expect(await prove(port, { patienceMs: 0 })).toMatchObject({ code: 0, stderr: "" });
});

test("a registry that is replaced between two requests is asked again, for accounts and storage", async () => {
    const dropped = new Set<string>();
    const port = await overTls((request, response) => {
        const { url = "", headers } = request;
        const question = `${url} ${headers.authorization ?? ""}`;
        if (!dropped.has(question)) {
            dropped.add(question);
            request.socket.destroy();
        } else if (url === "/v2/") registry(request, response);
        else answer(404)(request, response);
    });
    expect(await prove(port, { storage: "bucket", patienceMs: 20_000 })).toEqual({
        code: 0,
        stdout: expect.stringContaining("accounts accepted: dev, storage answers\n") as string,
        stderr: "",
    });
    expect(dropped.size).toBe(3);
});

const nowhere = () => Promise.resolve(1);

const answer =
    (
        status: number,
        headers = { "docker-distribution-api-version": "registry/2.0" },
    ): RequestListener =>
    (_, response) =>
        response.writeHead(status, headers).end();

test.each([
    ["nothing listens", nowhere, {}, "nothing answers at 127.0.0.1:1; see: docker logs hub"],
    [
        "what listens cuts every connection off",
        () => listen(createTcpServer((socket) => socket.destroy())),
        {},
        "cuts the connection off; see: docker logs hub",
    ],
    [
        "every answer is cut off after its head",
        () =>
            overTls((_, response) => {
                response.writeHead(401, { "content-length": 10 }).flushHeaders();
                setTimeout(() => response.destroy(), 20);
            }),
        {},
        "cuts the connection off; see: docker logs hub",
    ],
    ["no TLS", () => listen(createServer(registry)), {}, "does not speak TLS"],
    [
        "a stranger's certificate",
        () => overTls(registry, stranger.servers[0]),
        {},
        "its certificate is not from this stack's authority",
    ],
    [
        "a certificate for another name",
        () => overTls(registry, wrongName),
        {},
        "is not for registry.test",
    ],
    [
        "a certificate that is not valid yet",
        () => overTls(registry, early),
        {},
        "the clock of this machine is behind: by it (20",
    ],
    [
        "a certificate that has ended",
        () => overTls(registry, ended),
        {},
        "has ended by the clock of this machine (20",
    ],
    [
        "an older certificate",
        () => overTls(registry),
        { certificate: wrongName.certificate },
        "still serves an older certificate; restart it: docker restart hub",
    ],
    ["no registry", () => overTls(answer(401, {} as never)), {}, "is not a registry"],
    [
        "no account needed",
        () => overTls(answer(200)),
        {},
        "must be refused with 401, the registry answered 200",
    ],
    [
        "an account refused",
        () => overTls(registry),
        { passwords: { dev: "secret", web: "other" } },
        "the account web must be accepted with 200, the registry answered 401",
    ],
    [
        "settings not loaded",
        nowhere,
        { loaderExitCode: 2 },
        "the settings could not be loaded (exit code 2)",
    ],
    [
        "a name that does not resolve",
        nowhere,
        { address: "does-not-exist.invalid" },
        "does not resolve",
    ],
] as const)("%s is told apart", async (_, start, changes, message) => {
    const result = await prove(await start(), changes);
    expect(result.stderr).toContain(message);
    expect(result.stderr).toMatch(/^https:\/\/registry\.test:\d+\/v2\/ is not proved: .*\n$/);
    expect(result.stderr + result.stdout).not.toContain("secret");
    expect(result.code).toBe(1);
});
