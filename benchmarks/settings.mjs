// @ts-check
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate, startConfigured } from "./bare.mjs";
import { makeLayers, renew } from "./layers.mjs";
import { CLIENTS, findClient, SECONDS } from "./load.mjs";
import { interleave, medians, ROUNDS as MOST_ROUNDS } from "./measure.mjs";
import { startOurs } from "./ours.mjs";
import { figure } from "./readme.mjs";
import { attempt, must, run } from "./run.mjs";
import { makeNetwork } from "./sides.mjs";
import { forget, MANIFEST, pull, push, pushManifest } from "./transfers.mjs";
import { inChunks, patched, upload, whole } from "./uploads.mjs";
import { withWorkspace } from "./workspace.mjs";

const MEBIBYTES = Number(process.env.BENCH_MEBIBYTES ?? 256);
const SMALL = 64;
const ROUNDS = Math.min(3, MOST_ROUNDS);
const CHUNK = 5 * 1024 * 1024;
const MANIFESTS = "manifests";
const SHIPPED = "as shipped";
const ONE_PUT = "Node.js: one PUT";
const DATA = "/var/lib/registry";
/** As of a stack's containers. */
const LOGS = ["--log-opt", "max-size=10m", "--log-opt", "max-file=3"];
const CHACHA = "TLS_CHACHA20_POLY1305_SHA256";

export const tools = ["ab", "curl", "openssl"];
export const title = "What the registry's own settings are worth";
export const about = `
Bare registries with the configuration that a stack of ours gives its own, without accounts, each with one thing changed, and one with nothing
changed, which shows how much of a difference is chance. Three rounds after a warm-up. One layer of ${MEBIBYTES} MiB and ${SMALL} of 1 MiB are pushed and pulled by curl as in throughput;
manifests are asked for by ${CLIENTS} clients that keep their connection, ${SECONDS} seconds a sample. In brackets: the ratio to what is
shipped. The ways to upload are compared with each other, all of them by one client in Node.js on one connection, layer after
layer: a POST and one PUT, a PATCH before an empty PUT as Docker does, and a PATCH for every ${CHUNK >> 20} MiB. The registry has no setting for
the ciphers of TLS 1.3: curl asks for ChaCha20, and ab cannot.`;

/** @typedef {import("./layers.mjs").Layer} Layer */
/** @typedef {Pick<import("./sides.mjs").Side, "isPlain" | "curlOptions">} Clients */

/**
 * One thing that is changed.
 *
 * @typedef {object} Change
 * @property {(config: any) => unknown} [configure] changes the registry's configuration
 * @property {(folder: string) => string[]} [run] options of \`docker run\`, with a folder for data
 * @property {Clients} [clients] what they do otherwise
 * @property {import("./uploads.mjs").Way} [way] of an upload, instead of all by curl and ab
 */

/** @type {Readonly<Record<string, Change>>} */
const CHANGES = {
    [SHIPPED]: {},
    "nothing changed": {},
    "cache of blob descriptors: none": { configure: ({ storage }) => delete storage.cache },
    "log level: error": { configure: ({ log }) => (log.level = "error") },
    "log level: debug": { configure: ({ log }) => (log.level = "debug") },
    "no TLS": { configure: ({ http }) => delete http.tls, clients: { isPlain: true } },
    "TLS with ChaCha20": { clients: { curlOptions: [`tls13-ciphers = "${CHACHA}"`] } },
    "data: folder of the machine": { run: (folder) => ["-v", `${folder}:${DATA}`] },
    "data: memory (tmpfs)": { run: () => ["--tmpfs", DATA] },
    [ONE_PUT]: { way: whole },
    "Node.js: PATCH, empty PUT": { way: patched },
    [`Node.js: ${CHUNK >> 20} MiB a PATCH`]: { way: inChunks(CHUNK) },
};

/** @typedef {import("./sides.mjs").Side & Pick<Change, "way">} Changed */

/** Measures a registry for each change. */
export function measure() {
    return withWorkspace(async (workspace) => {
        const { folder, name: network } = workspace;
        const settings = join(folder, "settings");
        mkdirSync(settings);
        chmodSync(folder, 0o755);
        await makeCertificate(settings);
        const shipped = await shippedConfig(workspace);
        const host = await makeNetwork(network);
        const changes = Object.entries(CHANGES).map(([name, change], index) => ({
            ...{ name, change, container: `${network}-${index}` },
        }));
        try {
            /** @type {Changed[]} */
            const sides = [];
            for (const { name, change, container } of changes) {
                const config = structuredClone(shipped);
                change.configure?.(config);
                writeFileSync(join(settings, `${container}.json`), JSON.stringify(config));
                const data = join(folder, container);
                mkdirSync(data);
                const options = [...LOGS, ...(change.run?.(data) ?? [])];
                const { isPlain = false } = change.clients ?? {};
                const port = await startConfigured(container, settings, { options, host, isPlain });
                const side = { name, host, port, account: "", container, containers: [container] };
                sides.push({ ...side, ...change.clients, way: change.way });
            }
            return await compare(sides, join(folder, "layers"));
        } finally {
            for (const { container } of changes) {
                // In a folder of this machine it would be root's.
                const remove = ["busybox", "rm", "-rf", `${DATA}/docker`];
                await attempt("docker", ["exec", container, ...remove]);
                await attempt("docker", ["rm", "--force", "--volumes", container]);
            }
            await attempt("docker", ["network", "rm", network]);
        }
    });
}

/**
 * The configuration of a stack's registry, open to everybody: the check of a password would hide all else.
 *
 * @param {import("./workspace.mjs").Workspace} workspace
 */
async function shippedConfig(workspace) {
    await startOurs(workspace, "ours");
    const read = ["busybox", "cat", "/etc/private-registry/config.yml"];
    const name = `private-registry-${workspace.name}`;
    const config = JSON.parse(await must("docker", ["exec", name, ...read]));
    delete config.auth;
    return config;
}

/**
 * @param {readonly Changed[]} sides
 * @param {string} folder for layers
 */
async function compare(sides, folder) {
    const { rate, fact } = await findClient();
    const big = await makeLayers(folder, MEBIBYTES, 1);
    const small = await makeLayers(folder, SMALL, SMALL);
    const [first] = sides;
    const [layer] = big;
    if (first === undefined || layer === undefined) throw new Error("nothing to compare");
    // What is pushed last stays for its manifest.
    const transferred = await interleave([...transfers(sides, small), ...transfers(sides, big)], {
        rounds: ROUNDS,
    });
    const asked = sides.filter(({ way, curlOptions }) => !way && !curlOptions);
    for (const side of asked) await pushManifest(side, layer, [layer]);
    const manifests = await interleave(
        [
            asked.map(({ name, port, host, isPlain }) => [
                `${name}: ${MANIFESTS}`,
                rate(port, undefined, { host, isPlain, ...MANIFEST }),
            ]),
        ],
        { rounds: ROUNDS },
    );
    const samples = { ...transferred, ...manifests };
    return {
        unit: "MB/s; manifests: requests/s",
        samples,
        tables: [tableOf(samples, [big, small])],
        ratios: [],
        facts: [fact, `As shipped, ${await cipherOf(first)}.`],
    };
}

/**
 * A push of these layers for each side, and then a pull.
 *
 * @param {readonly Changed[]} sides
 * @param {Layer[]} layers
 * @returns {import("./measure.mjs").Subject[][]}
 */
function transfers(sides, layers) {
    const label = labelOf(layers);
    const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
    let pushes = 0;
    return [
        sides.map((side) => {
            const { way } = side;
            const pushAll = async () => {
                await forget(side);
                if (pushes++ % sides.length === 0) await renew(layers);
                const took = await (way ? upload(side, layers, way) : push(side, layers, 1));
                return bytes / 1e6 / took;
            };
            return [`${side.name}: push, ${label}`, pushAll];
        }),
        sides
            .filter(({ way }) => !way)
            .map((side) => [
                `${side.name}: pull, ${label}`,
                async () => bytes / 1e6 / (await pull(side, layers, 1)),
            ]),
    ];
}

/** @param {readonly Layer[]} layers */
function labelOf(layers) {
    return layers.length === 1 ? "1 layer" : `${layers.length} layers`;
}

/**
 * @param {Record<string, number[]>} samples
 * @param {readonly Layer[][]} sets
 */
function tableOf(samples, sets) {
    const of = medians(samples);
    const columns = sets.flatMap((it) => [`push, ${labelOf(it)}`, `pull, ${labelOf(it)}`]);
    const head = [...columns, MANIFESTS];
    const rows = Object.entries(CHANGES).map(([name, { way }]) => [
        name,
        ...head.map((column) => {
            const sample = `${name}: ${column}`;
            if (samples[sample] === undefined) return "-";
            const standard = of(`${way ? ONE_PUT : SHIPPED}: ${column}`);
            return `${figure(of(sample))} (${figure(of(sample) / standard)})`;
        }),
    ]);
    return { head: ["MB/s, requests/s", ...head], rows };
}

/**
 * What TLS is agreed on with this machine's openssl.
 *
 * @param {Changed} side
 */
async function cipherOf({ host, port }) {
    const { stdout } = await run("openssl", ["s_client", "-connect", `${host}:${port}`]);
    return /^New, (TLS\S+, Cipher is \S+)/m.exec(stdout)?.[1] ?? "no cipher was seen";
}
