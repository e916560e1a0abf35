// @ts-check
// What goes into a backup, looked at as it passes: is each blob what its name says, and is everything there that a tag
// or a manifest names?
import { createHash } from "node:crypto";

/** No registry takes a larger manifest. */
const MANIFEST_BYTES = 4 << 20;

/** @typedef {import("./backup-file.mjs").ImageFile} ImageFile */

export class Inventory {
    /** Digest by `repository:tag`. @type {Map<string, string>} */
    #tags = new Map();
    /** `repository@digest` of every manifest. @type {Set<string>} */
    #revisions = new Set();
    /** @type {Set<string>} */
    #manifests = new Set();
    /** @type {Set<string>} */
    #blobs = new Set();
    /** What each manifest names, by the digest that it names. @type {Map<string, string>} */
    #wanted = new Map();
    /** @type {string[]} */
    #damaged = [];

    /**
     * Hands the bytes of a file on, and learns from them.
     *
     * @param {ImageFile} file
     * @returns {AsyncGenerator<Buffer>}
     */
    async *pass({ name, size, body }) {
        const blob = /\/blobs\/([^/]+)\/..\/([^/]+)\/data$/.exec(name);
        if (blob !== null) {
            yield* this.#passBlob(blob[1] ?? "", blob[2] ?? "", size, body());
            return;
        }
        const chunks = [];
        for await (const chunk of body()) {
            chunks.push(chunk);
            yield chunk;
        }
        const path = name.slice("docker/registry/v2/repositories/".length);
        const tag = /^(.*)\/_manifests\/tags\/([^/]+)\/current\/link$/.exec(path);
        const revision = /^(.*)\/_manifests\/revisions\/([^/]+)\/([^/]+)\/link$/.exec(path);
        if (tag !== null) this.#tags.set(`${tag[1]}:${tag[2]}`, Buffer.concat(chunks).toString());
        if (revision !== null) {
            const digest = `${revision[2]}:${revision[3]}`;
            this.#revisions.add(`${revision[1]}@${digest}`);
            this.#manifests.add(digest);
        }
    }

    /**
     * @param {string} algorithm
     * @param {string} hex
     * @param {number} size
     * @param {AsyncGenerator<Buffer>} body
     */
    async *#passBlob(algorithm, hex, size, body) {
        const digest = `${algorithm}:${hex}`;
        const isManifest = this.#manifests.has(digest) && size <= MANIFEST_BYTES;
        const hash = createHash(algorithm);
        const chunks = [];
        for await (const chunk of body) {
            hash.update(chunk);
            if (isManifest) chunks.push(chunk);
            yield chunk;
        }
        this.#blobs.add(digest);
        if (hash.digest("hex") !== hex) this.#damaged.push(digest);
        else if (isManifest) this.#readManifest(digest, Buffer.concat(chunks).toString());
    }

    /**
     * @param {string} digest
     * @param {string} text
     */
    #readManifest(digest, text) {
        /** @type {any} */
        const manifest = JSON.parse(text);
        const { config, layers = [], manifests = [], fsLayers = [] } = manifest;
        const named = [config, ...layers, ...manifests]
            // Layers with addresses of their own are not the registry's.
            .filter((part) => part !== undefined && part.urls === undefined)
            .map((part) => part.digest);
        for (const part of [...named, ...fsLayers.map((/** @type {any} */ { blobSum }) => blobSum)])
            this.#wanted.set(part, digest);
    }

    /** What the registry itself is wrong in, one line each; a tag that was deleted meanwhile is nothing wrong. */
    problems() {
        const damaged = this.#damaged.map((digest) => `${digest} is not what its name says`);
        const missing = [...this.#wanted]
            .filter(([part]) => !this.#blobs.has(part))
            .map(([part, manifest]) => `${part} is not there; the manifest ${manifest} names it`);
        const dangling = [...this.#tags]
            .filter(([tag, digest]) => {
                const repository = tag.slice(0, tag.lastIndexOf(":"));
                return this.#revisions.has(`${repository}@${digest}`) && !this.#blobs.has(digest);
            })
            .map(([tag, digest]) => `${digest} is not there; the tag ${tag} names it`);
        return [...damaged, ...missing, ...dangling];
    }

    counts() {
        const repositories = new Set([...this.#tags.keys()].map((tag) => tag.replace(/:.*$/, "")));
        return { repositories: repositories.size, tags: this.#tags.size, blobs: this.#blobs.size };
    }
}
