// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { costOf } from "./fleet/cost.mjs";
import { makeConfig, makeLayers } from "./layers.mjs";
import { interleave, median, percentile, ROUNDS as MOST_ROUNDS } from "./measure.mjs";
import { cpuSeconds } from "./processes.mjs";
import { figure } from "./readme.mjs";
import { BARE, GATEWAY, OURS, withSides } from "./sides.mjs";
import { IMAGE, push, pushManifest } from "./transfers.mjs";

const CLIENTS = 50;
const LAYERS = 10;
const MEBIBYTES = 80;
const ROUNDS = Math.min(3, MOST_ROUNDS);

export const requires = { skopeo: "skopeo" };
export const tools = ["skopeo"];
export const title = "Many clients that pull one image at once";
export const about = `
An image of ${LAYERS} layers, ${MEBIBYTES} MiB of random bytes, is pulled by one client, and by ${CLIENTS} that begin at the same moment: from a bare container of
the same registry with TLS and no accounts, from our stack, and from our stack with a gateway and permissions. A client is \`skopeo copy\` into a
folder, which checks every byte. Clients and registry share the machine: a fair time for all is the CPU that one pull takes on both sides, times
${CLIENTS}, on all processors. "Checks" is the CPU that the containers of a side take for ${CLIENTS} pulls beyond the bare registry's: with the
registry alone that is the passwords, with a gateway it is the gateway too. Medians of three rounds after a warm-up.`;

/** @typedef {import("./sides.mjs").Side} Side */
/** @typedef {{ times: number[], server: number, clients: number }} Crowd seconds of each pull, and CPU seconds */

/** Measures one client and many. */
export function measure() {
    return withSides(compare);
}

/** @param {import("./sides.mjs").Place} place */
async function compare({ sides, folder }) {
    const files = join(folder, "layers");
    const layers = await makeLayers(files, MEBIBYTES, LAYERS);
    const config = await makeConfig(files, layers);
    /** @type {Map<string, Crowd[]>} */
    const crowds = new Map();
    for (const side of sides) {
        await push(side, [config, ...layers], 1);
        await pushManifest(side, config, layers);
    }
    const clients = sides.map((side) => ({ side, script: makeClient(folder, side) }));
    /** @type {import("./measure.mjs").Subject[][]} */
    const subjects = [1, CLIENTS].map((count) =>
        clients.map(({ side, script }) => {
            const name = nameOf(side.name, count);
            const measure = async () => {
                const crowd = await pullAtOnce(side, script, count);
                crowds.set(name, [...(crowds.get(name) ?? []), crowd]);
                return percentile(crowd.times, 95);
            };
            return [name, measure];
        }),
    );
    const samples = await interleave(subjects, { rounds: ROUNDS });
    return report(samples, (name, value) =>
        // The first is the warm-up's.
        median((crowds.get(name) ?? []).slice(1).map(value)),
    );
}

/**
 * @param {Record<string, number[]>} samples
 * @param {(name: string, value: (crowd: Crowd) => number) => number} of
 */
function report(samples, of) {
    const many = (/** @type {string} */ side, /** @type {(crowd: Crowd) => number} */ value) =>
        of(nameOf(side, CLIENTS), value);
    const p95 = (/** @type {Crowd} */ { times }) => percentile(times, 95);
    const fair = (/** @type {string} */ side) =>
        (of(nameOf(side, 1), ({ server, clients }) => server + clients) * CLIENTS) / cpus().length;
    const checks = (/** @type {string} */ side) =>
        many(side, ({ server }) => server) - many(BARE, ({ server }) => server);
    const rows = Object.keys(samples).map((name) => [
        name,
        figure(of(name, ({ times }) => percentile(times, 50))),
        figure(of(name, p95)),
        figure(of(name, ({ times }) => Math.max(...times))),
        figure(of(name, ({ server }) => server)),
        figure(of(name, ({ clients }) => clients)),
    ]);
    const head = ["seconds", "half of them", "95 of 100", "all", "registry's CPU", "clients' CPU"];
    return {
        unit: "s",
        samples,
        tables: [{ head, rows }],
        ratios: [OURS, GATEWAY].flatMap((side) => [
            {
                name: `${side}: 95 of 100 / fair time`,
                value: many(side, p95) / fair(side),
                aim: "<= 2",
            },
            {
                name: `${side}: 95 of 100 / registry alone`,
                value: many(side, p95) / many(BARE, p95),
            },
            {
                name: `${side}: checks / CPU of both sides`,
                value: checks(side) / many(side, ({ server, clients }) => server + clients),
                ...(side === OURS && { aim: "<= 0.05" }),
            },
            {
                name: `${side}: checks / CPU of the registry's side`,
                value: checks(side) / many(side, ({ server }) => server),
            },
        ]),
        facts: [],
    };
}

/**
 * @param {Side} side
 * @param {string} script
 * @param {number} count
 * @returns {Promise<Crowd>}
 */
async function pullAtOnce({ containers }, script, count) {
    const before = await cpuSeconds(containers);
    const input = Array.from({ length: count }, (_, index) => index).join("\n");
    const cost = await costOf("xargs", ["-n", "1", "-P", String(count), "sh", script], { input });
    if (cost.code !== 0) throw new Error(`clients: ${cost.stderr.slice(-2000)}`);
    const server = (await cpuSeconds(containers)) - before;
    const times = cost.stdout
        .trim()
        .split("\n")
        .map((line) => {
            const [began = NaN, ended = NaN] = line.split(" ").map(Number);
            return ended - began;
        });
    return { times, server, clients: cost.cpu };
}

/**
 * A script that pulls into the folder that it is given the number of, and says when it began and ended.
 *
 * @param {string} folder
 * @param {Side} side
 */
function makeClient(folder, { name, host, port, account }) {
    const place = join(folder, "client", name.replaceAll(/\W/g, ""));
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const auths = account === "" ? {} : { [`${host}:${port}`]: { auth: btoa(account) } };
    writeFileSync(join(place, "auth.json"), JSON.stringify({ auths }), { mode: 0o600 });
    const script = join(place, "pull.sh");
    const lines = [
        "set -eu",
        `cd '${place}'`,
        "began=$(date +%s.%N)",
        // The certificate is nobody's business here: a test of trust is elsewhere.
        `skopeo --insecure-policy copy --quiet --src-tls-verify=false --authfile auth.json docker://${host}:${port}/${IMAGE} "dir:$1"`,
        'echo "$began $(date +%s.%N)"',
        'rm -r "$1"',
    ];
    writeFileSync(script, `${lines.join("\n")}\n`);
    return script;
}

/**
 * @param {string} side
 * @param {number} count
 */
function nameOf(side, count) {
    return `${side}, ${count === 1 ? "1 client" : `${count} clients`}`;
}
