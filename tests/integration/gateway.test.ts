import { request } from "node:https";
import { docker } from "../support/docker";
import { parseMetrics } from "../support/prometheus";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { freePort, type Outputs, type TestStack, withStack } from "../support/stack";
import { askOnce, pushBlob, Stream } from "../support/stream";

const gatewayId = async (stack: TestStack) =>
    (
        await must("docker", ["inspect", "--format", "{{.Id}}", `${stack.containerName}-gateway`])
    ).trim();

/** Downloads a blob a little at a time, from the start of the call until `finish` is called; then at full speed. */
function slowDownload(outputs: Outputs, path: string, team: string) {
    let isHurried = false;
    const received = new Promise<number>((resolve, reject) => {
        const call = request(
            {
                host: "127.0.0.1",
                port: new URL(outputs.url).port,
                path,
                ca: outputs.caCertificate,
                auth: `${team}:${outputs.teams[team]?.password}`,
                agent: false,
            },
            (response) => {
                let bytes = 0;
                response.on("data", (chunk: Buffer) => {
                    bytes += chunk.length;
                    if (isHurried) return;
                    response.pause();
                    setTimeout(() => response.resume(), 100);
                });
                response.on("end", () => resolve(bytes));
                response.on("error", reject);
            },
        );
        call.on("error", reject);
        call.end();
    });
    return { received, finish: () => (isHurried = true) };
}

/** Status of the answer to a PUT that says how long its body is, and sends none of it. */
function announce(outputs: Outputs, path: string, length: number): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
        const call = request(
            {
                host: "127.0.0.1",
                port: new URL(outputs.url).port,
                path,
                method: "PUT",
                ca: outputs.caCertificate,
                auth: `dev:${outputs.teams.dev?.password}`,
                headers: { "content-length": length },
                agent: false,
            },
            ({ statusCode }) => {
                resolve(statusCode);
                call.destroy();
            },
        );
        call.on("error", reject);
        call.flushHeaders();
    });
}

test("accounts, permissions and certificates change under load: no request fails and no transfer is cut", () =>
    withStack({ gateway: true, teams: { dev: {}, web: {} } }, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const gateway = await gatewayId(stack);
        const bytes = 64 * 1024 * 1024;
        const digest = await pushBlob(outputs, "dev", bytes / 2);
        const download = slowDownload(outputs, `/v2/stream/blobs/blobs/${digest}`, "dev");
        const requests = Stream.start(3, () => askOnce(outputs, "dev"));
        const pushes = Stream.start(1, () => pushBlob(outputs, "dev"));

        const dev = { push: ["*"] };
        const changes = [
            { teams: { dev: {}, web: { generation: 2 } } },
            { teams: { dev, web: { generation: 2, pull: ["web/*"] } } },
            { teams: { dev, web: { generation: 2 }, ops: { admin: true } } },
        ];
        const certificates = new Set<string>();
        for (const [index, change] of changes.entries()) {
            stack.configure({ gateway: true, ...change });
            await stack.up();
            // A new certificate as well.
            stack.configure({
                gateway: true,
                ...change,
                subjectAltNames: [`name-${index}.example.com`],
            });
            await stack.up();
            certificates.add((await ask(outputs, "/v2/", { team: "dev" })).certificate);
        }
        download.finish();
        const { failures, done } = await requests.end();
        expect([failures, (await pushes.end()).failures]).toEqual([[], []]);
        expect(done).toBeGreaterThan(100);
        expect(certificates.size).toBe(changes.length);
        expect(await download.received).toBe(bytes);
        expect(await gatewayId(stack)).toBe(gateway);

        const after = await stack.outputs();
        expect((await ask(outputs, "/v2/", { team: "web" })).status).toBe(401);
        expect((await ask(after, "/v2/", { team: "web" })).status).toBe(200);
        expect((await ask(after, "/v2/stream/blobs/tags/list", { team: "web" })).status).toBe(403);
    }));

test("a registry that is replaced, and one that was killed, are waited for", () =>
    withStack({ gateway: true }, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const registry = await stack.containerId();
        const requests = Stream.start(3, () => askOnce(outputs, "dev"));
        stack.configure({ gateway: true, deleteEnabled: false });
        await stack.up();
        expect(await stack.containerId()).not.toBe(registry);
        // Requests that it has accepted die with it; those that come after wait until it is there again.
        const { failures } = await requests.end();
        expect(failures).toEqual([]);
        await must("docker", ["stop", "--time", "0", stack.containerName]);
        const waiting = askOnce(outputs, "dev");
        await must("docker", ["start", stack.containerName]);
        await waiting;
        // Without its access container it lets nobody in.
        await must("docker", ["stop", `${stack.containerName}-access`]);
        const early = askOnce(outputs, "dev");
        await must("docker", ["start", `${stack.containerName}-access`]);
        await early;
    }));

test("a registry gets a gateway, and loses it again, with all its images", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const digest = await pushBlob(outputs, "dev");
        const find = async () =>
            (
                await ask(await stack.outputs(), `/v2/stream/blobs/blobs/${digest}`, {
                    team: "dev",
                })
            ).status;

        stack.configure({ gateway: true });
        await stack.up();
        expect(await find()).toBe(200);
        expect((await stack.outputs()).teams).toEqual(outputs.teams);
        expect((await stack.up()).stdout).not.toMatch(/\d+ (created|updated|replaced|deleted)/);

        stack.configure({});
        const refused = await stack.pulumi(["up", "--yes", "--skip-preview"]);
        expect(refused.code).not.toBe(0);
        expect(refused.printed).toContain(`docker rm --force ${stack.containerName}-gateway`);
        expect(await find()).toBe(200);
        await docker("rm", "--force", `${stack.containerName}-gateway`);
        await stack.up();
        expect(await find()).toBe(200);
        expect(await stack.containers()).toHaveLength(2);

        await stack.destroy();
        expect(await stack.containers()).toEqual([]);
    }));

test("what is no request for the registry gets a short answer, and metrics are on the loopback only", () =>
    withStack({}, async (stack) => {
        const gatewayMetricsPort = await freePort();
        stack.configure({ gateway: true, gatewayMetricsPort });
        await stack.up();
        const outputs = await stack.outputs();
        const start = await ask(outputs, "/");
        expect(start.status).toBe(200);
        expect(start.headers["strict-transport-security"]).toBe("max-age=31536000");
        expect(start.headers.server).toBeUndefined();
        expect((await ask(outputs, "/metrics")).status).toBe(404);
        // What monitoring/rules.yml goes by: each request for the API once, by its answer.
        const answered = async (code: number) => {
            const metrics = await fetch(`http://127.0.0.1:${gatewayMetricsPort}/metrics`);
            return parseMetrics(await metrics.text()).series.get(
                `caddy_http_request_duration_seconds_count{code="${code}",handler="subroute",method="GET",server="registry"}`,
            );
        };
        // The gateway counts after its answer.
        const refusals = async (atLeast: number) => {
            for (;;) {
                const count = (await answered(401)) ?? 0;
                if (count >= atLeast) return count;
            }
        };
        // Before that only the proof of `up` was.
        const before = await refusals(1);
        for (const password of ["one", "another"]) {
            const refused = { team: "dev", password };
            expect((await ask(outputs, "/v2/", refused)).status).toBe(401);
        }
        expect(await refusals(before + 2)).toBe(before + 2);
        expect((await ask(outputs, "/debug/pprof/")).status).toBe(404);
        // Five MiB are no manifest, which is said before they are sent.
        expect(await announce(outputs, "/v2/a/manifests/v1", 5 * 1024 * 1024)).toBe(413);
        // The line comes after the answer.
        let line: string | undefined;
        while (line === undefined) {
            const { stdout } = await docker("logs", `${stack.containerName}-gateway`);
            line = stdout.split("\n").find((each) => /"status":413\b/.test(each));
        }
        expect(JSON.parse(line)).toMatchObject({ user_id: "dev", request: { method: "PUT" } });
        expect(line).not.toContain(outputs.teams.dev?.password);
    }));
