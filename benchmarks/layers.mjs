// @ts-check
// The bytes that transfers are measured with: the same amount in as many layers as asked for, never twice the same ones.
import { createHash, randomFillSync } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const MEBIBYTE = 1024 * 1024;

/** @typedef {{ file: string, digest: string, bytes: number }} Layer */

/**
 * Makes layers of random bytes in a folder.
 *
 * @param {string} folder
 * @param {number} mebibytes of all layers together
 * @param {number} count
 * @returns {Promise<Layer[]>}
 */
export async function makeLayers(folder, mebibytes, count) {
    const place = join(folder, String(count));
    await mkdir(place, { recursive: true });
    const bytes = (mebibytes / count) * MEBIBYTE;
    const chunk = Buffer.alloc(MEBIBYTE);
    const layers = [];
    for (let index = 0; index < count; index++) {
        const file = join(place, String(index));
        const handle = await open(file, "w");
        for (let written = 0; written < bytes; written += chunk.length) {
            await handle.write(randomFillSync(chunk));
        }
        await handle.close();
        layers.push({ file, digest: await digestOf(file), bytes });
    }
    return layers;
}

/**
 * An image's configuration for these layers, as a file beside them.
 *
 * @param {string} folder
 * @param {readonly Layer[]} layers
 * @returns {Promise<Layer>}
 */
export async function makeConfig(folder, layers) {
    const file = join(folder, "config");
    const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
    const text = JSON.stringify({ architecture: "amd64", os: "linux", rootfs });
    await writeFile(file, text);
    return { file, digest: await digestOf(file), bytes: text.length };
}

/**
 * Makes other layers of these: a registry that has a layer already has less to do.
 *
 * @param {Layer[]} layers
 */
export async function renew(layers) {
    for (const layer of layers) {
        const handle = await open(layer.file, "r+");
        await handle.write(randomFillSync(Buffer.alloc(32)), 0, 32, 0);
        await handle.close();
        layer.digest = await digestOf(layer.file);
    }
}

/** @param {string} file */
async function digestOf(file) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(file, { highWaterMark: MEBIBYTE }), hash);
    return `sha256:${hash.digest("hex")}`;
}
