import { npmRun } from "../support/npm-run";

async function logs(lines: readonly (string | Record<string, unknown>)[], ...options: string[]) {
    const input = lines
        .map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`)
        .join("");
    const { code, stdout, stderr } = await npmRun("logs", [...options, "-"], { input });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.split("\n").slice(0, -1);
}

/** A line of the registry about a request. */
const about = (id: string, level: string, msg: string, fields: Record<string, unknown> = {}) => ({
    "http.request.id": id,
    "http.request.method": "GET",
    "http.request.remoteaddr": "192.0.2.7:40000",
    "http.request.uri": "/v2/team/app/manifests/1",
    "http.request.useragent": "docker",
    "vars.name": "team/app",
    level,
    msg,
    time: "2026-01-02T03:04:05.6Z",
    ...fields,
});
const done = (status: number, written = 7) => ({
    "http.response.status": status,
    "http.response.written": written,
    "http.response.duration": "2ms",
});
const start = { level: "info", msg: "listening on [::]:5000, tls", time: "2026-01-02T03:04:05Z" };
const pull = [
    about("1", "info", "authorized request", { "auth.user.name": "dev" }),
    about("1", "info", "response completed", { "auth.user.name": "dev", ...done(200) }),
];
const CHALLENGE = 'basic authentication challenge for realm "private-registry"';
const wrongPassword = [
    about("2", "info", "user failed to authenticate", { username: "web" }),
    about("2", "warning", `error authorizing context: ${CHALLENGE}: authentication failure`),
];

test("a request is one line, whatever the registry says of it", async () => {
    const failed = {
        "auth.user.name": "dev",
        "err.message": "unknown error",
        "err.detail": "no space left",
        "http.request.uri": "/v2/team/app/blobs/uploads/1?_state=x",
    };
    const noLogin = `error authorizing context: ${CHALLENGE}: invalid authorization credential`;
    const noAccount = `error authorizing context: ${CHALLENGE}: authentication failure`;
    expect(
        await logs([
            start,
            ...pull,
            ...wrongPassword,
            about("3", "warning", noLogin),
            about("4", "warning", noAccount),
            about("5", "error", "response completed with error", { ...failed, ...done(500) }),
            about("5", "error", "response completed with error", { ...failed, ...done(500) }),
            about("6", "error", "error checking authorization: bad line"),
            about("6", "warning", "error authorizing context: bad line"),
        ]),
    ).toEqual(
        [
            "200 GET dev 192.0.2.7:40000 /v2/team/app/manifests/1 7 B 2ms",
            "401 GET web 192.0.2.7:40000 /v2/team/app/manifests/1 (wrong password)",
            "401 GET - 192.0.2.7:40000 /v2/team/app/manifests/1 (no login)",
            "401 GET - 192.0.2.7:40000 /v2/team/app/manifests/1 (no such account)",
            "500 GET dev 192.0.2.7:40000 /v2/team/app/blobs/uploads/1 7 B 2ms (unknown error: no space left)",
            "400 GET - 192.0.2.7:40000 /v2/team/app/manifests/1 (bad line)",
        ].map((line) => `2026-01-02T03:04:05.6Z ${line}`),
    );
});

test("for programs, all of it by name", async () => {
    const lines = await logs(pull, "--json");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        {
            time: "2026-01-02T03:04:05.6Z",
            user: "dev",
            method: "GET",
            repository: "team/app",
            uri: "/v2/team/app/manifests/1",
            status: 200,
            bytes: 7,
            duration: "2ms",
            address: "192.0.2.7:40000",
            client: "docker",
            error: null,
        },
    ]);
});

test("of one account, or of one repository", async () => {
    const other = about("7", "info", "response completed", {
        "auth.user.name": "dev",
        "vars.name": "other",
        ...done(201),
    });
    const all = [{ ...start, level: "error" }, ...pull, ...wrongPassword, other];
    expect(await logs(all)).toHaveLength(4);
    expect(await logs(all, "--user", "web")).toEqual([expect.stringContaining("401 GET web")]);
    expect(await logs(all, "--repository=other")).toEqual([expect.stringContaining("201")]);
    expect(await logs(all, "--user=dev", "--repository=team/app")).toHaveLength(1);
});

test("what belongs to no request is shown when it is a warning or worse, without control characters", async () => {
    expect(
        await logs([
            start,
            { ...start, level: "error", msg: "storage driver health check: gone" },
            "2026/01/02 http: TLS handshake error from 192.0.2.9:1: \u001b[2J remote error",
            "null",
        ]),
    ).toEqual([
        "2026-01-02T03:04:05Z error storage driver health check: gone",
        "warning 2026/01/02 http: TLS handshake error from 192.0.2.9:1: ?[2J remote error",
        "warning null",
    ]);
});
