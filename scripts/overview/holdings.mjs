// @ts-check
// What the registry holds: repositories, their tags, and how much each takes. Bounded, however much that is.
import { inParallel } from "../shared/parallel.mjs";
import { MaintenanceError } from "../maintenance/registry.mjs";

/** Tells these requests in the log from those of a team. */
export const MARK = "for=status";
/** Requests at the same time. */
const PARALLEL = 8;

/**
 * How much is read: names of repositories, those whose tags are listed, and manifests, which sizes come from.
 *
 * @typedef {{ names: number, repositories: number, manifests: number }} Limits
 */
/** By its API, whose every answer is some 2 kB of a log that keeps 30 MB. @type {Limits} */
export const API_LIMITS = { names: 10_000, repositories: 1000, manifests: 3000 };
/** From its files. @type {Limits} */
export const FILE_LIMITS = { names: Infinity, repositories: 1000, manifests: 30_000 };
/** @type {Limits} */
export const NO_LIMITS = { names: Infinity, repositories: Infinity, manifests: Infinity };

/**
 * @typedef {{ name: string, bytes: number | null }} Tag bytes: of all that it consists of; null when it was not read
 * @typedef {{ name: string, tags: Tag[], blobs: Map<string, number>, problem: string | null }} Repository blobs: by digest, with their bytes
 * @typedef {Pick<import("../maintenance/images.mjs").Images, "manifest">} Manifests
 * @typedef {object} Source of what it holds
 * @property {(limit: number) => Promise<string[]>} repositories
 * @property {(repository: string) => Promise<string[]>} tagNames
 * @property {Manifests["manifest"]} manifest
 * @property {(tags: { repository: string, tag: string }[]) => Promise<void>} [prepare] is told which manifests will be asked for
 *
 * @typedef {object} Holdings
 * @property {number} known names of repositories that were read
 * @property {boolean} isMore whether there may be more
 * @property {Repository[]} repositories those that were looked at
 * @property {string | null} problem why it ended before its end
 */

/**
 * @param {Source} images
 * @param {Limits} limits
 * @param {(text: string) => void} say what it is at
 * @returns {Promise<Holdings>}
 */
export async function readHoldings(images, limits, say) {
    /** @type {Holdings} */
    const holdings = { known: 0, isMore: false, repositories: [], problem: null };
    /**
     * What the registry refuses concerns one repository; that it does not answer, all of them.
     *
     * @param {Repository | undefined} repository
     * @param {() => Promise<void>} read
     */
    const attempt = async (repository, read) => {
        if (holdings.problem !== null) return;
        try {
            await read();
        } catch (error) {
            const text = error instanceof Error ? error.message : String(error);
            if (repository !== undefined && error instanceof MaintenanceError)
                repository.problem ??= text;
            else holdings.problem ??= text;
        }
    };

    await attempt(undefined, async () => {
        const names = await images.repositories(limits.names);
        holdings.known = names.length;
        holdings.isMore = names.length >= limits.names;
        holdings.repositories = names
            .slice(0, limits.repositories)
            .map((name) => ({ name, tags: [], blobs: new Map(), problem: null }));
    });
    const { repositories } = holdings;
    let listed = 0;
    await inParallel(repositories, PARALLEL, (repository) =>
        attempt(repository, async () => {
            const names = await images.tagNames(repository.name);
            repository.tags = names.map((name) => ({ name, bytes: null }));
            say(`tags of ${++listed} of ${repositories.length} repositories`);
        }),
    );
    const budget = { manifests: limits.manifests };
    const tags = inTurns(repositories);
    await attempt(undefined, async () => {
        const wanted = tags.slice(0, limits.manifests);
        await images.prepare?.(
            wanted.map(({ repository, tag }) => ({ repository: repository.name, tag: tag.name })),
        );
    });
    let measured = 0;
    await inParallel(tags, PARALLEL, ({ repository, tag }) =>
        attempt(repository, async () => {
            const blobs = await blobsOf(images, repository.name, tag.name, budget);
            if (blobs === undefined) return;
            blobs.forEach((size, digest) => repository.blobs.set(digest, size));
            tag.bytes = sum(blobs.values());
            say(`sizes of ${++measured} of ${tags.length} tags`);
        }),
    );
    return holdings;
}

/**
 * One tag of each repository after the other: what is too much is then missing everywhere alike.
 *
 * @param {readonly Repository[]} repositories
 */
function inTurns(repositories) {
    return repositories
        .flatMap((repository) => repository.tags.map((tag, turn) => ({ repository, tag, turn })))
        .sort((a, b) => a.turn - b.turn);
}

/**
 * All that an image consists of, the images of an index included.
 *
 * @param {Manifests} images
 * @param {string} repository
 * @param {string} reference
 * @param {{ manifests: number }} budget that may still be read
 * @returns {Promise<Map<string, number> | undefined>} bytes by digest; undefined when that was too much
 */
async function blobsOf(images, repository, reference, budget) {
    if (budget.manifests <= 0) return undefined;
    budget.manifests -= 1;
    const manifest = await images.manifest(repository, reference);
    // Deleted meanwhile, or a part of an index that was never pushed.
    if (manifest === undefined) return new Map();
    const blobs = new Map(manifest.blobs);
    for (const part of manifest.parts) {
        const more = await blobsOf(images, repository, part, budget);
        if (more === undefined) return undefined;
        more.forEach((size, digest) => blobs.set(digest, size));
    }
    return blobs;
}

/** @param {Iterable<number>} numbers */
export function sum(numbers) {
    let result = 0;
    for (const number of numbers) result += number;
    return result;
}
