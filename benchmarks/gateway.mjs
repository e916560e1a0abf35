// @ts-check
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate, startRegistry } from "./bare.mjs";
import { CLIENTS, findClient, SECONDS } from "./load.mjs";
import { interleave, median, medians } from "./measure.mjs";
import { startOurs } from "./ours.mjs";
import { attempt, must, run } from "./run.mjs";
import { withWorkspace } from "./workspace.mjs";

const BLOB_BYTES = 256 * 1024 * 1024;
const CONTROL = "unix//run/control/control.sock";
const GUESSES = 50;

export const tools = ["ab", "curl"];
export const title = "The gateway: what accounts and permissions cost, and what a transfer loses";
export const about = `
Our stack with a gateway and permissions, and beside it the same stack without a gateway, a bare container of the same
registry with TLS and no accounts, the same gateway while its access container says yes to everything without looking at an account
("no accounts"), and another gateway that passes everything on and asks nobody ("asks nobody"). \`GET /v2/\` over TLS from ${CLIENTS} clients that
keep their connection, ${SECONDS} seconds a sample; a blob of ${BLOB_BYTES >> 20} MiB by curl into nothing, over HTTP/1.1 from both; and the time of ${GUESSES} wrong logins,
one after the other on one connection each, with a name that exists and with one that does not.`;

/** Measures rates, transfers and wrong logins. */
export function measure() {
    // Two stacks of one program need two backends.
    return withWorkspace((direct) => withWorkspace((workspace) => compare(direct, workspace)));
}

/**
 * @param {import("./workspace.mjs").Workspace} other
 * @param {import("./workspace.mjs").Workspace} workspace
 */
async function compare(other, workspace) {
    const { rate, fact } = await findClient();
    const certificates = join(workspace.folder, "certificates");
    mkdirSync(certificates);
    chmodSync(workspace.folder, 0o755);
    await makeCertificate(certificates);
    const bareName = `${workspace.name}-bare`;
    const plainName = `${workspace.name}-plain`;
    try {
        const bare = await startRegistry(bareName, certificates, "", undefined);
        const direct = await startOurs(other, "direct");
        const { port, user: guarded } = await startOurs(workspace, "guarded", {
            containerName: `${workspace.name}-guarded`,
            teams: { dev: { push: ["bench/*"] }, web: { pull: ["web/*"] } },
        });
        const access = `${workspace.name}-guarded-access`;
        const plain = await startPlain(workspace, `${workspace.name}-guarded-gateway`, plainName);

        const open = () => reload(access, withoutAccounts);
        const closed = () => reload(access, (config) => config);
        const rates = await interleave([
            [
                ["registry alone, no accounts", rate(bare)],
                ["ours without a gateway", rate(direct.port, direct.user)],
                ["gateway, asks nobody", rate(plain)],
                ["gateway, no accounts", async () => (await open(), rate(port, guarded)())],
                ["gateway, permissions", async () => (await closed(), rate(port, guarded)())],
            ],
        ]);

        await closed();
        const path = await pushBlob(bare, port, guarded);
        const speed = (/** @type {number} */ at, /** @type {string} */ who) => () =>
            pull(at, path, who);
        const speeds = await interleave([
            [
                ["pull, registry alone", speed(bare, "")],
                ["pull, gateway", speed(port, guarded)],
            ],
        ]);
        const guesses = await interleave([
            [
                ["wrong password", () => guess(port, "dev")],
                ["unknown name", () => guess(port, "stranger")],
            ],
        ]);
        const samples = { ...rates, ...speeds, ...guesses };
        const of = medians(samples);
        return {
            unit: "requests/s, MB/s, ms",
            samples,
            ratios: [
                {
                    name: "requests: permissions / no accounts",
                    value: of("gateway, permissions") / of("gateway, no accounts"),
                    aim: ">= 0.9",
                },
                {
                    name: "requests: permissions / asks nobody",
                    value: of("gateway, permissions") / of("gateway, asks nobody"),
                },
                {
                    name: "requests: gateway with permissions / ours without a gateway",
                    value: of("gateway, permissions") / of("ours without a gateway"),
                },
                {
                    name: "pull: gateway / registry alone",
                    value: of("pull, gateway") / of("pull, registry alone"),
                    aim: ">= 0.9",
                },
                {
                    name: "wrong login: unknown name / wrong password",
                    value: of("unknown name") / of("wrong password"),
                },
            ],
            facts: [fact],
        };
    } finally {
        for (const name of [bareName, plainName]) {
            await attempt("docker", ["rm", "--force", "--volumes", name]);
        }
    }
}

/**
 * A second gateway over the first one's volumes, which asks nobody.
 *
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} gateway
 * @param {string} name
 */
async function startPlain(workspace, gateway, name) {
    const config = JSON.parse(
        await must("docker", ["exec", gateway, "cat", "/settings/gateway.json"]),
    );
    const api = config.apps.http.servers.registry.routes.find((/** @type {any} */ { handle }) =>
        JSON.stringify(handle).includes("access.sock"),
    ).handle[0];
    api.routes = api.routes.filter(
        (/** @type {any} */ route) => !JSON.stringify(route).includes("access.sock"),
    );
    const file = join(workspace.folder, "plain.json");
    writeFileSync(file, JSON.stringify(config));
    const mounts = ["--volumes-from", gateway, "--volume", `${file}:/plain.json:ro`];
    const options = ["--detach", "--name", name, "--publish", "127.0.0.1::5000", ...mounts];
    await must("docker", [
        "run",
        ...options,
        "caddy:2.11.9",
        "caddy",
        "run",
        "--config",
        "/plain.json",
    ]);
    const published = await must("docker", ["port", name, "5000"]);
    return Number(/:(\d+)\s*$/.exec(published)?.[1]);
}

/**
 * @param {any} config of the access container
 */
function withoutAccounts(config) {
    const { access } = config.apps.http.servers;
    access.routes = access.routes.slice(-1);
    return config;
}

/**
 * @param {string} access name of the container
 * @param {(config: any) => any} change
 */
async function reload(access, change) {
    const config = JSON.parse(
        await must("docker", ["exec", access, "cat", "/settings/access.json"]),
    );
    const input = JSON.stringify(change(config));
    const command = ["caddy", "reload", "--config", "-", "--address", CONTROL];
    await must("docker", ["exec", "--interactive", access, ...command], { input });
}

/**
 * Brings one and the same blob to both registries.
 *
 * @param {number} bare
 * @param {number} port
 * @param {string} account
 */
async function pushBlob(bare, port, account) {
    const content = randomBytes(BLOB_BYTES);
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    for (const [at, who] of /** @type {const} */ ([
        [bare, ""],
        [port, account],
    ])) {
        const headers = who === "" ? [] : [`user = "${who}"`];
        const curl = (/** @type {string[]} */ ...args) =>
            must("curl", ["-ksS", "--config", "-", ...args], { input: `${headers.join("\n")}\n` });
        const url = `https://127.0.0.1:${at}/v2/bench/blob/blobs/uploads/`;
        const begun = await curl("-D", "-", "-o", "/dev/null", "-X", "POST", url);
        const location = /^location: (\S+)/im.exec(begun)?.[1] ?? "";
        const file = `/tmp/private-registry-bench-${process.pid}`;
        writeFileSync(file, content);
        try {
            await curl("-f", "-T", file, `${location}&digest=${digest}`);
        } finally {
            rmSync(file);
        }
    }
    return `/v2/bench/blob/blobs/${digest}`;
}

/**
 * @param {number} port
 * @param {string} path
 * @param {string} account
 * @returns {Promise<number>} MB/s
 */
async function pull(port, path, account) {
    const args = [
        "-ksSf",
        "--http1.1",
        "--config",
        "-",
        "-o",
        "/dev/null",
        "-w",
        "%{speed_download}",
    ];
    const input = account === "" ? "\n" : `user = "${account}"\n`;
    return (
        Number(await must("curl", [...args, `https://127.0.0.1:${port}${path}`], { input })) / 1e6
    );
}

/**
 * @param {number} port
 * @param {string} name
 * @returns {Promise<number>} ms of one wrong login, the median of many
 */
async function guess(port, name) {
    const times = [];
    for (let index = 0; index < GUESSES; index++) {
        const input = `user = "${name}:${randomBytes(20).toString("hex")}"\n`;
        const args = ["-ks", "--config", "-", "-o", "/dev/null"];
        const what = "%{http_code} %{time_starttransfer} %{time_appconnect}";
        const { stdout } = await run(
            "curl",
            [...args, "-w", what, `https://127.0.0.1:${port}/v2/`],
            {
                input,
            },
        );
        const [status, answered, connected] = stdout.split(" ").map(Number);
        if (status !== 401) throw new Error(`a wrong login was answered with ${status}`);
        times.push(((answered ?? 0) - (connected ?? 0)) * 1000);
    }
    return median(times);
}
