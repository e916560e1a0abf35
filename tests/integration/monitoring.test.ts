import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DockerUser, inspect } from "../support/docker";
import { MANIFESTS } from "../support/images";
import { npmRun } from "../support/npm-run";
import {
    metricsOf,
    panels,
    parseMetrics,
    promtool,
    rules,
    testWithPromtool,
} from "../support/prometheus";
import { ask } from "../support/registry-client";
import { must, run } from "../support/run";
import { freePort, type Outputs, TestStack } from "../support/stack";

const MIB = 1024 * 1024;
const DISK_MIB = 4;

/** One stack for all of this: its images lie on a disk that is soon full. */
let stack: TestStack;
let outputs: Outputs;
let metricsPort: number;

beforeAll(async () => {
    metricsPort = await freePort();
    stack = await TestStack.create({ metricsPort, teams: ["dev", "web"] });
    const options = ["type=tmpfs", "device=tmpfs", `o=size=${DISK_MIB}m`];
    await must("docker", [
        ...["volume", "create", ...options.flatMap((option) => ["--opt", option])],
        stack.dataVolume,
    ]);
    await stack.up();
    outputs = await stack.outputs();
});

afterAll(() => stack.dispose());

type Line = Record<string, unknown>;

/** What the registry's container has logged, line by line. */
async function logged(): Promise<Line[]> {
    const { stdout, stderr } = await run("docker", ["logs", stack.containerName]);
    return (stdout + stderr)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line);
}

/** All but what the registry says in some minute of its first hour, by chance, when it looks for uploads that nobody ended. */
async function loggedByRequests(): Promise<Line[]> {
    const ofPurge = /^(Starting upload purge in |PurgeUploads starting: |Purge uploads finished\.)/;
    return (await logged()).filter(({ msg }) => !ofPurge.test(String(msg)));
}

/** `npm run logs` and `npm run doctor` from here on. */
const command = (name: string, args: readonly string[]) =>
    npmRun(name, args, { cwd: stack.folder, env: stack.environment });
const logs = (...options: string[]) => command("logs", options);
const metrics = (...options: string[]) => command("doctor", ["--metrics", ...options]);

const doctorMetrics = async () => {
    const { stdout } = await metrics();
    return parseMetrics(stdout);
};

const registryMetrics = async () => {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    return parseMetrics(await answer.text());
};

const requests = async (...options: string[]) => {
    const { stdout } = await logs("--json", ...options);
    return stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line)
        .filter((entry) => "status" in entry);
};

/** Sends a layer of so many bytes, in one request. */
async function upload(repository: string, size: number) {
    const path = `/v2/${repository}/blobs/uploads/`;
    const { headers } = await ask(outputs, path, { team: "dev", method: "POST" });
    const { pathname, search } = new URL(String(headers.location), outputs.url);
    const body = "x".repeat(size);
    return ask(outputs, `${pathname}${search}`, { team: "dev", method: "PATCH", body });
}

test("each request is a line with who, what, where from and how it ended; a health check is none", async () => {
    const registry = outputs.registry;
    const image = `${registry}/kept/app:1`;
    const user = new DockerUser();
    let digest: string;
    try {
        await user.makeImage(image);
        await user.login(registry, "dev", outputs.teams.dev?.password ?? "");
        digest = await user.push(image);
        await user.pullAnew(image);
    } finally {
        await user.dispose();
    }
    const manifest = `/v2/kept/app/manifests/${digest}`;
    const missing = "/v2/kept/app/manifests/none";
    expect(await ask(outputs, missing, { team: "web", accept: MANIFESTS })).toMatchObject({
        status: 404,
    });
    const password = "not-the-password";
    await ask(outputs, "/v2/kept/app/tags/list", { team: "web", password });
    await ask(outputs, "/v2/kept/app/tags/list", { team: "nobody", password });
    expect(await ask(outputs, manifest, { team: "dev", method: "DELETE" })).toMatchObject({
        status: 202,
    });

    // A line comes after its answer.
    const isLast = (line: Line) =>
        line["http.request.method"] === "DELETE" && line["http.response.status"] === 202;
    let lines: Line[];
    do lines = await logged();
    while (!lines.some(isLast));
    const request = (method: string, uri: string, user: string, status: number) => ({
        "auth.user.name": user,
        "http.request.method": method,
        "http.request.uri": uri,
        "http.request.remoteaddr": expect.stringMatching(/^[\d.]+:\d+$/),
        "http.response.status": status,
        "http.response.written": expect.any(Number),
        "http.response.duration": expect.stringMatching(/s$/),
        "vars.name": "kept/app",
    });
    const ended = lines.filter((line) => "http.response.status" in line);
    for (const [method, uri, name, status] of [
        ["PUT", "/v2/kept/app/manifests/1", "dev", 201],
        ["GET", manifest, "dev", 200],
        ["GET", missing, "web", 404],
        ["DELETE", manifest, "dev", 202],
    ] as const) {
        const found = ended.filter(
            (line) => line["http.request.method"] === method && line["http.request.uri"] === uri,
        );
        expect(found).toEqual([expect.objectContaining(request(method, uri, name, status))]);
    }

    // The same as npm run logs has it, with those that were not let in.
    const all = await requests("--repository", "kept/app");
    const tags = all.filter(({ uri }) => uri === "/v2/kept/app/tags/list");
    expect(tags.map(({ user, status, error }) => [user, status, error])).toEqual([
        ["web", 401, "wrong password"],
        [null, 401, "no such account"],
    ]);
    expect(all.filter(({ method }) => method === "DELETE")).toEqual([
        expect.objectContaining({ user: "dev", status: 202, uri: manifest }),
    ]);
    const ofWeb = await requests("--user", "web");
    // The first is the proof of `up`.
    expect(ofWeb.map(({ status }) => status)).toEqual([200, 404, 401]);
    const { stdout } = await logs("--user", "web");
    expect(stdout).toMatch(
        / 404 GET web [\d.]+:\d+ \/v2\/kept\/app\/manifests\/none \d+ B .* \(manifest unknown: unknown tag=none\)$/m,
    );

    // No secret, in clear or as the header has it.
    const text = JSON.stringify(lines);
    for (const { username, password: secret } of Object.values(outputs.teams)) {
        const basic = Buffer.from(`${username}:${secret}`).toString("base64");
        expect([text.includes(secret), text.includes(basic)]).toEqual([false, false]);
    }
    expect(text.includes(password)).toBe(false);
    const fields = new Set(lines.flatMap((line) => Object.keys(line)));
    expect([...fields].filter((field) => /authorization|cookie/i.test(field))).toEqual([]);

    // Both of its health checks, Docker's and its own of the storage, and the metrics leave no line.
    const stat = async () =>
        (await registryMetrics()).series.get(
            'registry_storage_action_seconds_count{action="Stat",driver="filesystem"}',
        );
    const { Config } = (await inspect(stack.containerName)) as unknown as {
        Config: { Healthcheck: { Test: string[] } };
    };
    const before = await stat();
    const { length } = await loggedByRequests();
    await must("docker", ["exec", stack.containerName, ...Config.Healthcheck.Test.slice(1)]);
    while ((await stat()) === before) await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await loggedByRequests()).toHaveLength(length);
});

test("rules and dashboard ask for what there is, and a full disk is seen", async () => {
    const share = ({ series }: Awaited<ReturnType<typeof doctorMetrics>>) => {
        const value = (name: string) =>
            series.get(`private_registry_data_${name}_bytes{registry="${outputs.registry}"}`) ??
            NaN;
        expect(value("size")).toBe(DISK_MIB * MIB);
        return value("available") / value("size");
    };
    expect(share(await doctorMetrics())).toBeGreaterThan(0.5);
    expect(await upload("big", 2 * DISK_MIB * MIB)).toMatchObject({ status: 500 });
    const doctor = await doctorMetrics();
    expect(share(doctor)).toBeLessThan(0.1);
    expect(await requests("--repository", "big")).toContainEqual(
        expect.objectContaining({
            method: "PATCH",
            user: "dev",
            status: 500,
            error: expect.stringContaining("no space left on device"),
        }),
    );

    const registry = await registryMetrics();
    expect([...registry.series.keys()]).toContainEqual(
        expect.stringMatching(/^registry_http_requests_total\{code="500",.*method="patch"\}$/),
    );
    // What Prometheus adds by itself, and one that only a stack with client hosts has.
    const scraped = ["job", "instance"];
    const there = new Map([
        ...registry.names,
        ...doctor.names,
        ["up", new Set<string>()],
        ["private_registry_client_ok", new Set(["registry", "client"])],
        // gateway.test.ts looks at these.
        [
            "caddy_http_request_duration_seconds_count",
            new Set(["server", "handler", "code", "method"]),
        ],
    ]);
    const queries = [
        ...rules().map(({ alert, expr }) => [alert, expr] as const),
        ...panels().flatMap(({ title, targets }) =>
            targets.map(({ expr }) => [title, expr] as const),
        ),
    ];
    for (const [where, expr] of queries) {
        const wanted = metricsOf(expr);
        expect([where, wanted.size]).not.toEqual([where, 0]);
        for (const [name, labels] of wanted) {
            const known = there.get(name);
            const unknown = [...labels].filter(
                (each) => ![...(known ?? []), ...scraped].includes(each),
            );
            expect([where, name, known !== undefined, unknown]).toEqual([where, name, true, []]);
        }
    }
});

testWithPromtool("what the doctor writes for Prometheus is well formed, and whole", async () => {
    const file = join(stack.folder, "registry.prom");
    const before = readdirSync(stack.folder).length;
    await metrics("--output", file);
    expect(readdirSync(stack.folder)).toHaveLength(before + 1);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    const text = readFileSync(file, "utf8");
    expect(await promtool(["check", "metrics"], text)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(parseMetrics(text).series.get(checkOf("proof"))).toBe(1);

    const nowhere = join(stack.folder, "missing", "registry.prom");
    const { code, stderr } = await metrics("--output", nowhere);
    expect([code, existsSync(nowhere)]).toEqual([2, false]);
    expect(stderr).toContain(`doctor: cannot write ${nowhere}: ENOENT`);
});

test("a registry that is stopped is one that is wrong", async () => {
    await must("docker", ["stop", stack.containerName]);
    const { series, names } = await doctorMetrics();
    expect([series.get(checkOf("container")), series.get(checkOf("proof"))]).toEqual([0, 0]);
    expect(series.get(checkOf("settings"))).toBe(1);
    expect(names.has("private_registry_data_size_bytes")).toBe(false);
});

function checkOf(part: string): string {
    return `private_registry_check_ok{registry="${outputs.registry}",part="${part}"}`;
}
