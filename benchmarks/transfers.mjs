// @ts-check
// Pushes and pulls by curl, which is quick enough not to be what is measured.
import { seconds } from "./measure.mjs";
import { must } from "./run.mjs";

export const REPOSITORY = "bench/blobs";
const TAG = "bench";
/** What `pushManifest` pushes, without the registry's name. */
export const IMAGE = `${REPOSITORY}:${TAG}`;
const PATH = `/v2/${REPOSITORY}`;
/** How many layers Docker sends, and fetches, at a time. */
const SENT_AT_ONCE = 5;
const FETCHED_AT_ONCE = 3;

/** @typedef {import("./sides.mjs").Side} Side */
/** @typedef {import("./layers.mjs").Layer} Layer */

/**
 * Pushes layers as clients do: a POST and a PUT for each. Returns the seconds.
 *
 * @param {Side} side
 * @param {readonly Layer[]} layers at least one for each client
 * @param {number} clients that share the layers
 */
export function push(side, layers, clients) {
    return seconds(() =>
        Promise.all(
            split(layers, clients).map(async (share) => {
                const upload = `${at(side)}${PATH}/blobs/uploads/`;
                const begun = await curl(side, SENT_AT_ONCE, [
                    "request = POST",
                    'dump-header = "-"',
                    ...share.flatMap(() => [`url = "${upload}"`, 'output = "/dev/null"']),
                ]);
                const locations = [...begun.matchAll(/^location: (\S+)/gim)];
                if (locations.length !== share.length) throw new Error(`no uploads:\n${begun}`);
                await curl(
                    side,
                    SENT_AT_ONCE,
                    share.flatMap(({ file, digest }, index) => [
                        `upload-file = "${file}"`,
                        `url = "${locations[index]?.[1]}&digest=${digest}"`,
                        'output = "/dev/null"',
                    ]),
                );
            }),
        ),
    );
}

/**
 * Pulls layers into nothing. Returns the seconds.
 *
 * @param {Side} side
 * @param {readonly Layer[]} layers
 * @param {number} clients that share the layers, or that all pull the same ones where there are fewer than clients
 * @param {{ http2?: boolean }} options
 */
export function pull(side, layers, clients, { http2 = false } = {}) {
    return seconds(() =>
        Promise.all(
            split(layers, clients).map((share) =>
                curl(
                    side,
                    FETCHED_AT_ONCE,
                    share.flatMap(({ digest }) => [
                        `url = "${blob(side, digest)}"`,
                        'output = "/dev/null"',
                    ]),
                    http2,
                ),
            ),
        ),
    );
}

/**
 * Empties a registry's disk, which would be full otherwise. No layer is pushed a second time, so what it remembers does no harm.
 *
 * @param {Pick<Side, "container">} side
 */
export async function forget({ container }) {
    const remove = ["busybox", "rm", "-rf", "/var/lib/registry/docker"];
    await must("docker", ["exec", container, ...remove]);
}

/** What `pushManifest` pushes, and who asks for it has to accept. */
export const MANIFEST = {
    path: `${PATH}/manifests/${TAG}`,
    accept: "application/vnd.oci.image.manifest.v1+json",
};

/**
 * Pushes the manifest of an image whose parts are there already.
 *
 * @param {Side} side
 * @param {Layer} config
 * @param {readonly Layer[]} layers
 */
export async function pushManifest(side, config, layers) {
    const descriptor = (/** @type {string} */ type, /** @type {Layer} */ { digest, bytes }) => ({
        mediaType: `application/vnd.oci.image.${type}`,
        digest,
        size: bytes,
    });
    const manifest = {
        schemaVersion: 2,
        mediaType: MANIFEST.accept,
        config: descriptor("config.v1+json", config),
        layers: layers.map((layer) => descriptor("layer.v1.tar", layer)),
    };
    await curl(side, 1, [
        "request = PUT",
        `header = "Content-Type: ${MANIFEST.accept}"`,
        `data-binary = ${JSON.stringify(JSON.stringify(manifest))}`,
        `url = "${at(side)}${MANIFEST.path}"`,
    ]);
}

/**
 * Milliseconds from a request that is sent to the first byte of its answer, on a new connection.
 *
 * @param {Side} side
 * @param {Layer} layer
 */
export async function firstByte(side, { digest }) {
    const [sent = 0, first = 0] = (
        await curl(side, 1, [
            'range = "0-99"',
            `url = "${blob(side, digest)}"`,
            'output = "/dev/null"',
            'write-out = "%{time_pretransfer} %{time_starttransfer}"',
        ])
    )
        .split(" ")
        .map(Number);
    return (first - sent) * 1000;
}

/**
 * Runs curl with its options on standard input, where an account is in no list of processes.
 *
 * @param {Side} side
 * @param {number} atOnce
 * @param {readonly string[]} options
 */
function curl({ account, curlOptions = [] }, atOnce, options, http2 = false) {
    const input = [
        ...(account === "" ? [] : [`user = "${account}"`]),
        // The certificate is nobody's business here: a test of trust is elsewhere.
        ...["insecure", "silent", "show-error", "fail", http2 ? "http2" : "http1.1"],
        ...(atOnce > 1 ? ["parallel", `parallel-max = ${atOnce}`] : []),
        ...curlOptions,
        ...options,
    ];
    return must("curl", ["--config", "-"], { input: `${input.join("\n")}\n` });
}

/** @param {Pick<Side, "host" | "port" | "isPlain">} side */
export function at({ host, port, isPlain }) {
    return `${isPlain ? "http" : "https"}://${host}:${port}`;
}

/**
 * @param {Side} side
 * @param {string} digest
 */
function blob(side, digest) {
    return `${at(side)}${PATH}/blobs/${digest}`;
}

/**
 * What each client has to do: its share, or all of it where there is not enough to share.
 *
 * @param {readonly Layer[]} layers
 * @param {number} clients
 */
export function split(layers, clients) {
    return Array.from({ length: clients }, (_, client) =>
        layers.length < clients
            ? layers
            : layers.filter((_layer, index) => index % clients === client),
    );
}
