import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createPlainServer, type RequestListener } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { join } from "node:path";
import { trustScript } from "../../lib/trust-script";
import { type ClientHost, ClientNetwork } from "../support/client-host";
import { makeAuthority, type Pair } from "../support/test-authority";

/** What a client host says of whatever answers in the registry's place, with each of the tools that it may have. */

const NAME = "registry.example.test";
const FOLDER = join(__dirname, "../../components/trust-host");
const TOOLS = ["curl", "wget", "openssl"] as const;

let network: ClientNetwork;
let light: ClientHost;
let docker: ClientHost;
const servers: Server[] = [];

/** An authority that the clients trust, and certificates from it. */
let bundle: string;
const ports: Record<string, number> = {};

beforeAll(async () => {
    network = await ClientNetwork.create();
    [light, docker] = await Promise.all([network.addHost("light"), network.addHost("docker")]);
    const names = `DNS:${NAME},IP:${network.gateway}`;
    const ours = makeAuthority(
        names,
        "DNS:other.example.test",
        // What a host sees whose clock is a day behind, or ahead.
        { names, begins: 1, ends: 2 },
        { names, begins: -2, ends: -1 },
    );
    const theirs = makeAuthority(names);
    bundle = ours.authority.certificate;
    const [right, wrongName, early, ended] = ours.servers as [Pair, Pair, Pair, Pair];
    const [stranger] = theirs.servers as [Pair];
    ports.registry = await serve(right, 401, "registry/2.0");
    ports.stranger = await serve(stranger, 401, "registry/2.0");
    ports.wrongName = await serve(wrongName, 401, "registry/2.0");
    ports.early = await serve(early, 401, "registry/2.0");
    ports.ended = await serve(ended, 401, "registry/2.0");
    ports.website = await serve(right, 404);
    ports.login = await serve(right, 401);
    ports.open = await serve(right, 200, "registry/2.0");
    ports.strangerOpen = await serve(stranger, 200, "registry/2.0");
    ports.plain = await serve(undefined, 401, "registry/2.0");
    ports.cut = await listen(
        createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
    );
    ports.closed = 9;
});
afterAll(async () => {
    servers.forEach((server) => server.close());
    await network.dispose();
});

async function serve(pair: Pair | undefined, status: number, api?: string): Promise<number> {
    const headers = {
        ...(api === undefined ? {} : { "Docker-Distribution-Api-Version": api }),
        ...(status === 401 ? { "WWW-Authenticate": 'Basic realm="test"' } : {}),
        Connection: "close",
    };
    const body = status === 401 ? '{"errors":[{"code":"UNAUTHORIZED"}]}' : "";
    const answer: RequestListener = ({ url }, response) =>
        // Of a registry that is open nobody asks but for images that it does not have.
        status === 200 && url !== "/v2/"
            ? response.writeHead(404, headers).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
            : response.writeHead(status, headers).end(body);
    const server =
        pair === undefined
            ? createPlainServer(answer)
            : createServer({ key: pair.key, cert: pair.certificate }, answer);
    return listen(server);
}

async function listen(server: Server): Promise<number> {
    servers.push(server);
    await once(server.listen(0, network.gateway), "listening");
    return (server.address() as AddressInfo).port;
}

async function apply(
    host: ClientHost,
    port: number | undefined,
    options: {
        readonly hostname?: string;
        readonly required?: boolean;
        /** Mirrors: what answers there, and whether it has to do so without a login. */
        readonly mirrors?: readonly (readonly [string, boolean])[];
        readonly mode?: "apply" | "check";
    } = {},
) {
    const { hostname = NAME, required = true, mirrors = [], mode = "apply" } = options;
    const address = hostname === NAME ? network.gateway : undefined;
    const input = trustScript(
        {
            stack: "private-registry-test",
            hostname,
            port: port ?? 0,
            registry: `${hostname}:${port ?? 0}`,
            address,
            targets: ["docker"],
            proofRequired: required,
            bundle,
            mirrors: mirrors.map(([what, anonymous], index) => ({
                registry: `registry${index}.test`,
                address: `${hostname}:${ports[what] ?? 0}`,
                anonymous,
                upstream: "https://upstream.test",
            })),
        },
        (name) => readFileSync(join(FOLDER, `${name}.sh`), "utf8"),
    );
    if (mode === "check") await host.run("sh -s apply", { input });
    const result = await host.run(`sh -s ${mode}`, { input });
    await host.run("sh -s remove", { input });
    return result;
}

/** Leaves a host only these tools to ask with. */
async function withTools<T>(
    host: ClientHost,
    tools: readonly string[],
    test: () => Promise<T>,
): Promise<T> {
    const hidden = TOOLS.filter((tool) => !tools.includes(tool)).map((tool) => `/usr/bin/${tool}`);
    await host.must(hidden.map((path) => `mv ${path} ${path}.off`).join("; "));
    try {
        return await test();
    } finally {
        await host.must(hidden.map((path) => `mv ${path}.off ${path}`).join("; "));
    }
}

const CAUSES: [string, RegExp][] = [
    [
        "closed",
        /nothing answers at registry\.example\.test port 9 \((?:[Cc]onnection refused|no connection)\); see bindAddress, port and the firewalls/,
    ],
    // wget does not say why there is none.
    [
        "cut",
        /nothing answers at registry\.example\.test port \d+ \((?:[Cc]onnection reset|no connection)\); see bindAddress|does not speak TLS as a registry does: Unable to establish SSL connection\./,
    ],
    [
        "stranger",
        /the certificate that is served is not signed by an authority of this stack; something else answers/,
    ],
    ["wrongName", /the certificate that is served is not for the name registry\.example\.test;/],
    [
        "early",
        /the clock of this host is behind: by it \(20.* UTC\) the certificate is not valid yet; set the clock/,
    ],
    ["ended", /the certificate has ended by the clock of this host \(20.* UTC\); set the clock if/],
    ["website", /what answers is not this registry \(HTTP 404\)/],
    ["login", /what answers is not this registry \(HTTP 401\)/],
    ["plain", /what answers does not speak TLS as a registry does: /],
];

const nothingAnswers = (how: string) =>
    new RegExp(`nothing answers at ${NAME} port \\d+ \\((?:${how})\\); see bindAddress`, "i");

describe.each(TOOLS)("with %s", (tool) => {
    it("is proved by a registry that wants a login", () =>
        withTools(light, [tool], async () => {
            const { code, stdout, stderr } = await apply(light, ports.registry);
            expect(stderr).toBe("");
            expect(stdout).toContain(
                `proof: 401 from https://${NAME}:${ports.registry ?? 0}/v2/ by ${tool}\n`,
            );
            expect(code).toBe(0);
            const byAddress = await apply(light, ports.registry, { hostname: network.gateway });
            expect(byAddress.stdout).toContain(`by ${tool}\n`);
        }));

    it.each(CAUSES)("tells %s apart", (what, cause) =>
        withTools(light, [tool], async () => {
            const { code, stderr } = await apply(light, ports[what]);
            expect(stderr).toMatch(cause);
            expect(stderr).toMatch(
                new RegExp(
                    `^no proof from https://${NAME}:\\d+/v2/ by ${tool}: .*, then run up again\\n$`,
                ),
            );
            expect(code).toBe(1);
        }),
    );

    it("proves mirrors, those that answer everybody and those that want a login", () =>
        withTools(light, [tool], async () => {
            const mirrors = [["open", true] as const, ["registry", false] as const];
            const { code, stdout, stderr } = await apply(light, ports.registry, { mirrors });
            expect(stderr).toBe("");
            for (const [what, answer, of] of [
                ["open", 200, "registry0.test"],
                ["registry", 401, "registry1.test"],
            ] as const) {
                expect(stdout).toContain(
                    `proof: mirror of ${of}: ${answer} from https://${NAME}:${ports[what] ?? 0}/v2/ by ${tool}\n`,
                );
            }
            expect(code).toBe(0);
            // Which answer proves it is said for each.
            expect((await apply(light, ports.open)).stderr).toMatch(/\(HTTP 200\)/);
        }));

    it.each<[string, boolean, RegExp]>([
        ["registry", true, /what answers is not this registry \(HTTP 401\)/],
        ["open", false, /what answers is not this registry \(HTTP 200\)/],
        ["website", true, /what answers is not this registry \(HTTP 404\)/],
        ["closed", true, /nothing answers at registry\.example\.test port 9 /],
        ["stranger", false, /not signed by an authority of this stack/],
        ["strangerOpen", true, /not signed by an authority of this stack/],
        ["ended", true, /the certificate has ended/],
    ])("tells %s apart where a mirror should be (anonymous: %s)", (what, anonymous, cause) =>
        withTools(light, [tool], async () => {
            const mirrors = [["open", true] as const, [what, anonymous] as const];
            const { code, stderr } = await apply(light, ports.registry, { mirrors });
            expect(stderr).toMatch(cause);
            expect(stderr).toMatch(
                new RegExp(
                    `^no proof from https://${NAME}:${ports[what] ?? 0}/v2/ by ${tool}: .*, then run up again\\n$`,
                ),
            );
            expect(code).toBe(1);
        }),
    );

    it("tells a name that does not resolve", () =>
        withTools(light, [tool], async () => {
            const { stderr } = await apply(light, ports.registry, { hostname: "registry.invalid" });
            expect(stderr).toMatch(
                /the name registry\.invalid does not resolve on this host; set address/,
            );
        }));

    it("tells an address that no way leads to", () =>
        withTools(light, [tool], async () => {
            await light.must(`ip route add unreachable ${network.gateway}`);
            try {
                const { code, stderr } = await apply(light, ports.registry);
                expect(stderr).toMatch(nothingAnswers("no route to host|no connection"));
                expect(code).toBe(1);
            } finally {
                await light.must(`ip route del unreachable ${network.gateway}`);
            }
        }));
});

it("tells an address where nothing answers, with each of the tools", () =>
    Promise.all(
        TOOLS.map(async (tool) => {
            const host = await network.addHost("light");
            // What is sent there reaches nobody, and nobody says so.
            await host.must(
                `ip neigh replace ${network.gateway} lladdr 02:00:00:00:00:01 dev eth0 nud permanent`,
            );
            await withTools(host, [tool], async () => {
                const { code, stderr } = await apply(host, ports.registry);
                const cause = nothingAnswers("timed out|timeout");
                expect([tool, code, stderr]).toEqual([tool, 1, expect.stringMatching(cause)]);
            });
        }),
    ));

describe("with nothing but Docker", () => {
    it("is proved by a registry that wants a login", () =>
        withTools(docker, [], async () => {
            const { stdout, stderr } = await apply(docker, ports.registry, {
                hostname: network.gateway,
            });
            expect(stderr).toBe("");
            expect(stdout).toMatch(/proof: 401 from .* by docker\n/);
        }));

    it("is proved by mirrors, or not", () =>
        withTools(docker, [], async () => {
            const hostname = network.gateway;
            const mirrors = [["open", true] as const, ["registry", false] as const];
            const { stdout, stderr } = await apply(docker, ports.registry, { hostname, mirrors });
            expect(stderr).toBe("");
            expect(stdout).toMatch(/proof: mirror of registry0\.test: answered by .* by docker\n/);
            expect(stdout).toMatch(/proof: mirror of registry1\.test: 401 from .* by docker\n/);
            const wrong = { hostname, mirrors: [["registry", true] as const] };
            expect((await apply(docker, ports.registry, wrong)).stderr).toMatch(/\(HTTP 401\)/);
            const stranger = { hostname, mirrors: [["strangerOpen", true] as const] };
            expect((await apply(docker, ports.registry, stranger)).stderr).toMatch(
                /not signed by an authority of this stack/,
            );
        }));

    it.each([
        ["closed", /nothing answers/],
        ["stranger", /not signed by an authority of this stack/],
        ["wrongName", /not for the name/],
        ["early", /the clock of this host is behind/],
        ["ended", /the certificate has ended/],
        ["plain", /does not speak TLS/],
    ])("tells %s apart", (what, cause) =>
        withTools(docker, [], async () => {
            const { stderr } = await apply(docker, ports[what], { hostname: network.gateway });
            expect(stderr).toMatch(cause);
        }),
    );
});

it("says so when there is nothing to ask with, and is no failure then", () =>
    withTools(light, [], async () => {
        const { code, stdout } = await apply(light, ports.closed);
        expect(stdout).toMatch(
            /proof: not proved: this host has neither curl, wget, openssl nor a Docker daemon/,
        );
        expect(code).toBe(0);
    }));

it("may come before the registry when that is how it is wanted", async () => {
    const { code, stdout } = await apply(light, ports.closed, { required: false });
    expect(stdout).toMatch(/proof: not proved: nothing answers at/);
    expect(code).toBe(0);
    expect((await apply(light, ports.stranger, { required: false })).code).toBe(1);
});

it("a check tells which mirror it is that does not answer", async () => {
    const mirrors = [["open", true] as const, ["closed", true] as const];
    const options = { required: false, mirrors };
    expect((await apply(light, ports.registry, options)).stdout).toMatch(
        /proof: mirror of registry1\.test: not proved: nothing answers/,
    );
    const { stdout } = await apply(light, ports.registry, { ...options, mode: "check" });
    expect(stdout).toMatch(/^proof\tours\t401 from /m);
    expect(stdout).toMatch(/^proof\tours\tmirror of registry0\.test: 200 from /m);
    expect(stdout).toMatch(
        /^proof\tunproved\tmirror of registry1\.test: not proved: nothing answers/m,
    );
});
