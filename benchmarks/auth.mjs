// @ts-check
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hashSync } from "bcryptjs";
import { interleave, medians } from "./measure.mjs";
import { attempt, must, run } from "./run.mjs";
import { freePort, withWorkspace } from "./workspace.mjs";

const CLIENTS = 8;
const SECONDS = 2;
const COSTS = [4, 5, 10];
const IMAGE = "registry:3.1.1";
const OURS = "ours (cost 5)";

export const title = "Requests with an account, by cost of the password's hash";
export const about = `
\`GET /v2/\` over TLS on the loopback from ${CLIENTS} clients that keep their connection, ${SECONDS} seconds a sample: our
stack, and bare containers of the same image and the same kind of certificate (ECDSA P-256) with no accounts and with one
whose hash has the cost named. The registry checks the password at every request, and that is what these rates are made
of. The "ceiling" is the same client against a Node.js server of one process that answers at once and checks nothing: it
bounds what client and machine together can show, so the rate without accounts may be more than it says.`;

/** Measures authenticated requests per second. */
export function measure() {
    return withWorkspace(async (workspace) => {
        const password = randomBytes(16).toString("hex");
        const certificates = join(workspace.folder, "certificates");
        mkdirSync(certificates);
        chmodSync(workspace.folder, 0o755);
        await makeCertificate(certificates);
        const hasAb = (await run("sh", ["-c", "command -v ab"])).code === 0;

        /** @type {string[]} */
        const containers = [];
        const ceiling = spawn(process.execPath, [
            join(import.meta.dirname, "ceiling.mjs"),
            certificates,
        ]);
        try {
            const [line] = await once(createInterface(ceiling.stdout), "line");
            /** @type {(port: number, account?: string) => () => Promise<number>} */
            const rate = (port, account) => () =>
                hasAb ? loadByAb(port, account) : loadByNode(port, account);
            /** @type {import("./measure.mjs").Subject[]} */
            const subjects = [["ceiling", rate(Number(line))]];

            for (const cost of [undefined, ...COSTS]) {
                const label = cost === undefined ? "no accounts" : `cost ${cost}`;
                const name = `${workspace.name}-${label.replace(" ", "-")}`;
                containers.push(name);
                const account = cost === undefined ? undefined : `dev:${password}`;
                const port = await startRegistry(name, certificates, password, cost);
                subjects.push([label, rate(port, account)]);
            }

            const port = await freePort();
            const ours = workspace.copyOfProgram("ours", port);
            await workspace.initialize(ours);
            await workspace.up(ours);
            const outputs = await workspace.pulumi(ours, [
                "stack",
                "output",
                "--json",
                "--show-secrets",
            ]);
            /** @type {{ teams: Record<string, { username: string, password: string }> }} */
            const { teams } = JSON.parse(outputs);
            const [team] = Object.values(teams);
            if (team === undefined) throw new Error("the stack has no team");
            subjects.push([OURS, rate(port, `${team.username}:${team.password}`)]);

            const samples = await interleave(subjects);
            const of = medians(samples);
            return {
                unit: "requests/s",
                samples,
                ratios: [
                    { name: "ours / cost 10", value: of(OURS) / of("cost 10"), aim: ">= 15" },
                    { name: "ours / cost 5", value: of(OURS) / of("cost 5") },
                    { name: "ours / cost 4", value: of(OURS) / of("cost 4") },
                    { name: "ours / no accounts", value: of(OURS) / of("no accounts") },
                    { name: "no accounts / ceiling", value: of("no accounts") / of("ceiling") },
                ],
                facts: [
                    hasAb
                        ? "Client: ApacheBench (ab -k), one process."
                        : "Client: Node.js (no ab on this machine), one process.",
                ],
            };
        } finally {
            ceiling.kill();
            for (const name of containers) {
                await attempt("docker", ["rm", "--force", "--volumes", name]);
            }
        }
    });
}

/** @param {string} folder */
async function makeCertificate(folder) {
    const key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "tls.key",
    ];
    const certificate = ["-x509", "-days", "2", "-subj", "/CN=localhost", "-out", "tls.crt"];
    const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    await must("openssl", ["req", ...certificate, ...key, ...names], { cwd: folder });
}

/**
 * Starts a bare registry and waits until it answers; returns its port.
 *
 * @param {string} name
 * @param {string} certificates
 * @param {string} password
 * @param {number | undefined} cost of the account's hash; undefined: no accounts
 */
async function startRegistry(name, certificates, password, cost) {
    /** @type {Record<string, string>} */
    const settings = {
        OTEL_TRACES_EXPORTER: "none",
        REGISTRY_HTTP_TLS_CERTIFICATE: "/certificates/tls.crt",
        REGISTRY_HTTP_TLS_KEY: "/certificates/tls.key",
    };
    if (cost !== undefined) {
        const file = `htpasswd-${cost}`;
        writeFileSync(join(certificates, file), `dev:${hashSync(password, cost)}\n`);
        settings.REGISTRY_AUTH = "htpasswd";
        settings.REGISTRY_AUTH_HTPASSWD_REALM = "registry";
        settings.REGISTRY_AUTH_HTPASSWD_PATH = `/certificates/${file}`;
    }
    const variables = Object.entries(settings).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
    const mount = `${certificates}:/certificates:ro`;
    const options = ["--name", name, "-p", "127.0.0.1::5000", "-v", mount, ...variables];
    await must("docker", ["run", "-d", ...options, IMAGE]);
    const published = await must("docker", ["port", name, "5000"]);
    const port = Number(/:(\d+)\s*$/.exec(published)?.[1]);
    const account = cost === undefined ? undefined : `dev:${password}`;
    for (let tries = 0; ; tries++) {
        const status = await get(port, account).catch(() => 0);
        if (status === 200) return port;
        if (tries >= 100) throw new Error(`${name} does not answer (last status: ${status})`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/**
 * @param {number} port
 * @param {string | undefined} account
 */
async function loadByAb(port, account) {
    const load = ["-q", "-k", "-c", String(CLIENTS), "-t", String(SECONDS), "-n", "1000000"];
    const basic = account === undefined ? [] : ["-A", account];
    const report = await must("ab", [...load, ...basic, `https://127.0.0.1:${port}/v2/`]);
    const rate = /^Requests per second:\s+([\d.]+)/m.exec(report)?.[1];
    if (rate === undefined || /^Non-2xx responses|^Failed requests:\s+[1-9]/m.test(report)) {
        throw new Error(`ab saw failures:\n${report}`);
    }
    return Number(rate);
}

/**
 * @param {number} port
 * @param {string | undefined} account
 */
async function loadByNode(port, account) {
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS, rejectUnauthorized: false });
    const began = performance.now();
    let count = 0;
    const client = async () => {
        while (performance.now() - began < SECONDS * 1000) {
            const status = await get(port, account, agent);
            if (status !== 200) throw new Error(`status ${status}`);
            count++;
        }
    };
    try {
        await Promise.all(Array.from({ length: CLIENTS }, client));
        return count / ((performance.now() - began) / 1000);
    } finally {
        agent.destroy();
    }
}

/**
 * Status of one request. The certificate is nobody's business here: a test of trust is elsewhere.
 *
 * @param {number} port
 * @param {string} [auth]
 * @param {Agent | false} agent
 * @returns {Promise<number>}
 */
function get(port, auth, agent = false) {
    return new Promise((resolve, reject) => {
        const options = { host: "127.0.0.1", port, path: "/v2/", auth, agent };
        const call = request({ ...options, rejectUnauthorized: false }, (response) => {
            response.resume();
            response.on("end", () => resolve(response.statusCode ?? 0));
        });
        call.on("error", reject);
        call.end();
    });
}
