// @ts-check
// npm run gc: has the registry delete what no image needs, with pushes refused meanwhile.
import { readFileSync } from "node:fs";
import { waitUntil } from "./api.mjs";
import { findRegistry, hold, MaintenanceError } from "./registry.mjs";
import { bytes, count, main, say } from "./report.mjs";

const [, , stack = "", ...options] = process.argv;
/** As the registry's own program prints it. */
const ELIGIBLE = /^(blob|manifest) eligible for deletion: (?:sha256:)?(.*)$/;
const MARKED = /^(\d+) blobs marked, (\d+) blobs and \d+ manifests eligible for deletion$/;
/** It fails where no image was ever pushed. */
const NOTHING_THERE = /Path not found: \/docker\/registry\/v2\/(repositories|blobs)/;

await main(async (signal) => {
    const registry = findRegistry(stack);
    await (options.includes("--dry-run") ? preview(registry) : collect(registry, signal));
});

/** @param {import("./registry.mjs").Registry} registry */
function commandFor({ bucket }) {
    const file = bucket === undefined ? "collect.sh" : "collect-bucket.sh";
    const script = readFileSync(new URL(file, import.meta.url), "utf8");
    return ["sh", "-c", script, file, ...options];
}

/** @param {import("./registry.mjs").Registry} registry */
async function preview(registry) {
    const run = await hold(registry, "gc --dry-run", commandFor(registry));
    let all = 0;
    /** @type {Map<string, number>} */
    const sizes = new Map();
    const blobs = new Set();
    let manifests = 0;
    for await (const line of run.lines) {
        const [, kind, digest = ""] = ELIGIBLE.exec(line) ?? [];
        const [, size, hex = ""] = /^(\d+) .*\/([0-9a-f]{64})\/data$/.exec(line) ?? [];
        if (kind === "blob") blobs.add(digest);
        else if (kind === "manifest") manifests += 1;
        else if (size !== undefined) sizes.set(hex, Number(size));
        const [, marked = "0", eligible = "0"] = MARKED.exec(line) ?? [];
        all += Number(marked) + Number(eligible);
    }
    await succeed(run);
    const freed = [...blobs].reduce((sum, hex) => sum + (sizes.get(hex) ?? 0), 0);
    if (options.includes("--delete-untagged")) {
        say(`Would delete ${count(manifests, "manifest")} that no tag and no kept index names.`);
    }
    const what =
        registry.bucket === undefined
            ? `${count(blobs.size, "blob")}, ${bytes(freed)}, of ${count(sizes.size, "blob")}`
            : `${count(blobs.size, "blob")} of ${all} in ${registry.bucket}`;
    say(`Would free ${what}. What pushes bring at this moment counts as well.`);
    say("Nothing was changed.");
}

/**
 * @param {import("./registry.mjs").Registry} registry
 * @param {AbortSignal} signal
 */
async function collect(registry, signal) {
    if (registry.isCacheKept) {
        throw new MaintenanceError(
            "the registry cannot empty its Redis, which is reached by TLS: what it remembers of blobs that are deleted would make it take images without their layers. Without Redis meanwhile: ./pulumiw config rm redis and npm run up; then npm run gc; then FLUSHDB in that Redis, and redis as it was. Nothing was changed.",
        );
    }
    say(`1/3 read-only: running uploads get up to 60 s to finish, pulls go on …`);
    const run = await hold(registry, "gc", commandFor(registry), { isReadOnly: true });
    const abort = () => void run.abort();
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    /** @type {{ blobs: number, bytes: number }[]} */
    const measured = [];
    /** @type {RegExpExecArray | undefined} */
    let marked;
    try {
        for await (const line of run.lines) {
            const [word, blobs, size] = line.split(" ");
            if (word === "ready" && !signal.aborted) {
                await waitUntil(registry, true);
                say("2/3 collecting …");
                run.say("go");
            } else if (word === "blobs") {
                measured.push({ blobs: Number(blobs), bytes: Number(size) });
            }
            marked = MARKED.exec(line) ?? marked;
        }
    } catch (error) {
        await run.abort();
        throw error;
    } finally {
        // It need not have ended when only the connection to it has.
        if ((await run.ended) !== 0) await run.abort();
        say(
            `3/3 ${registry.isReadOnly ? "starting again, read-only as configured" : "writable again"} …`,
        );
        await waitUntil(registry, registry.isReadOnly);
    }
    if (signal.aborted) {
        throw new MaintenanceError(
            "stopped before its end; the registry is as it was, and what was freed until then stays freed",
        );
    }
    await succeed(run);
    if (registry.bucket !== undefined) {
        const [, left = "0", freed = "0"] = marked ?? [];
        say(
            `Freed ${count(Number(freed), "blob")} in ${registry.bucket}; ${count(Number(left), "blob")} are left. With versioning, the bucket keeps what was deleted until its own rules let it go.`,
        );
        return;
    }
    const [before, after] = measured;
    if (before === undefined || after === undefined) return;
    say(
        `Freed ${count(before.blobs - after.blobs, "blob")}, ${bytes(before.bytes - after.bytes)}; ${count(after.blobs, "blob")}, ${bytes(after.bytes)} are left.`,
    );
}

/** @param {import("./registry.mjs").Hold} run */
async function succeed(run) {
    if ((await run.ended) === 0) return;
    const complaint = (await run.complaint).trim();
    if (!NOTHING_THERE.test(complaint))
        throw new MaintenanceError(`the collector failed: ${complaint}`);
}
