import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Mirror } from "../../lib/mirror-config";
import { ofConfiguration } from "../../lib/advice";
import { lookAtUpstream } from "../../lib/upstream-check";
import { makeAuthority, type Pair } from "../support/test-authority";

const { authority, servers } = makeAuthority("IP:127.0.0.1");
const [pair] = servers as [Pair];

const open: Server[] = [];
afterEach(() => {
    for (const server of open.splice(0)) server.close();
});

async function listen(listener: RequestListener, isTls = true): Promise<string> {
    const server = isTls
        ? createTlsServer({ key: pair.key, cert: pair.certificate }, listener)
        : createServer(listener);
    open.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return `${isTls ? "https" : "http"}://127.0.0.1:${port}`;
}

function look(url: string, credentials?: { username: string; password: string }, trust = true) {
    const upstream: Mirror["upstream"] = {
        url,
        ttl: "1h",
        credentials,
        caCertificate: trust ? authority.certificate : undefined,
    };
    return lookAtUpstream(
        "mirrors.hub",
        { registry: "a", upstream, port: 1, anonymous: true },
        ofConfiguration("pulumi"),
    );
}

const RIGHT = { username: "robot", password: "right" };
const WRONG = { username: "robot", password: "wrong" };
const isRight = (authorization?: string) =>
    authorization === `Basic ${Buffer.from("robot:right").toString("base64")}`;

/** Takes a login by HTTP Basic. */
const basic: RequestListener = ({ headers: { authorization } }, response) => {
    response
        .writeHead(isRight(authorization) ? 200 : 401, { "www-authenticate": 'Basic realm="x"' })
        .end("{}");
};

/** Sends clients to itself for a token, which nobody may have too where `isPublic`. */
const tokens =
    (isPublic: boolean): RequestListener =>
    ({ url = "", headers: { host = "", authorization } }, response) => {
        if (url === "/v2/") {
            const challenge = `Bearer realm="https://${host}/token",service="registry.example.com"`;
            response.writeHead(401, { "www-authenticate": challenge }).end();
            return;
        }
        expect(url).toBe("/token?service=registry.example.com");
        const isGiven = authorization === undefined ? isPublic : isRight(authorization);
        response.writeHead(isGiven ? 200 : 401).end('{"token":"x"}');
    };

test("an upstream without accounts, and logins that are taken", async () => {
    const anybody = await listen((_, response) => response.end("{}"), false);
    expect(await look(anybody)).toEqual({});
    expect(await look(await listen(basic), RIGHT)).toEqual({});
    expect(await look(await listen(tokens(true)))).toEqual({});
    expect(await look(await listen(tokens(false)), RIGHT)).toEqual({});
});

const nowhere: RequestListener = (_, response) => response.writeHead(404).end();
const inClear: RequestListener = (_, response) =>
    response.writeHead(401, { "www-authenticate": 'Bearer realm="http://elsewhere.test/"' }).end();

test.each([
    [basic, undefined, "wants a login, and the mirror has none"],
    [basic, WRONG, "does not take the login of robot"],
    [tokens(false), undefined, "wants a login, and the mirror has none"],
    [tokens(true), WRONG, "does not take the login of robot"],
    [nowhere, undefined, "not a registry"],
    [inClear, RIGHT, "not a registry"],
] as const)(
    "what an upstream refuses is a problem: case %#",
    async (listener, credentials, said) => {
        const { problem } = await look(await listen(listener), credentials);
        expect(problem).toContain(said);
        expect(problem).toContain("mirrors.hub");
        expect(problem).not.toContain("wrong");
    },
);

test("a certificate that is not trusted is a problem; an upstream that is down is only not seen", async () => {
    expect((await look(await listen(basic), RIGHT, false)).problem).toContain("cannot be used");
    const url = await listen((_, response) => response.writeHead(503).end());
    expect((await look(url)).unseen).toContain("answers 503");
    expect((await look("https://127.0.0.1:1")).unseen).toContain("cannot be reached");
});
