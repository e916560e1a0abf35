// @ts-check
// npm run retention: deletes the tags that the stack's rules no longer keep; without --apply it only says which.
import { pulumi } from "../shared/state.mjs";
import { table } from "../shared/table.mjs";
import { load } from "../shared/typescript.mjs";
import { ask } from "./api.mjs";
import { Images } from "./images.mjs";
import { findRegistry, MaintenanceError, withLock } from "./registry.mjs";
import { count, main, say } from "./report.mjs";

/** @type {typeof import("../../lib/retention-verdicts.js")} */
const { judge, goingManifests } = load("lib/retention-verdicts.ts");

const [, , stack = "", mode = ""] = process.argv;
const option = stack === "" ? "" : ` --stack ${stack}`;

/** @typedef {{ repository: string, verdicts: import("../../lib/retention-verdicts.js").Verdict[] }} Judged */

await main(async (signal) => {
    /** @type {import("../../lib/retention.js").RetentionRule[]} */
    const given = JSON.parse(pulumi(["stack", "output", "--json"], stack)).retention ?? [];
    if (given.length === 0) {
        throw new MaintenanceError(
            `there are no retention rules, so every tag is kept; a rule, for example:\n  ./pulumiw config set${option} --path 'retention[0].repositories' 'team/*'\n  ./pulumiw config set${option} --path 'retention[0].keepLast' 10\n  npm run up${option === "" ? "" : ` --${option}`}`,
        );
    }
    const registry = findRegistry(stack);
    const images = new Images(registry);
    if (mode !== "apply") {
        report(await judgeAll(images, given), "DELETE");
        return;
    }
    if (!registry.isDeleteEnabled || registry.isReadOnly) {
        const [key, value] = registry.isDeleteEnabled
            ? ["readOnly", "false"]
            : ["deleteEnabled", "true"];
        throw new MaintenanceError(
            `the registry deletes nothing (${key} is ${value === "true" ? "false" : "true"}); ./pulumiw config set${option} ${key} ${value} and npm run up`,
        );
    }
    // Judged under the lock: a collector that runs meanwhile would refuse to delete.
    await withLock(registry, "retention", async () => {
        const judged = await judgeAll(images, given);
        report(judged, "deleting");
        await deleteAll(images, judged, signal);
    });
});

/**
 * @param {Images} images
 * @param {import("../../lib/retention.js").RetentionRule[]} given
 * @returns {Promise<Judged[]>}
 */
async function judgeAll(images, given) {
    const now = Date.now();
    const judged = [];
    for (const repository of await images.repositories()) {
        const tags = await images.tags(repository);
        judged.push({ repository, verdicts: judge(repository, tags, given, now) });
    }
    return judged;
}

/**
 * @param {Judged[]} judged
 * @param {string} word for a tag that goes
 */
function report(judged, word) {
    const rows = judged.flatMap(({ repository, verdicts }) =>
        [...verdicts]
            .sort((a, b) => Number(a.isKept) - Number(b.isKept))
            .map(({ tag, isKept, why }) => [
                isKept ? "keep" : word,
                `${repository}:${tag.name}`,
                tag.created === undefined ? "?" : new Date(tag.created).toISOString().slice(0, 10),
                why,
            ]),
    );
    const going = judged.flatMap(({ verdicts }) => verdicts).filter(({ isKept }) => !isKept).length;
    if (rows.length > 0) {
        table([["", "TAG", "MADE", "WHY"], ...rows]).forEach(say);
        say("");
    }
    if (word === "DELETE") {
        say(
            going === 0
                ? `None of ${count(rows.length, "tag")} would be deleted.`
                : `${going} of ${count(rows.length, "tag")} would be deleted; nothing was changed. To do it: npm run retention -- --apply${option}`,
        );
    }
}

/**
 * @param {Images} images
 * @param {Judged[]} judged
 * @param {AbortSignal} signal
 */
async function deleteAll(images, judged, signal) {
    let tags = 0;
    let manifests = 0;
    for (const { repository, verdicts } of judged) {
        const going = verdicts.filter(({ isKept }) => !isKept).map(({ tag }) => tag);
        if (going.length === 0) continue;
        /** @type {import("../../lib/retention-verdicts.js").Tag[]} */
        const untagged = [];
        for (const tag of going) {
            if (signal.aborted)
                throw new MaintenanceError(`stopped; ${count(tags, "tag")} deleted`);
            if (await untag(images, repository, tag)) {
                untagged.push(tag);
                tags += 1;
            }
        }
        manifests += await deleteManifests(images, repository, untagged);
    }
    say(
        tags === 0
            ? "Nothing was deleted."
            : `Deleted ${count(tags, "tag")} and ${count(manifests, "manifest")}. To free their space: npm run gc${option === "" ? "" : ` --${option}`}`,
    );
}

/**
 * @param {Images} images
 * @param {string} repository
 * @param {import("../../lib/retention-verdicts.js").Tag} tag
 * @returns {Promise<boolean>} whether the tag is gone
 */
async function untag(images, repository, { name, digest }) {
    const path = `/v2/${repository}/manifests/${name}`;
    // Asked anew: somebody may have pushed under this name since.
    const current = await new Images(images.registry).manifest(repository, name);
    if (current?.digest !== digest) {
        say(`${repository}:${name} was pushed anew just now: kept`);
        return false;
    }
    const { status, body } = await ask(images.registry, "DELETE", path);
    if (status === 202 || status === 404) return true;
    const why =
        status === 400 || status === 405
            ? "this registry cannot delete a tag alone; registry images can from version 3 on"
            : `it answers ${status}: ${body.trim()}`;
    throw new MaintenanceError(`${repository}:${name} was not deleted: ${why}`);
}

/**
 * The manifests that nothing names any more, so that the collector frees their space. Others without a tag stay:
 * somebody may pull them by digest.
 *
 * @param {Images} images
 * @param {string} repository
 * @param {import("../../lib/retention-verdicts.js").Tag[]} untagged tags that are gone, with what they named
 */
async function deleteManifests({ registry }, repository, untagged) {
    const images = new Images(registry);
    const references = await images.references(repository);
    const tagged = new Set((await images.tags(repository)).map(({ digest }) => digest));
    const digests = untagged.map(({ digest }) => digest);
    let going = goingManifests(references, digests, tagged);
    let deleted = 0;
    for (let digest = going.shift(); digest !== undefined; digest = going.shift()) {
        const back = await namedAgain(registry, repository, digest, untagged);
        if (back !== undefined) {
            say(`${repository}:${back} was pushed anew just now: kept`);
            tagged.add(digest);
            const still = new Set(goingManifests(references, digests, tagged));
            going = going.filter((other) => still.has(other));
            continue;
        }
        const { status, body } = await ask(
            registry,
            "DELETE",
            `/v2/${repository}/manifests/${digest}`,
        );
        if (status !== 202 && status !== 404) {
            throw new MaintenanceError(
                `${repository}@${digest} was not deleted (${status}): ${body.trim()}`,
            );
        }
        deleted += 1;
    }
    return deleted;
}

/**
 * A tag that named this manifest, was deleted, and names it again. Asked last of all: to delete a manifest is to delete
 * every tag of it.
 *
 * @param {Images["registry"]} registry
 * @param {string} repository
 * @param {string} digest
 * @param {import("../../lib/retention-verdicts.js").Tag[]} untagged
 */
async function namedAgain(registry, repository, digest, untagged) {
    const images = new Images(registry);
    for (const { name } of untagged.filter((tag) => tag.digest === digest)) {
        if ((await images.manifest(repository, name))?.digest === digest) return name;
    }
    return undefined;
}
