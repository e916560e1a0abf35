// @ts-check
// What a registry holds, read from its files: no account is needed, the registry need not run, and its log does not fill with
// questions of ours, which would push out who used it.
import { text } from "node:stream/consumers";
import { listTags, readFiles } from "../maintenance/data-files.mjs";
import { manifestOf } from "../maintenance/images.mjs";
import { MaintenanceError } from "../maintenance/registry.mjs";

const STORAGE = "docker/registry/v2";

/** @typedef {import("../maintenance/images.mjs").Manifest} Manifest */

/** Answers as `Images` does; of manifests only those that it was told to prepare. */
export class StoredImages {
    /** @type {Map<string, string[]>} */
    #tags = new Map();
    /** By file name. @type {Map<string, string>} */
    #links = new Map();
    /** By digest. @type {Map<string, Manifest>} */
    #manifests = new Map();
    /** Digests of what is no manifest. @type {Set<string>} */
    #damaged = new Set();

    /** @param {import("../maintenance/data-files.mjs").Place} place */
    constructor(place) {
        this.place = place;
    }

    /** @param {number} limit */
    async repositories(limit) {
        this.#tags = await listTags(this.place);
        return [...this.#tags.keys()].sort().slice(0, limit);
    }

    /** @param {string} repository */
    async tagNames(repository) {
        return (this.#tags.get(repository) ?? []).sort();
    }

    /**
     * Reads the manifests of these tags, and of the images that they are indexes of.
     *
     * @param {readonly { repository: string, tag: string }[]} tags
     */
    async prepare(tags) {
        const links = tags.map(({ repository, tag }) => linkOf(repository, tag));
        for await (const { name, body } of readFiles(this.place, links)) {
            this.#links.set(name, (await text(body())).trim());
        }
        let digests = new Set(this.#links.values());
        while (digests.size > 0) digests = await this.#readManifests(digests);
    }

    /**
     * @param {string} repository
     * @param {string} reference tag or digest
     */
    async manifest(repository, reference) {
        const digest = this.#links.get(linkOf(repository, reference)) ?? reference;
        if (this.#damaged.has(digest)) throw new MaintenanceError(`${digest} is damaged`);
        return this.#manifests.get(digest);
    }

    /**
     * @param {ReadonlySet<string>} digests
     * @returns {Promise<Set<string>>} of parts that are not read yet
     */
    async #readManifests(digests) {
        /** @type {Set<string>} */
        const parts = new Set();
        const names = [...digests].flatMap((digest) => blobOf(digest) ?? []);
        for await (const { name, body } of readFiles(this.place, names)) {
            const hex = /\/([0-9a-f]{64})\/data$/.exec(name)?.[1] ?? "";
            const digest = `sha256:${hex}`;
            try {
                const manifest = manifestOf(digest, await text(body()));
                this.#manifests.set(digest, manifest);
                manifest.parts.forEach((part) => parts.add(part));
            } catch {
                this.#damaged.add(digest);
            }
        }
        return new Set([...parts].filter((part) => !this.#manifests.has(part)));
    }
}

/**
 * @param {string} repository
 * @param {string} tag
 */
function linkOf(repository, tag) {
    return `${STORAGE}/repositories/${repository}/_manifests/tags/${tag}/current/link`;
}

/** @param {string} digest */
function blobOf(digest) {
    const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    return hex === undefined ? undefined : `${STORAGE}/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
}
