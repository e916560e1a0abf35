import { inspect } from "../support/docker";
import { cpuSeconds } from "../support/processes";
import { exchange, RawConnection, statuses } from "../support/raw-connection";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { type Outputs, TestStack } from "../support/stack";

/** Requests that no client sends, over bare TLS connections, to both that listen for clients. */

const PERMISSIONS = { app: { push: ["app/*"] }, other: { push: ["other/*"] } };
const CLOSE = "Connection: close\r\n";
const HOST = "Host: localhost\r\n";
const ZEROS = "0".repeat(64);

interface Variant {
    readonly config: Record<string, unknown>;
    /** What the container is called that checks passwords, behind the stack's own name. */
    readonly checks: string;
    /** What another team's tags come to, asked for with an account that may not see them, if it is a request at all. */
    readonly judged: number;
    /** What becomes of a body that is cut off by its own form: the registry does not read the one of a POST. */
    readonly broken: number;
    /** How many bytes of headers are read. */
    readonly headerBytes: number;
    /** A path that the registry would clean up. */
    readonly unclean: readonly number[];
}

const VARIANTS: readonly (readonly [string, Variant])[] = [
    [
        "the registry itself",
        {
            config: { teams: ["app", "other"] },
            checks: "",
            judged: 404,
            broken: 202,
            headerBytes: 1024 * 1024,
            unclean: [301, 400, 404],
        },
    ],
    [
        "the gateway",
        {
            config: { teams: PERMISSIONS },
            checks: "-access",
            judged: 403,
            broken: 502,
            headerBytes: 64 * 1024,
            unclean: [400, 403, 404],
        },
    ],
];

describe.each(VARIANTS)("%s", (_, variant) => {
    const { config, checks, judged, broken, headerBytes, unclean } = variant;
    let stack: TestStack;
    let outputs: Outputs;
    let login: string;
    let stalledBody: RawConnection;

    beforeAll(async () => {
        stack = await TestStack.create(config);
        await stack.up();
        outputs = await stack.outputs();
        const basic = Buffer.from(`app:${outputs.teams.app?.password}`).toString("base64");
        login = `Authorization: Basic ${basic}\r\n`;
        // It is waited for at the end: it takes a minute.
        stalledBody = await RawConnection.open(outputs);
        const put = `PUT /v2/app/x/manifests/v1 HTTP/1.1\r\n${HOST}${login}`;
        stalledBody.send(`${put}Content-Length: 100\r\n\r\nonly this`);
    });
    afterAll(async () => {
        stalledBody.close();
        await stack.dispose();
    });

    const post = () => `POST /v2/app/x/blobs/uploads/ HTTP/1.1\r\n${HOST}${login}`;
    const get = (path: string, more = "") =>
        exchange(outputs, `GET ${path} HTTP/1.1\r\n${HOST}${login}${more}${CLOSE}\r\n`);
    const serves = async (count: number) => {
        const asked = Array.from({ length: count }, () => ask(outputs, "/v2/", { team: "app" }));
        return (await Promise.all(asked)).every(({ status }) => status === 200);
    };
    const containers = async () =>
        Promise.all(
            (await stack.containers()).map(async (id) => {
                const { RestartCount, State } = (await inspect(id)) as unknown as {
                    RestartCount: number;
                    State: { OOMKilled: boolean };
                };
                return [RestartCount, State.OOMKilled];
            }),
        );

    test("no request is hidden in another one's body", async () => {
        const hidden = `GET /v2/other/x/tags/list HTTP/1.1\r\n${HOST}${login}${CLOSE}\r\n`;
        const inChunks = `0\r\n\r\n${hidden}`;
        const chunked = "Transfer-Encoding: chunked\r\n";
        const length = (value: number | string) => `Content-Length: ${value}\r\n`;
        // What is behind the end of a body is a request of its own, which is judged as such.
        const cases: Record<string, readonly [text: string, answers: readonly number[]]> = {
            "CL.TE": [`${length(inChunks.length)}${chunked}\r\n${inChunks}`, [202, judged]],
            "TE.CL": [
                `${length(4)}${chunked}\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n${hidden}`,
                [202, judged],
            ],
            "a folded TE": [`Transfer-Encoding:\r\n chunked\r\n\r\n${inChunks}`, [202, judged]],
            "two lengths": [`${length(0)}${length(hidden.length)}\r\n${hidden}`, [400]],
            "a list of lengths": [`${length(`0, ${hidden.length}`)}\r\n${hidden}`, [400]],
            "a signed length": [`${length("+0")}\r\n${hidden}`, [400]],
            "a negative length": [`${length(-1)}\r\n${hidden}`, [400]],
            "a hexadecimal length": [`${length("0x10")}\r\n${hidden}`, [400]],
            "a blank before the colon": [`Transfer-Encoding : chunked\r\n\r\n${inChunks}`, [400]],
            "a tab of the other kind": [`Transfer-Encoding: \vchunked\r\n\r\n${inChunks}`, [400]],
            "another encoding": [`Transfer-Encoding: xchunked\r\n\r\n${inChunks}`, [501]],
            "two encodings": [`${chunked}Transfer-Encoding: identity\r\n\r\n${inChunks}`, [501]],
            "a list of encodings": [`Transfer-Encoding: gzip, chunked\r\n\r\n${inChunks}`, [501]],
            "a bare CR": [`X: a\rContent-Length: 5\r\n${length(0)}\r\n`, [400]],
            "a NUL in a name": [`X\0Y: a\r\n${length(0)}\r\n`, [400]],
            "a NUL in a value": [`X: a\0b\r\n${length(0)}\r\n`, [400]],
            "a second host": [`Host: other\r\n${length(0)}\r\n`, [400]],
            "no size of a chunk": [`${chunked}\r\nzz\r\n\r\n${hidden}`, [broken]],
            "a size of a chunk that is too large": [
                `${chunked}\r\n10000000000000000\r\n\r\n${hidden}`,
                [broken],
            ],
        };
        for (const [name, [text, answers]] of Object.entries(cases)) {
            const received = await exchange(outputs, post() + text);
            expect([name, statuses(received)]).toEqual([name, answers]);
        }
        // Nothing of it waits on a connection behind, for the next one who asks.
        const own = await Promise.all(Array.from({ length: 20 }, () => get("/v2/app/x/tags/list")));
        for (const received of own) {
            expect(statuses(received)).toEqual([404]);
            expect(received).toContain("app/x");
            expect(received).not.toContain("other/x");
        }
    });

    test("it is no way to anywhere else, and no echo", async () => {
        const lines = [
            "CONNECT 127.0.0.1:5001 HTTP/1.1",
            "GET http://127.0.0.1:5001/debug/pprof/ HTTP/1.1",
            "GET https://127.0.0.1:5001/debug/pprof/ HTTP/1.1",
            "TRACE /v2/ HTTP/1.1",
        ];
        for (const line of lines) {
            const received = await exchange(
                outputs,
                `${line}\r\n${HOST}${login}X: e\r\n${CLOSE}\r\n`,
            );
            expect(statuses(received)).toHaveLength(1);
            expect(received).not.toMatch(/goroutine|profile|X: e/);
        }
        const upgrade = "Connection: Upgrade\r\nUpgrade: h2c\r\n";
        const { length } = statuses(await get("/v2/", upgrade));
        expect(length).toBe(1);
    });

    test("headers that are too large are refused, and take no memory for long", async () => {
        const filling = (bytes: number) => `X: ${"a".repeat(bytes)}\r\n`;
        expect(statuses(await get("/v2/", filling(headerBytes / 2)))).toEqual([200]);
        expect(statuses(await get("/v2/", filling(2 * headerBytes)))).toEqual([431]);
        expect(statuses(await get("/v2/", "X: a\r\n".repeat(headerBytes / 4)))).toEqual([431]);
        const half = filling(headerBytes / 2).trimEnd();
        const open = await Promise.all(
            Array.from({ length: 50 }, () => RawConnection.open(outputs)),
        );
        for (const connection of open) connection.send(`GET /v2/ HTTP/1.1\r\n${half}`);
        expect(await serves(10)).toBe(true);
        for (const connection of open) connection.close();
        expect(await containers()).not.toContainEqual([expect.anything(), true]);
        expect(await serves(10)).toBe(true);
    });

    test("names that lead out of the registry, or are no names, lead nowhere", async () => {
        const data = () =>
            must("docker", [
                "exec",
                stack.containerName,
                "find",
                "/var/lib/registry",
                "-maxdepth",
                "4",
            ]);
        const before = await data();
        const paths = [
            "/../../etc/passwd",
            "/v2/../../../etc/passwd",
            "/v2/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "/v2/..%2f..%2f..%2fetc%2fpasswd",
            "/v2/%252e%252e/%252e%252e/etc/passwd/tags/list",
            "/v2/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd/tags/list",
            "/v2/%e0%80%ae%e0%80%ae/x/tags/list",
            "/v2/\xff\xfe/tags/list",
            "/v2/..\\..\\x/tags/list",
            "/v2/..%5c..%5cx/tags/list",
            "/v2/app%00/x/tags/list",
            "/v2/app/x%00.json/tags/list",
            "/v2/app/x/manifests/..",
            "/v2/app/x/manifests/..%2f..%2f..%2fother%2fx",
            "/v2/app/x/manifests/%00",
            `/v2/app/x/manifests/${"a".repeat(129)}`,
            "/v2/app/x/blobs/sha256:../../../../x",
            `/v2/app/x/blobs/sha256:${ZEROS.slice(1)}%00`,
            "/v2/app/x/blobs/uploads/../../../../etc/",
            "/v2/app/x/blobs/uploads/..%2f..%2f..%2f",
            "/v2/app/_uploads/x/tags/list",
            "/v2/_layers/x/tags/list",
            "/v2/app/x;/tags/list",
            "*",
        ];
        for (const path of paths) {
            for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"]) {
                const received = await exchange(
                    outputs,
                    `${method} ${path} HTTP/1.1\r\n${HOST}${login}Content-Length: 0\r\n${CLOSE}\r\n`,
                );
                const [status = 0] = statuses(received);
                expect([method, path, [...unclean, 405].includes(status)]).toEqual([
                    method,
                    path,
                    true,
                ]);
                expect(received).not.toMatch(/root:|goroutine/);
            }
        }
        expect(await data()).toBe(before);
    });

    test("names that are too long are refused by whoever reads them", async () => {
        const long = [
            `/v2/app/${"a".repeat(256)}/tags/list`,
            `/v2/${"a/".repeat(2000)}a/tags/list`,
            `/v2/app/x/manifests/sha256:${"0".repeat(5000)}`,
        ];
        for (const path of long) {
            const [status = 0] = statuses(await get(path));
            // Upstream says 500 where it means that there can be no such name; see docs/security.md.
            expect([path.slice(0, 40), [403, 404, 500].includes(status)]).toEqual([
                path.slice(0, 40),
                true,
            ]);
        }
        expect(await serves(5)).toBe(true);
    });

    test("an answer does not say whether there is an account of that name", async () => {
        const answer = async (name: string, password: string, line: string) => {
            const basic = Buffer.from(`${name}:${password}`).toString("base64");
            const received = await exchange(
                outputs,
                `${line} HTTP/1.1\r\n${HOST}Authorization: Basic ${basic}\r\nContent-Length: 0\r\n${CLOSE}\r\n`,
            );
            return received.replace(/^Date: .*$/m, "");
        };
        const lines = [
            ...["GET /v2/", "HEAD /v2/", "GET /v2/_catalog", "GET /v2/app/x/manifests/v1"],
            ...["POST /v2/app/x/blobs/uploads/", "DELETE /v2/app/x/manifests/v1"],
        ];
        const passwords = ["wrong", "", "a".repeat(72), "b".repeat(5000), "a:b", "\0", "pässwört"];
        const others = ["nobody", "Nobody", "APP", "app ", "ap", "app2", ""];
        for (const line of lines) {
            for (const password of passwords) {
                const known = await answer("app", password, line);
                expect(statuses(known)).toEqual([401]);
                expect(await answer("nobody", password, line)).toBe(known);
            }
            const known = await answer("app", "wrong", line);
            for (const name of others) {
                expect(await answer(name, "wrong", line)).toBe(known);
            }
        }
    });

    (process.platform === "linux" ? test : test.skip)(
        "nor does the time that it takes: both cost as much of the processors",
        async () => {
            const container = `${stack.containerName}${checks}`;
            let asked = 0;
            /** What 50 wrong logins cost, with passwords that nobody has tried before. */
            const cost = async (name: string) => {
                const requests = Array.from({ length: 50 }, (_each, index) => {
                    const basic = Buffer.from(`${name}:wrong-${asked++}`).toString("base64");
                    const last = index === 49 ? CLOSE : "";
                    return `GET /v2/ HTTP/1.1\r\n${HOST}Authorization: Basic ${basic}\r\n${last}\r\n`;
                });
                const before = await cpuSeconds(container);
                const received = await exchange(outputs, requests.join(""));
                expect(statuses(received)).toEqual(requests.map(() => 401));
                return (await cpuSeconds(container)) - before;
            };
            let known = 0;
            let unknown = 0;
            // In turns, so that what the container does besides counts for both.
            for (let round = 0; round < 4; round++) {
                known += await cost("app");
                unknown += await cost("nobody");
            }
            expect(known).toBeGreaterThan(0);
            expect(unknown / known).toBeGreaterThan(1 / 2);
            expect(unknown / known).toBeLessThan(2);
        },
    );

    test("clients that send nothing, or a byte a second, do not keep others from being served", async () => {
        const open = await Promise.all(
            Array.from({ length: 200 }, () => RawConnection.open(outputs)),
        );
        const [trickling] = open;
        const trickle = setInterval(() => trickling?.send("a"), 1000);
        try {
            for (const connection of open) connection.send(`GET /v2/ HTTP/1.1\r\n${HOST}X: `);
            expect(await serves(20)).toBe(true);
            expect(await containers()).not.toContainEqual([expect.anything(), true]);
            if (headerBytes < 1024 * 1024) {
                // The gateway does not wait for them for ever, a byte a second or not, nor for a body that stands still.
                await Promise.all(open.map((connection) => connection.untilClosed()));
                expect(await stalledBody.untilAnswered()).toMatch(/^(HTTP\/1\.1 4|$)/);
            } else {
                expect(stalledBody.isOpen).toBe(true);
            }
        } finally {
            clearInterval(trickle);
            for (const connection of open) connection.close();
        }
    });
});
