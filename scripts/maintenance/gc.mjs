// @ts-check
// npm run gc: has the registry delete what no image needs, with pushes refused meanwhile.
import { readFileSync } from "node:fs";
import { waitUntil } from "./api.mjs";
import { findRegistry, hold, MaintenanceError } from "./registry.mjs";
import { bytes, count, main, say } from "./report.mjs";

const [, , stack = "", ...options] = process.argv;
const COLLECT = readFileSync(new URL("collect.sh", import.meta.url), "utf8");
const command = ["sh", "-c", COLLECT, "collect.sh", ...options];
/** As the registry's own program prints it. */
const ELIGIBLE = /^(blob|manifest) eligible for deletion: (?:sha256:)?(.*)$/;

await main(async (signal) => {
    const registry = findRegistry(stack);
    await (options.includes("--dry-run") ? preview(registry) : collect(registry, signal));
});

/** @param {import("./registry.mjs").Registry} registry */
async function preview(registry) {
    const run = await hold(registry, "gc --dry-run", command);
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
    }
    await succeed(run);
    const freed = [...blobs].reduce((sum, hex) => sum + (sizes.get(hex) ?? 0), 0);
    if (options.includes("--delete-untagged")) {
        say(`Would delete ${count(manifests, "manifest")} that no tag and no kept index names.`);
    }
    say(
        `Would free ${count(blobs.size, "blob")}, ${bytes(freed)}, of ${count(sizes.size, "blob")}. What pushes bring at this moment counts as well.`,
    );
    say("Nothing was changed.");
}

/**
 * @param {import("./registry.mjs").Registry} registry
 * @param {AbortSignal} signal
 */
async function collect(registry, signal) {
    say(`1/3 read-only: running uploads get up to 60 s to finish, pulls go on …`);
    const run = await hold(registry, "gc", command, { isReadOnly: true });
    const abort = () => void run.abort();
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    /** @type {{ blobs: number, bytes: number }[]} */
    const measured = [];
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
    const [before, after] = measured;
    if (before === undefined || after === undefined) return;
    say(
        `Freed ${count(before.blobs - after.blobs, "blob")}, ${bytes(before.bytes - after.bytes)}; ${count(after.blobs, "blob")}, ${bytes(after.bytes)} are left.`,
    );
}

/** @param {import("./registry.mjs").Hold} run */
async function succeed(run) {
    if ((await run.ended) !== 0) {
        throw new MaintenanceError(`the collector failed: ${(await run.complaint).trim()}`);
    }
}
