import { createHash } from "node:crypto";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { inspect } from "../support/docker";
import { ask, type Question } from "../support/registry-client";
import { must } from "../support/run";
import { type Outputs, TestStack } from "../support/stack";

/** One running stack with teams that may do different things; each test has repositories of its own. */
let stack: TestStack;
let outputs: Outputs;

const TEAMS = {
    ops: { admin: true },
    app: { push: ["app/*"], pull: ["base/*"], delete: ["app/*"] },
    reader: { pull: ["app/*"] },
    cleaner: { delete: ["app/*"] },
    none: {},
};
type Team = keyof typeof TEAMS;

beforeAll(async () => {
    stack = await TestStack.create({ teams: TEAMS });
    await stack.up();
    outputs = await stack.outputs();
});
afterAll(() => stack.dispose());

const sha256 = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** Brings a blob into a repository as somebody who may do so; returns its digest. */
async function putBlob(team: Team, repository: string, content: string): Promise<string> {
    const begun = await ask(outputs, `/v2/${repository}/blobs/uploads/`, { team, method: "POST" });
    const location = new URL(String(begun.headers.location), outputs.url);
    location.searchParams.set("digest", sha256(content));
    const path = `${location.pathname}${location.search}`;
    const { status } = await ask(outputs, path, { team, method: "PUT", body: content });
    if (status !== 201) throw new Error(`${repository} as ${team}: ${status}`);
    return sha256(content);
}

async function putImage(team: Team, repository: string, content: string): Promise<string> {
    const digest = await putBlob(team, repository, content);
    const type = "application/vnd.oci.image.manifest.v1+json";
    const blob = { digest, size: content.length };
    const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        config: { ...blob, mediaType: "application/vnd.oci.image.config.v1+json" },
        layers: [{ ...blob, mediaType: "application/vnd.oci.image.layer.v1.tar" }],
    });
    const { status, body } = await ask(outputs, `/v2/${repository}/manifests/v1`, {
        team,
        method: "PUT",
        body: manifest,
        contentType: type,
    });
    if (status !== 201) throw new Error(`${repository} as ${team}: ${status} ${body}`);
    return digest;
}

test("every route of the API, asked by every role in every kind of repository, answers as the roles say", async () => {
    const content = "{}";
    const repositories = ["app/x", "base/x", "other/x"];
    for (const repository of repositories) await putImage("ops", repository, content);
    const digest = sha256(content);
    const uploads = "blobs/uploads/01a21098-6879-7803-8f57-368a4ffc7159";
    const routes = [
        ["GET", "manifests/v1", "pull"],
        ["HEAD", "manifests/v1", "pull"],
        ["GET", `blobs/${digest}`, "pull"],
        ["HEAD", `blobs/${digest}`, "pull"],
        ["GET", "tags/list", "pull"],
        ["GET", `referrers/${digest}`, "pull"],
        ["PUT", "manifests/v2", "push"],
        ["POST", "blobs/uploads/", "push"],
        ["GET", uploads, "push"],
        ["PATCH", uploads, "push"],
        ["PUT", `${uploads}?digest=${digest}`, "push"],
        ["DELETE", uploads, "push"],
        ["DELETE", "manifests/none", "delete"],
        ["DELETE", `blobs/sha256:${"0".repeat(64)}`, "delete"],
    ] as const;
    /** Written once more, by hand: who may do what where. */
    const granted: Record<Team, Record<"pull" | "push" | "delete", readonly string[]>> = {
        ops: { pull: repositories, push: repositories, delete: repositories },
        app: { pull: ["app/x", "base/x"], push: ["app/x"], delete: ["app/x"] },
        reader: { pull: ["app/x"], push: [], delete: [] },
        cleaner: { pull: [], push: [], delete: ["app/x"] },
        none: { pull: [], push: [], delete: [] },
    };
    const wrong: string[] = [];
    const expectAnswer = async (
        path: string,
        question: Question,
        isRight: (status: number) => boolean,
    ) => {
        const { status } = await ask(outputs, path, question);
        if (!isRight(status)) {
            wrong.push(`${question.method ?? "GET"} ${path} as ${question.team}: ${status}`);
        }
    };
    const isLetIn = (status: number) => ![401, 403].includes(status) && status < 500;
    for (const [method, rest, right] of routes) {
        for (const repository of repositories) {
            const path = `/v2/${repository}/${rest}`;
            await expectAnswer(path, { method }, (status) => status === 401);
            const forged = { method, team: "app", password: "wrong" };
            await expectAnswer(path, forged, (status) => status === 401);
            for (const team of Object.keys(TEAMS) as Team[]) {
                const may = granted[team][right].includes(repository);
                await expectAnswer(path, { method, team }, (status) =>
                    may ? isLetIn(status) : status === 403,
                );
            }
        }
    }
    for (const team of Object.keys(TEAMS) as Team[]) {
        await expectAnswer("/v2/", { team }, (status) => status === 200);
        const catalog = team === "ops" ? 200 : 403;
        await expectAnswer("/v2/_catalog", { team }, (status) => status === catalog);
        await expectAnswer("/v2/_catalog?n=1", { team }, (status) => status === catalog);
    }
    expect(wrong).toEqual([]);
});

test("a refusal says so in the words that Docker shows", async () => {
    const { headers, body } = await ask(outputs, "/v2/other/y/tags/list", { team: "app" });
    expect(headers).toMatchObject({
        "content-type": "application/json",
        "docker-distribution-api-version": "registry/2.0",
        "strict-transport-security": "max-age=31536000",
    });
    expect(JSON.parse(body)).toMatchObject({ errors: [{ code: "DENIED" }] });
    const anonymous = await ask(outputs, "/v2/");
    expect(anonymous.headers["www-authenticate"]).toBe('Basic realm="private-registry"');
    expect(JSON.parse(anonymous.body)).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
});

test("a mistake in a digest is called by its name", async () => {
    for (const [method, rest] of [
        ["GET", "manifests/sha256:mistake"],
        ["PUT", "manifests/sha256:mistake"],
        ["GET", `manifests/sha256%3A${"a".repeat(20)}`],
        ["DELETE", "blobs/sha256:abc"],
        ["GET", "referrers/sha256:"],
    ] as const) {
        for (const repository of ["app/x", "other/x"]) {
            const { status, body } = await ask(outputs, `/v2/${repository}/${rest}`, {
                team: "app",
                method,
            });
            expect([method, rest, status]).toEqual([method, rest, 400]);
            expect(JSON.parse(body)).toMatchObject({ errors: [{ code: "DIGEST_INVALID" }] });
        }
    }
    expect((await ask(outputs, "/v2/app/x/manifests/sha256:mistake")).status).toBe(401);
    const digest = sha256("mistake");
    for (const rest of [`manifests/${digest}`, `blobs/${digest}`]) {
        const { status } = await ask(outputs, `/v2/app/x/${rest}`, { team: "app" });
        expect([rest, status]).toEqual([rest, 404]);
    }
});

test("a blob is mounted only from where the team may pull, however it is asked for", async () => {
    const secret = await putBlob("ops", "other/mount", "secret");
    const shared = await putBlob("ops", "base/mount", "shared");
    const uploads = "/v2/app/mount/blobs/uploads/";
    const mount = (query: string, question: Question = {}) =>
        ask(outputs, `${uploads}${query}`, { team: "app", method: "POST", ...question });

    expect((await mount(`?mount=${shared}&from=base/mount`)).status).toBe(201);
    expect((await mount(`?from=base%2Fmount&mount=${shared}`)).status).toBe(201);

    const spellings = [
        `?mount=${secret}&from=other/mount`,
        `?from=other%2Fmount&mount=${secret}`,
        `?mount=${secret}&from=base/mount&from=other/mount`,
        `?mount=${secret}&from=other/mount&from=base/mount`,
        `?mount=${secret}&%66rom=other/mount`,
        `?mount=${secret}&from=base/../other/mount`,
        `?mount=${secret.replace(":", "%3A")}&from=other%2fmount`,
    ];
    for (const query of spellings) {
        expect([query, (await mount(query)).status]).toEqual([query, 202]);
    }
    // The registry would take it from a form as well.
    const form = `mount=${secret}&from=other/mount`;
    for (const query of ["", `?mount=${shared}&from=base/mount`]) {
        const contentType = "application/x-www-form-urlencoded";
        await mount(query, { body: form, contentType });
    }
    const { status } = await ask(outputs, `/v2/app/mount/blobs/${secret}`, { team: "app" });
    expect(status).toBe(404);
});

test("no other way of writing an address leads to another team's images", async () => {
    await putImage("ops", "other/path", "path");
    const basic = `app:${outputs.teams.app?.password}`;
    const raw = (path: string, headers: Record<string, string> = {}) =>
        new Promise<{ status?: number; body: string }>((resolve, reject) => {
            const call = request(
                {
                    host: "127.0.0.1",
                    port: stack.port,
                    path,
                    auth: basic,
                    ca: outputs.caCertificate,
                    headers,
                    agent: false,
                },
                (response) => {
                    text(response).then(
                        (body) => resolve({ status: response.statusCode, body }),
                        reject,
                    );
                },
            );
            call.on("error", reject);
            call.end();
        });
    const list = "/v2/other/path/tags/list";
    const addresses = [
        "/v2/app/../other/path/tags/list",
        "/v2/app/%2e%2e/other/path/tags/list",
        "/v2/app%2f..%2fother%2fpath/tags/list",
        "//v2/other/path/tags/list",
        "/v2//other/path/tags/list",
        "/v2/./other/path/tags/list",
        "/v2/other%2Fpath/tags/list",
        "/V2/other/path/tags/list",
        "/v2/other/path/tags/list/",
        `https://localhost${list}`,
    ];
    for (const address of addresses) {
        const { status = 0 } = await raw(address);
        expect([address, [403, 404].includes(status)]).toEqual([address, true]);
    }
    const lies: Record<string, string>[] = [
        { "x-forwarded-uri": "/v2/" },
        { "x-forwarded-method": "GET", "x-forwarded-uri": "/v2/app/x/tags/list" },
        { "remote-user": "ops" },
        { "x-original-url": "/v2/" },
        { "x-http-method-override": "GET" },
        { connection: "x-forwarded-uri, x-forwarded-method" },
    ];
    for (const headers of lies) {
        expect([headers, (await raw(list, headers)).status]).toEqual([headers, 403]);
    }
});

test("nothing reaches the registry around the gateway", async () => {
    const { HostConfig, NetworkSettings } = (await inspect(stack.containerName)) as unknown as {
        HostConfig: { NetworkMode: string; PortBindings: object | null };
        NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
    };
    expect(HostConfig.NetworkMode).toBe("none");
    expect(HostConfig.PortBindings ?? {}).toEqual({});
    const networks = Object.values(NetworkSettings.Networks);
    expect(networks.map(({ IPAddress }) => IPAddress)).toEqual([""]);
    // The sockets are root's, in volumes of Docker's own.
    for (const socket of ["/run/access/access.sock", "/run/registry/registry.sock"]) {
        const gateway = `${stack.containerName}-gateway`;
        expect(await must("docker", ["exec", gateway, "ls", "-ln", socket])).toMatch(
            /^srw\S* +1 0 +0 /,
        );
    }
});
