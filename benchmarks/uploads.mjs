// @ts-check
// Ways to upload one layer, each by the same client: on one connection of Node.js.
import { createReadStream } from "node:fs";
import { Agent, request } from "node:https";
import { seconds } from "./measure.mjs";
import { at, REPOSITORY } from "./transfers.mjs";

/** @typedef {import("./sides.mjs").Side} Side */
/** @typedef {import("./layers.mjs").Layer} Layer */
/** @typedef {{ start: number, end: number }} Part first and last byte of a file */
/** @typedef {(method: string, url: string, sent?: { layer: Layer, part: Part }) => Promise<string>} Ask */

/** @typedef {(ask: Ask, begun: string, layer: Layer) => Promise<string>} Way */

/**
 * A PUT with all of it.
 *
 * @type {Way}
 */
export const whole = (ask, begun, layer) =>
    ask("PUT", ended(begun, layer), { layer, part: { start: 0, end: layer.bytes - 1 } });

/**
 * A PATCH with all of it and an empty PUT, as Docker does.
 *
 * @type {Way}
 */
export const patched = (ask, begun, layer) => inChunks(layer.bytes)(ask, begun, layer);

/**
 * So many bytes a PATCH, and an empty PUT.
 *
 * @param {number} size
 * @returns {Way}
 */
export const inChunks = (size) => async (ask, begun, layer) => {
    let location = begun;
    for (let start = 0; start < layer.bytes; start += size) {
        const end = Math.min(start + size, layer.bytes) - 1;
        location = await ask("PATCH", location, { layer, part: { start, end } });
    }
    return ask("PUT", ended(location, layer));
};

/**
 * Uploads layers one after the other. Returns the seconds.
 *
 * @param {Side} side
 * @param {readonly Layer[]} layers
 * @param {Way} way
 */
export async function upload(side, layers, way) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    /** @type {Ask} */
    const ask = (method, url, sent) => send(agent, method, url, sent);
    try {
        return await seconds(async () => {
            for (const layer of layers) {
                const begun = await ask("POST", `${at(side)}/v2/${REPOSITORY}/blobs/uploads/`);
                await way(ask, begun, layer);
            }
        });
    } finally {
        agent.destroy();
    }
}

/**
 * @param {string} location
 * @param {Layer} layer
 */
function ended(location, { digest }) {
    const url = new URL(location);
    url.searchParams.set("digest", digest);
    return url.href;
}

/**
 * Sends a part of a layer, or nothing; returns where to go on.
 *
 * @param {Agent} agent
 * @param {string} method
 * @param {string} url
 * @param {{ layer: Layer, part: Part }} [sent]
 * @returns {Promise<string>}
 */
function send(agent, method, url, sent) {
    return new Promise((resolve, reject) => {
        const { start, end } = sent?.part ?? { start: 0, end: -1 };
        const headers = {
            "content-type": "application/octet-stream",
            "content-length": end - start + 1,
            ...(method === "PATCH" && { "content-range": `${start}-${end}` }),
        };
        const call = request(url, { method, agent, headers }, (response) => {
            response.resume().on("end", () => {
                const { statusCode = 0, headers: got } = response;
                if (statusCode >= 300) reject(new Error(`${method}: status ${statusCode}`));
                else resolve(got.location ?? "");
            });
        });
        call.on("error", reject);
        if (sent === undefined) call.end();
        else createReadStream(sent.layer.file, { start, end, highWaterMark: 1 << 20 }).pipe(call);
    });
}
