// @ts-check
// What a registry holds: repositories, tags, manifests, and when images were made.
import { ask } from "./api.mjs";
import { DATA, docker, MaintenanceError, SETTINGS } from "./registry.mjs";

const STORAGE = `${DATA}/docker/registry/v2/repositories`;
const CONFIG = `${SETTINGS}/config.yml`;
const INDEXES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFESTS = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const ACCEPT = [...INDEXES, ...MANIFESTS].join(", ");

/** @typedef {import("./registry.mjs").Registry} Registry */

/**
 * What is known of a manifest; the rest of it is not kept.
 *
 * @typedef {object} Manifest
 * @property {string} digest
 * @property {string[]} refersTo digests of manifests: an index's own, and the one that it is about
 * @property {string[]} parts digests of an index's own manifests
 * @property {string | undefined} config digest of an image's configuration
 * @property {[digest: string, bytes: number][]} blobs that the registry has for it, itself included
 */

/** Reads one registry, each manifest and each configuration once. */
export class Images {
    /** @type {Map<string, Promise<Manifest | undefined>>} */
    #manifests = new Map();
    /** @type {Map<string, Promise<number | undefined>>} */
    #created = new Map();

    /**
     * @param {Registry} registry
     * @param {string} [mark] a query that the log shows with each request; the registry does not mind it
     */
    constructor(registry, mark) {
        this.registry = registry;
        this.mark = mark;
    }

    /**
     * @param {number} [limit] so many at least, when there are so many
     * @returns {Promise<string[]>}
     */
    async repositories(limit = Infinity) {
        /** @type {string[]} */
        const names = [];
        for await (const { repositories } of this.#pages("/v2/_catalog?n=100")) {
            names.push(...(repositories ?? []));
            if (names.length >= limit) break;
        }
        return names.sort();
    }

    /**
     * @param {string} repository
     * @returns {Promise<string[]>}
     */
    async tagNames(repository) {
        /** @type {string[]} */
        const names = [];
        for await (const { tags } of this.#pages(`/v2/${repository}/tags/list?n=100`)) {
            names.push(...(tags ?? []));
        }
        return names;
    }

    /**
     * Tags with the digest that each names now, and when that image was made.
     *
     * @param {string} repository
     * @returns {Promise<import("../../lib/retention-verdicts.js").Tag[]>}
     */
    async tags(repository) {
        const names = await this.tagNames(repository);
        const tags = await Promise.all(
            names.map(async (name) => {
                const manifest = await this.manifest(repository, name);
                return manifest === undefined
                    ? []
                    : [
                          {
                              name,
                              digest: manifest.digest,
                              created: await this.created(repository, manifest),
                          },
                      ];
            }),
        );
        return tags.flat();
    }

    /**
     * @param {string} repository
     * @param {string} reference tag or digest
     * @returns {Promise<Manifest | undefined>} undefined when there is none
     */
    manifest(repository, reference) {
        return remember(this.#manifests, `${repository}@${reference}`, async () => {
            const path = `/v2/${repository}/manifests/${reference}`;
            const answer = await this.#ask(path, ACCEPT);
            if (answer.status === 404) return undefined;
            return manifestOf(String(answer.headers["docker-content-digest"]), must(answer, path));
        });
    }

    /**
     * When an image was made; of an index, when the newest of its images was.
     *
     * @param {string} repository
     * @param {Manifest} manifest
     * @returns {Promise<number | undefined>}
     */
    created(repository, { config, refersTo, digest }) {
        return remember(this.#created, digest, async () => {
            if (config === undefined) {
                const dates = await Promise.all(
                    refersTo.map(async (child) => {
                        const manifest = await this.manifest(repository, child);
                        return manifest?.config && this.created(repository, manifest);
                    }),
                );
                const known = dates.filter((date) => typeof date === "number");
                return known.length === 0 ? undefined : Math.max(...known);
            }
            const { status, body } = await this.#ask(`/v2/${repository}/blobs/${config}`);
            return status === 200 ? dateOf(body) : undefined;
        });
    }

    /**
     * Every manifest of a repository, tagged or not, which only its storage knows: what each refers to, by digest.
     *
     * @param {string} repository
     * @returns {Promise<Map<string, string[]>>}
     */
    async references(repository) {
        const digests =
            this.registry.bucket === undefined
                ? await this.#revisionsOnDisk(repository)
                : ((await this.#revisionsInBucket()).get(repository) ?? []);
        const manifests = await Promise.all(
            digests.map((digest) => this.manifest(repository, digest)),
        );
        return new Map(
            manifests.flatMap((manifest) =>
                manifest === undefined ? [] : [[manifest.digest, manifest.refersTo]],
            ),
        );
    }

    /** @param {string} repository */
    async #revisionsOnDisk(repository) {
        const folder = `${STORAGE}/${repository}/_manifests/revisions/sha256`;
        const { registry } = this;
        const list = await docker(registry, ["exec", registry.container, "ls", folder]);
        if (list.code !== 0) throw new MaintenanceError(list.stderr.trim());
        const hexes = list.stdout.split("\n").filter((line) => /^[0-9a-f]{64}$/.test(line));
        return hexes.map((hex) => `sha256:${hex}`);
    }

    /**
     * By repository. The collector names them all, and with --dry-run it does nothing else.
     *
     * @returns {Promise<Map<string, string[]>>}
     */
    async #revisionsInBucket() {
        const { registry } = this;
        const collect = ["registry", "garbage-collect", "--dry-run", CONFIG];
        const { code, stdout, stderr } = await docker(registry, [
            ...["exec", "--env", "REGISTRY_LOG_LEVEL=error", registry.container],
            ...collect,
        ]);
        if (code !== 0) throw new MaintenanceError(stderr.trim());
        /** @type {Map<string, string[]>} */
        const found = new Map();
        for (const line of stdout.split("\n")) {
            const [, repository = "", digest] =
                /^(\S+): marking manifest (sha256:[0-9a-f]{64}) *$/.exec(line) ?? [];
            if (digest !== undefined)
                found.set(repository, [...(found.get(repository) ?? []), digest]);
        }
        return found;
    }

    /**
     * @param {string} first
     * @returns {AsyncGenerator<any>}
     */
    async *#pages(first) {
        /** @type {string | undefined} */
        let path = first;
        while (path !== undefined) {
            const answer = await this.#ask(path);
            // A repository whose tags are all gone.
            if (answer.status === 404) break;
            yield JSON.parse(must(answer, path));
            const next = /<([^>]+)>; *rel="next"/.exec(String(answer.headers.link ?? ""))?.[1];
            path = next === undefined ? undefined : next.replace(/^https?:\/\/[^/]+/, "");
        }
    }

    /**
     * @param {string} path
     * @param {string} [accept]
     */
    #ask(path, accept) {
        const joint = path.includes("?") ? "&" : "?";
        const marked = this.mark === undefined ? path : `${path}${joint}${this.mark}`;
        return ask(this.registry, "GET", marked, accept);
    }
}

/**
 * @param {string} digest
 * @param {string} text
 * @returns {Manifest}
 */
export function manifestOf(digest, text) {
    const { manifests = [], subject, config, layers = [] } = JSON.parse(text);
    /** @type {{ digest: string, size?: number, urls?: string[] }[]} */
    const blobs = [...(config === undefined ? [] : [config]), ...layers];
    return {
        digest,
        refersTo: [...manifests, ...(subject === undefined ? [] : [subject])].map(digestOf),
        parts: manifests.map(digestOf),
        config: config?.digest,
        blobs: [
            [digest, Buffer.byteLength(text)],
            ...blobs
                // Layers with addresses of their own are not the registry's.
                .filter(({ urls }) => urls === undefined)
                .map((blob) => /** @type {[string, number]} */ ([blob.digest, blob.size ?? 0])),
        ],
    };
}

/** @param {{ digest: string }} part */
function digestOf({ digest }) {
    return digest;
}

/**
 * @template T
 * @param {Map<string, Promise<T>>} known
 * @param {string} key
 * @param {() => Promise<T>} find
 * @returns {Promise<T>}
 */
function remember(known, key, find) {
    const found = known.get(key) ?? find();
    known.set(key, found);
    return found;
}

/**
 * @param {import("./api.mjs").Answer} answer
 * @param {string} path
 */
function must({ status, body }, path) {
    if (status !== 200)
        throw new MaintenanceError(`the registry answers ${path} with ${status}: ${body.trim()}`);
    return body;
}

/** @param {string} config */
function dateOf(config) {
    try {
        const date = Date.parse(JSON.parse(config)?.created);
        return Number.isNaN(date) ? undefined : date;
    } catch {
        // A configuration of something that is not an image.
        return undefined;
    }
}
