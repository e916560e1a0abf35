// @ts-check
import { join } from "node:path";
import { drawBars } from "./bars.mjs";
import * as floors from "./floors.mjs";
import { makeLayers, renew } from "./layers.mjs";
import { CLIENTS, findClient, SECONDS } from "./load.mjs";
import { interleave, median, medians, say } from "./measure.mjs";
import { cpuSeconds, peakMemory } from "./processes.mjs";
import { figure } from "./readme.mjs";
import { BARE, GATEWAY, OURS, SIDES, withSides } from "./sides.mjs";
import { firstByte, forget, MANIFEST, pull, push, pushManifest } from "./transfers.mjs";

const MEBIBYTES = Number(process.env.BENCH_MEBIBYTES ?? 1024);
/** What is measured last stays for what follows: one layer. */
const LAYERS = [64, 8, 1];
const AT_ONCE = [8, 1];
const HTTP2 = "pull over HTTP/2, registry alone";

export const tools = ["ab", "curl", "openssl"];
export const title = "Pushes and pulls beside the bare registry and the machine's own limits";
export const about = `
A bare container of the same registry with TLS and no accounts, our stack, and our stack with a gateway and permissions. ${MEBIBYTES} MiB of
random bytes in so many layers are pushed and pulled by curl over HTTP/1.1, as Docker speaks it: by one client, or shared by ${AT_ONCE[0]} at
once; each sends up to 5 layers at a time and fetches 3, as Docker does. Of 1 layer and ${AT_ONCE[0]} clients, each pushes a layer of its own of
${MEBIBYTES / (AT_ONCE[0] ?? 1)} MiB, and all of them pull one and the same. All of it goes to the address of a bridge of Docker's: on 127.0.0.1
every byte passes Docker's own proxy as well, which no other host meets. Clients and registry share the machine. The floors are the same
bytes as one file: copied on the disk (\`dd conv=fdatasync\`), sent by \`openssl s_server\` to curl, hashed by \`sha256sum\`. Manifests
are asked for by ${CLIENTS} clients that keep their connection, ${SECONDS} seconds a sample.

What limits what: a layer that is pushed is received, hashed and written by one thread, which is the speed of sha256; HTTP/2 costs more CPU for
each byte ([why](../docs/decisions/0016-no-http2.md)); many small layers cost a check of the password each; and behind a gateway the bytes pass
a second process, on the cores that all of them share ([what was tried](../docs/decisions/0013-a-gateway-of-two.md)). What the registry's other settings are
worth: see settings, below.`;

/** @typedef {import("./sides.mjs").Side} Side */

/** Measures pushes, pulls, manifests and first bytes. */
export function measure() {
    return withSides(compare);
}

/** @param {import("./sides.mjs").Place} place */
async function compare({ sides, host, folder, certificates }) {
    const { rate, fact } = await findClient();
    const bytes = join(folder, "layers");
    /** @type {Map<number, import("./layers.mjs").Layer[]>} */
    const all = new Map();
    for (const count of new Set([...LAYERS, Math.max(...AT_ONCE)])) {
        say(`making ${MEBIBYTES} MiB in ${count === 1 ? "1 layer" : `${count} layers`}`);
        all.set(count, await makeLayers(bytes, MEBIBYTES, count));
    }
    const layersOf = (/** @type {number} */ count) => all.get(count) ?? [];
    const [bare] = sides;
    const [whole] = layersOf(1);
    if (bare === undefined || whole === undefined) throw new Error("nothing to compare");
    const tls = await floors.startTlsServer(host, certificates, bytes);
    try {
        /** @type {Map<string, number[]>} */
        const cpu = new Map();
        const byLayers = await interleave([
            ...LAYERS.flatMap((count) =>
                AT_ONCE.flatMap((clients) =>
                    transfers(sides, layersOf(Math.max(count, clients)), count, clients, cpu),
                ),
            ),
            [HTTP2, async () => speed(await pull(bare, [whole], 1, { http2: true }))],
            ["floor: copy", async () => speed(await floors.copy(whole.file))],
            ["floor: TLS", async () => speed(await floors.send(`${tls.url}/1/0`))],
            ["floor: sha256", async () => speed(await floors.hash(whole.file))],
        ]);
        for (const side of sides) await pushManifest(side, whole, [whole]);
        const samples = {
            ...byLayers,
            ...(await interleave([
                sides.map(({ name, port, account }) => [
                    `manifests, ${name}`,
                    rate(port, account || undefined, { host, ...MANIFEST }),
                ]),
            ])),
            ...(await interleave(
                [sides.map((side) => [`first byte, ${side.name}`, () => firstByte(side, whole)])],
                { rounds: 20 },
            )),
        };
        const memory = await Promise.all(
            sides.map(async ({ name, container }) => {
                return `${name} ${figure((await peakMemory(container)) / 1e6)} MB`;
            }),
        );
        return {
            ...report(samples, cpu),
            facts: [fact, `The most memory that the registry's process had: ${memory.join(", ")}.`],
        };
    } finally {
        tls.stop();
    }
}

/**
 * A push and then a pull for each side.
 *
 * @param {readonly Side[]} sides
 * @param {import("./layers.mjs").Layer[]} layers that are pushed, at least one by each client
 * @param {number} count of those that are pulled
 * @param {number} clients
 * @param {Map<string, number[]>} cpu filled with the CPU seconds a GiB of what serves, by the name of the sample
 * @returns {import("./measure.mjs").Subject[][]}
 */
function transfers(sides, layers, count, clients, cpu) {
    /** @type {(name: string, side: Side, act: () => Promise<number>) => Promise<number>} */
    const measure = async (name, { containers }, act) => {
        const before = await cpuSeconds(containers);
        const took = await act();
        const used = (await cpuSeconds(containers)) - before;
        cpu.set(name, [...(cpu.get(name) ?? []), used / (MEBIBYTES / 1024)]);
        return speed(took);
    };
    let pushes = 0;
    return [
        sides.map((side) => {
            const name = nameOf("push", count, clients, side.name);
            const pushAll = async () => {
                await forget(side);
                if (pushes++ % sides.length === 0) await renew(layers);
                return measure(name, side, () => push(side, layers, clients));
            };
            return [name, pushAll];
        }),
        sides.map((side) => {
            const name = nameOf("pull", count, clients, side.name);
            const some = layers.slice(0, count);
            return [name, () => measure(name, side, () => pull(side, some, clients))];
        }),
    ];
}

/**
 * @param {"push" | "pull"} action
 * @param {number} count
 * @param {number} clients
 * @param {string} side
 */
function nameOf(action, count, clients, side) {
    const layers = count === 1 ? "1 layer" : `${count} layers`;
    return `${action}, ${layers}, ${clients === 1 ? "1 client" : `${clients} clients`}, ${side}`;
}

/**
 * MB/s of all bytes together.
 *
 * @param {number} took seconds
 */
function speed(took) {
    return (MEBIBYTES * 1.048576) / took;
}

/**
 * @param {Record<string, number[]>} samples
 * @param {Map<string, number[]>} cpu
 */
function report(samples, cpu) {
    const of = medians(samples);
    const cases = LAYERS.flatMap((count) =>
        AT_ONCE.flatMap((clients) =>
            /** @type {const} */ (["push", "pull"]).map((action) => ({
                label: nameOf(action, count, clients, "").replace(/, $/, ""),
                names: SIDES.map((side) => nameOf(action, count, clients, side)),
            })),
        ),
    );
    const rows = cases.map(({ label, names }) => [
        label,
        ...names.map((name) => figure(of(name))),
        ...names.map((name) => figure(median(cpu.get(name) ?? []))),
    ]);
    const others = Object.keys(samples).filter(
        (name) => !cases.some(({ names }) => names.includes(name)),
    );
    const ratio = (/** @type {string} */ name, /** @type {string} */ aim = "") => {
        const [what = "", side = ""] = name.split(": ");
        return {
            name,
            value: of(`${what}, ${side}`) / of(`${what}, ${BARE}`),
            ...(aim && { aim }),
        };
    };
    const least = (/** @type {string} */ action, /** @type {number} */ side) =>
        Math.min(
            ...cases
                .filter(({ label }) => label.startsWith(action))
                .map(({ names }) => of(names[side] ?? "") / of(names[0] ?? "")),
        );
    return {
        unit: "MB/s; manifests: requests/s; first byte: ms",
        samples,
        tables: [
            {
                head: ["MB/s", ...SIDES, ...SIDES.map((side) => `${side}: CPU s a GiB`)],
                rows,
            },
            { head: ["others", "median"], rows: others.map((name) => [name, figure(of(name))]) },
        ],
        ratios: [
            {
                name: "pull, least of all: ours / registry alone",
                value: least("pull", 1),
                aim: ">= 0.95",
            },
            {
                name: "push, least of all: ours / registry alone",
                value: least("push", 1),
                aim: ">= 0.95",
            },
            {
                name: "pull, least of all: gateway / registry alone",
                value: least("pull", 2),
                aim: ">= 0.9",
            },
            { name: "push, least of all: gateway / registry alone", value: least("push", 2) },
            {
                name: "push, 1 layer: ours / copy on the disk",
                value: of(nameOf("push", 1, 1, OURS)) / of("floor: copy"),
                aim: ">= 0.9",
            },
            {
                name: "pull, 1 layer: ours / TLS",
                value: of(nameOf("pull", 1, 1, OURS)) / of("floor: TLS"),
            },
            {
                name: "pull, 1 layer, registry alone: HTTP/2 / HTTP/1.1",
                value: of(HTTP2) / of(nameOf("pull", 1, 1, BARE)),
            },
            ratio(`manifests: ${OURS}`),
            ratio(`manifests: ${GATEWAY}`),
            ratio(`first byte: ${OURS}`),
            ratio(`first byte: ${GATEWAY}`),
        ],
        picture: drawBars(
            `${MEBIBYTES} MiB, MB/s`,
            SIDES,
            cases.map(({ label, names }) => ({ label, values: names.map(of) })),
            figure,
        ),
    };
}
