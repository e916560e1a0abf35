// @ts-check
// A real deploy storm against a stack of this machine, what Docker does in a pull, and what each part costs the registry.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { costOf } from "../fleet/cost.mjs";
import { cpuOf } from "../fleet/hosts.mjs";
import { interleave } from "../measure.mjs";
import { attempt, must } from "../run.mjs";
import { freePort } from "../workspace.mjs";

export const LAYERS = 10;
const MB = 1_000_000;
const LAYER_BYTES = 2 * MB;
const BIG_BYTES = 64 * MB;
/** Requests of one sample of what a request costs. */
const REQUESTS = 300;
const REPOSITORY = "team/app";
const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

/**
 * What Docker was seen to do in one pull.
 *
 * @typedef {import("./model.js").Pull & { head: number }} SeenPull
 */

/**
 * One storm of real clients.
 *
 * @typedef {object} Storm
 * @property {number} wall seconds
 * @property {number} server CPU seconds of the registry
 * @property {number} clients CPU seconds of all clients
 * @property {number} cores those that what else the machine did left over
 */

/**
 * @param {import("../workspace.mjs").Workspace} workspace
 * @param {readonly number[]} counts of clients that pull at once
 */
export async function measureStorms(workspace, counts) {
    const port = await freePort();
    const ours = workspace.copyOfProgram("storm", port);
    await workspace.initialize(ours);
    await workspace.up(ours);
    const registry = `localhost:${port}`;
    const image = `${registry}/${REPOSITORY}:1`;
    const account = await accountOf(workspace, ours);
    const container = `private-registry-${workspace.name}`;
    const env = { ...process.env, DOCKER_CONFIG: join(workspace.folder, "docker") };
    try {
        const login = ["login", "--username", account.username, "--password-stdin", registry];
        await must("docker", login, { env, input: account.password });
        await makeImage(join(workspace.folder, "image"), image, LAYERS, LAYER_BYTES);
        await must("docker", ["push", "--quiet", image], { env });
        await must("docker", ["rmi", image]);
        const since = new Date().toISOString();
        await must("docker", ["pull", "--quiet", image], { env });
        const logs = ["--details=false", "--since", since, container];
        const pull = readPull(await must("sh", ["-c", 'docker logs "$@" 2>&1', "sh", ...logs]));

        const big = `${registry}/${REPOSITORY}:big`;
        await makeImage(join(workspace.folder, "big"), big, 1, BIG_BYTES);
        await must("docker", ["push", "--quiet", big], { env });
        await attempt("docker", ["rmi", big]);
        const client = await makeClient(workspace, ours, { port, container, account });
        const costs = await measureCosts(client, container);
        const alone = await costOf("sh", [client.script]);
        if (alone.code !== 0) throw new Error(`a client: ${alone.stderr}`);

        /** @type {Record<string, Storm[]>} */
        const storms = {};
        const samples = await interleave(
            counts.map((count) => [
                String(count),
                async () => {
                    const before = await cpuOf(container);
                    const busy = busySeconds();
                    const numbers = Array.from({ length: count }, (_, index) => index).join("\n");
                    const args = ["-n", "1", "-P", String(count), "sh", client.script];
                    const cost = await costOf("xargs", args, { input: numbers });
                    if (cost.code !== 0) throw new Error(`clients: ${cost.stderr.slice(-2000)}`);
                    const server = (await cpuOf(container)) - before;
                    const others = busySeconds() - busy - server - cost.cpu;
                    const cores = cpus().length - Math.max(0, others) / cost.wall;
                    (storms[count] ??= []).push({
                        ...{ wall: cost.wall, server, clients: cost.cpu, cores },
                    });
                    return cost.wall;
                },
            ]),
            { rounds: 5 },
        );
        // The first is the warm-up's.
        for (const all of Object.values(storms)) all.shift();
        const files = await must("docker", ["exec", container, "sh", "-c", "ulimit -n"]);
        return { pull, costs, storms, samples, openFiles: Number(files), client: alone.cpu };
    } finally {
        await attempt("docker", ["rmi", image]);
    }
}

/** CPU seconds that the machine has spent on anything, or not been given. */
function busySeconds() {
    const [, ...ticks] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").split(/\s+/);
    const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0, steal = 0] = ticks.map(Number);
    return (user + nice + system + irq + soft + steal) / 100;
}

/**
 * @param {import("../workspace.mjs").Workspace} workspace
 * @param {string} ours
 */
async function accountOf(workspace, ours) {
    const args = ["stack", "output", "--json", "--show-secrets"];
    /** @type {{ teams: Record<string, { username: string, password: string }> }} */
    const { teams } = JSON.parse(await workspace.pulumi(ours, args));
    const [team] = Object.values(teams);
    if (team === undefined) throw new Error("the stack has no team");
    return team;
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {number} layers
 * @param {number} bytes
 */
async function makeImage(folder, name, layers, bytes) {
    mkdirSync(folder);
    const lines = ["FROM scratch"];
    for (let layer = 0; layer < layers; layer++) {
        writeFileSync(join(folder, `layer${layer}`), randomBytes(bytes));
        lines.push(`COPY layer${layer} /`);
    }
    writeFileSync(join(folder, "Dockerfile"), `${lines.join("\n")}\n`);
    await must("docker", ["build", "--quiet", "--tag", name, folder]);
}

/**
 * Requests and connections of a pull, from the registry's own lines.
 *
 * @param {string} logs
 * @returns {SeenPull}
 */
function readPull(logs) {
    /** @type {Record<string, any>[]} */
    const lines = logs
        .split("\n")
        .flatMap((line) => (line.startsWith("{") ? JSON.parse(line) : []));
    const done = lines.filter(({ msg }) => msg === "response completed");
    const refused = lines.filter(({ msg }) => String(msg).includes("authentication challenge"));
    const isBlob = (/** @type {Record<string, any>} */ line) =>
        String(line["http.request.uri"]).includes("/blobs/");
    const all = [...done, ...refused];
    return {
        requests: all.length,
        open: refused.length,
        connections: new Set(all.map((line) => line["http.request.remoteaddr"])).size,
        head: all.filter((line) => !isBlob(line)).length,
        bytes: done.reduce((sum, line) => sum + Number(line["http.response.written"]), 0),
        // Docker's own limit on layers, and the image's configuration beside them.
        parallel: 4,
    };
}

/**
 * A client that asks for what Docker asks for, as Docker does it: each request on a connection of its own.
 *
 * @param {import("../workspace.mjs").Workspace} workspace
 * @param {string} ours
 * @param {{ port: number, container: string, account: { username: string, password: string } }} where
 */
async function makeClient(workspace, ours, { port, container, account }) {
    const folder = join(workspace.folder, "client");
    mkdirSync(folder, { mode: 0o700 });
    const file = (/** @type {string} */ name, /** @type {readonly string[]} */ lines) => {
        const path = join(folder, name);
        writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
        return path;
    };
    const ca = join(folder, "ca.crt");
    writeFileSync(ca, await workspace.pulumi(ours, ["stack", "output", "caCertificate"]));
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const address = (await must("docker", ["inspect", "--format", format, container])).trim();
    const base = `https://localhost:${port}/v2/`;
    const common = [
        ...["silent", "show-error", "http1.1", 'output = "/dev/null"', `cacert = "${ca}"`],
        // Past Docker's proxy for the loopback, whose work neither side would count.
        `connect-to = "localhost:${port}:${address}:5000"`,
    ];
    const authorized = [...common, "fail", `user = "${account.username}:${account.password}"`];
    const close = 'header = "Connection: close"';
    const accept = `header = "Accept: ${MANIFEST}"`;

    const ask = async (/** @type {string} */ path) => {
        const lines = authorized.filter((line) => !line.startsWith("output"));
        const config = file("ask", [...lines, accept, `url = "${base}${REPOSITORY}/${path}"`]);
        return JSON.parse(await must("curl", ["--config", config]));
    };
    const manifest = await ask("manifests/1");
    const [big] = (await ask("manifests/big")).layers;
    /** @type {string[]} */
    const digests = [manifest.config, ...manifest.layers].map(({ digest }) => digest);
    const blob = (/** @type {string} */ digest) => `${base}${REPOSITORY}/blobs/${digest}`;
    const reference = `${base}${REPOSITORY}/manifests/1`;
    const steps = [
        [...common, close, `url = "${base}"`],
        [...authorized, close, accept, "head", `url = "${reference}"`],
        [...authorized, close, accept, `url = "${reference}"`],
        [
            ...authorized.filter((line) => !line.startsWith("output")),
            ...[close, "parallel", "parallel-immediate", "parallel-max = 4"],
            ...digests.flatMap((digest) => [`url = "${blob(digest)}"`, 'output = "/dev/null"']),
        ],
    ];
    const configs = steps.map((lines, index) => file(`step${index}`, lines));
    const script = file("pull.sh", ["set -eu", ...configs.map((path) => `curl --config ${path}`)]);
    const times = (/** @type {string} */ url) => [`url = "${url}?[1-${REQUESTS}]"`];
    return {
        script,
        samples: {
            refused: file("refused", [...common, ...times(base)]),
            "refused, each on a connection": file("connections", [
                ...[...common, close, ...times(base)],
            ]),
            checked: file("checked", [...authorized, ...times(base)]),
            "small blob": file("small", [...authorized, ...times(blob(manifest.config.digest))]),
            "big blob": file("large", [...authorized, `url = "${blob(big.digest)}?[1-4]"`]),
        },
        bigBytes: /** @type {number} */ (big.size),
    };
}

/**
 * CPU seconds of the registry's container, by subtraction.
 *
 * @param {Awaited<ReturnType<typeof makeClient>>} client
 * @param {string} container
 * @returns {Promise<import("./model.js").Costs>}
 */
async function measureCosts({ samples, bigBytes }, container) {
    const measured = await interleave(
        Object.entries(samples).map(([name, config]) => [
            name,
            async () => {
                const before = await cpuOf(container);
                await must("curl", ["--config", config]);
                return (await cpuOf(container)) - before;
            },
        ]),
        { rounds: 3 },
    );
    // What else the machine does makes it more, never less.
    const least = (/** @type {string} */ name) => Math.min(...(measured[name] ?? [NaN]));
    const check = (least("checked") - least("refused")) / REQUESTS;
    const request = least("small blob") / REQUESTS - check;
    return {
        connection: (least("refused, each on a connection") - least("refused")) / REQUESTS,
        request,
        check,
        byte: (least("big blob") / 4 - request - check) / bigBytes,
    };
}
