import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { docker, DockerUser, inspect } from "../support/docker";
import { MANIFESTS } from "../support/images";
import { ask, handshake } from "../support/registry-client";
import { run } from "../support/run";
import { type Outputs, TestStack } from "../support/stack";

/** One running registry that the tests below only look at and use, each with images of its own. */
let stack: TestStack;
let outputs: Outputs;
const user = new DockerUser();

beforeAll(async () => {
    stack = await TestStack.create({ hostname: "registry.test", teams: ["dev", "web"] });
    await stack.up();
    outputs = await stack.outputs();
});
afterAll(async () => {
    await user.dispose();
    await stack.dispose();
});

const loopback = () => `localhost:${stack.port}`;

test("outputs say where the registry is", () => {
    expect(outputs).toMatchObject({
        registry: `registry.test:${stack.port}`,
        url: `https://registry.test:${stack.port}`,
        clients: {},
    });
    expect(Object.keys(outputs.teams)).toEqual(["dev", "web"]);
    const authority = new X509Certificate(outputs.caCertificate);
    expect(authority.ca).toBe(true);
    expect(outputs.caFingerprints).toEqual([authority.fingerprint256]);
    const days = (Date.parse(outputs.certificateExpires) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(199);
    expect(days).toBeLessThan(200);
    expect(outputs.certificateDaysLeft).toBe(199);
});

test.each(["registry.test", "localhost"])(
    "answers every account as %s, with the authority verified",
    async (hostname) => {
        for (const team of ["dev", "web"]) {
            expect(await ask(outputs, "/v2/", { team, hostname })).toMatchObject({
                status: 200,
                body: "{}",
            });
        }
    },
);

test("curl gets the same with the CA from the outputs", async () => {
    writeFileSync(stack.path("ca.crt"), outputs.caCertificate);
    const { password } = outputs.teams.dev ?? { password: "" };
    const { stdout, stderr } = await run("curl", [
        "--silent",
        "--show-error",
        "--cacert",
        stack.path("ca.crt"),
        "--user",
        `dev:${password}`,
        `https://${loopback()}/v2/`,
    ]);
    expect(stderr).toBe("");
    expect(stdout).toBe("{}");
});

test.each([
    ["no account", {}],
    ["a wrong password", { team: "dev", password: "wrong" }],
    ["an unknown user", { team: "nobody", password: "x" }],
])("refuses %s", async (_, question) => {
    const { status, headers } = await ask(outputs, "/v2/", question);
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe('Basic realm="private-registry"');
});

test("refuses one team's name with the other team's password", async () => {
    expect(
        await ask(outputs, "/v2/", { team: "dev", password: outputs.teams.web?.password }),
    ).toMatchObject({ status: 401 });
});

test("is not valid for another name", async () => {
    await expect(ask(outputs, "/v2/", { hostname: "other.test" })).rejects.toThrow(/altnames/);
});

test("is not trusted without its authority", async () => {
    await expect(ask({ ...outputs, caCertificate: "" }, "/v2/")).rejects.toThrow(
        /unable to verify|self.signed|local issuer/,
    );
});

test("plain HTTP gets no further than an error", async () => {
    const answer = await new Promise<{ status?: number; body: string }>((resolve, reject) => {
        request({ host: "127.0.0.1", port: stack.port, path: "/v2/", agent: false }, (response) => {
            text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
        })
            .on("error", reject)
            .end();
    });
    expect(answer).toEqual({
        status: 400,
        body: "Client sent an HTTP request to an HTTPS server.\n",
    });
});

test("speaks TLS 1.2 and 1.3 and nothing older", async () => {
    const ca = outputs.caCertificate;
    const only = (version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") =>
        handshake(stack.port, {
            ca,
            servername: "localhost",
            minVersion: version,
            maxVersion: version,
            ciphers: "DEFAULT@SECLEVEL=0",
        });
    await expect(only("TLSv1.3")).resolves.toBe("TLSv1.3");
    await expect(only("TLSv1.2")).resolves.toBe("TLSv1.2");
    await expect(only("TLSv1.1")).rejects.toThrow(/protocol version/);
});

test("docker: refused without login, then push, remove and pull give the same digest", async () => {
    const image = `${loopback()}/story/app:1`;
    await user.makeImage(image);
    const stranger = new DockerUser();
    try {
        const refused = await stranger.docker(["push", image]);
        expect(refused.code).not.toBe(0);
        expect(refused.stdout + refused.stderr).toContain("no basic auth credentials");
    } finally {
        await stranger.dispose();
    }

    const { password } = outputs.teams.dev ?? { password: "" };
    expect((await user.login(loopback(), "dev", password)).stdout).toContain("Login Succeeded");
    const digest = await user.push(image);
    expect(await user.pullAnew(image)).toBe(digest);

    const catalog = await ask(outputs, "/v2/_catalog", { team: "web" });
    expect((JSON.parse(catalog.body) as { repositories: string[] }).repositories).toContain(
        "story/app",
    );
    const tags = await ask(outputs, "/v2/story/app/tags/list", { team: "web" });
    expect(JSON.parse(tags.body)).toEqual({ name: "story/app", tags: ["1"] });
});

test("the handed-over login line and config.json work", async () => {
    const { login, dockerConfigJson } = outputs.teams.web ?? { login: "", dockerConfigJson: "{}" };
    // The daemon asks for the name itself, so it is said to be the loopback here.
    const here = (line: string) => line.replaceAll(outputs.registry, loopback());
    const folder = stack.path("docker-config");
    const result = await run("sh", ["-c", here(login)], {
        env: { ...process.env, DOCKER_CONFIG: folder },
    });
    expect(result.stdout).toContain("Login Succeeded");
    expect(JSON.parse(dockerConfigJson)).toMatchObject({
        auths: {
            [outputs.registry]: {
                auth: Buffer.from(`web:${outputs.teams.web?.password ?? ""}`).toString("base64"),
            },
        },
    });
});

test("a tag can be deleted", async () => {
    const image = `${loopback()}/delete/me:1`;
    await user.makeImage(image);
    await user.login(loopback(), "dev", outputs.teams.dev?.password ?? "");
    const digest = await user.push(image);
    expect(
        await ask(outputs, `/v2/delete/me/manifests/${digest}`, { team: "dev", method: "DELETE" }),
    ).toMatchObject({ status: 202 });
    expect(
        await ask(outputs, "/v2/delete/me/manifests/1", { team: "dev", accept: MANIFESTS }),
    ).toMatchObject({ status: 404 });
});

test("the container may do nothing but serve", async () => {
    const { HostConfig, Config, State } = (await inspect(stack.containerName)) as unknown as {
        HostConfig: Record<string, unknown>;
        Config: { Env: string[]; Labels: Record<string, string> };
        State: { Running: boolean; Health: { Status: string } };
    };
    expect(HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        CapAdd: null,
        Privileged: false,
        SecurityOpt: ["no-new-privileges:true"],
        PidMode: "",
        RestartPolicy: { Name: "unless-stopped" },
        LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
        PortBindings: { "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: String(stack.port) }] },
    });
    expect(State.Running).toBe(true);
    expect(Config.Labels["private-registry.stack"]).toBe(stack.owner);
    expect(
        (
            await docker(
                "exec",
                stack.containerName,
                "wget",
                "-q",
                "-O",
                "-",
                "http://127.0.0.1:5001/debug/health",
            )
        ).stdout,
    ).toBe("{}");
});

test("a second up changes nothing, also when it looks at everything", async () => {
    const before = await stack.containerId();
    const plain = await stack.up("--expect-no-changes");
    expect(plain.printed).toMatch(/Resources:\n\s+\d+ unchanged/);
    const refreshed = await stack.up("--refresh", "--expect-no-changes");
    expect(refreshed.printed).toMatch(/Resources:\n\s+\d+ unchanged/);
    expect(await stack.containerId()).toBe(before);
});

test("a second up is quiet: no warning, and no secret value on the screen", async () => {
    const { printed } = await stack.up();
    expect(printed).not.toMatch(/warning|error/i);
    expect(printed).toMatch(/teams *: \[secret\]/);
});
