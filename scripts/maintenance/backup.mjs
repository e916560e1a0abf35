// @ts-check
// npm run backup: the images, and what is needed to make the same stack again, in one file.
import { existsSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { BackupWriter, isImageFile } from "./backup-file.mjs";
import { readImages } from "./data-files.mjs";
import { Inventory } from "./inventory.mjs";
import { readPassphrase } from "./passphrase.mjs";
import { Progress } from "./progress.mjs";
import { docker, findRegistry, MaintenanceError, withLock } from "./registry.mjs";
import { bytes, count, main, say } from "./report.mjs";
import { seal } from "./sealed.mjs";
import { copyStack } from "./stack-copy.mjs";

/** Problems of the registry's own that are listed; the rest are counted. */
const SHOWN = 10;

const [, , path = "", stack = "", mode = "", force = ""] = process.argv;

await main(async (signal) => {
    if (existsSync(path) && force === "")
        throw new MaintenanceError(
            `${path} is there already; give another name, or --force to replace it`,
        );
    const passphrase = mode === "images-only" ? undefined : await readPassphrase({ isNew: true });
    if (passphrase === undefined && mode !== "images-only") {
        throw new MaintenanceError(
            "no backup passphrase, and no terminal to ask on; give PRIVATE_REGISTRY_BACKUP_PASSPHRASE_FILE (the path of a file with it) or PRIVATE_REGISTRY_BACKUP_PASSPHRASE, or --images-only for a backup without authority, accounts and configuration",
        );
    }
    const registry = findRegistry(stack, { mayBeService: true });
    if (registry.bucket !== undefined && mode === "images-only") {
        throw new MaintenanceError(
            `the images lie in ${registry.bucket}, and their backup is the bucket's own: versioning, replication, or a copy of it by the service. Without --images-only there is a backup of authority, accounts and configuration. Nothing was written.`,
        );
    }
    // Where nothing serves, nothing collects garbage either.
    const { stdout } = await docker(registry, [
        "inspect",
        "--format",
        "{{.State.Running}}",
        registry.container,
    ]);
    const partial = `${path}.partial`;
    const tidy = () => rmSync(partial, { force: true });
    signal.addEventListener("abort", () => {
        tidy();
        process.exit(1);
    });
    try {
        const work = () => write(partial, registry, passphrase);
        const lines = await (stdout.trim() === "true"
            ? withLock(registry, "backup", work)
            : work());
        await rename(partial, path);
        lines.forEach(say);
    } catch (error) {
        throw explained(error);
    } finally {
        tidy();
    }
});

/**
 * Writes the whole file; returns what there is to say about it.
 *
 * @param {string} partial
 * @param {import("./registry.mjs").Registry} registry
 * @param {string | undefined} passphrase
 */
async function write(partial, registry, passphrase) {
    rmSync(partial, { force: true });
    const file = await open(partial, "wx", 0o600);
    try {
        const copy = copyStack(stack);
        const writer = new BackupWriter(file);
        await writer.writeHead({
            created: new Date().toISOString(),
            project: copy.project,
            stack: copy.stack,
            registry: `${registry.hostname}:${registry.port}`,
            image: registry.image,
        });
        const inventory =
            registry.bucket === undefined ? await writeImages(writer, registry) : undefined;
        if (passphrase !== undefined) {
            await writer.writeState(await seal(JSON.stringify(copy), passphrase, writer.digest()));
        }
        const sha256 = await writer.finish();
        await file.sync();
        return [
            `  Backup   ${path} (${bytes(writer.bytes)})`,
            ...(inventory === undefined
                ? [
                      `  Images   NOT in it: they lie in ${registry.bucket}; keep versions or a copy of that`,
                  ]
                : imagesSummary(inventory)),
            `  State    ${passphrase === undefined ? "not in it (--images-only)" : "authority, accounts and configuration, sealed with the backup passphrase"}`,
            `  SHA-256  ${sha256}`,
        ];
    } finally {
        await file.close();
    }
}

/**
 * @param {BackupWriter} writer
 * @param {import("./registry.mjs").Registry} registry
 */
async function writeImages(writer, registry) {
    const inventory = new Inventory();
    const progress = new Progress("images");
    const onTotal = (/** @type {number} */ total) => (progress.total = total);
    for await (const member of readImages(registry, onTotal)) {
        if (!isImageFile(member.name)) {
            process.stderr.write(
                `left out, as no registry writes it: ${JSON.stringify(member.name)}\n`,
            );
            continue;
        }
        await writer.writeImageFile(member, progress.watch(inventory.pass(member)));
    }
    progress.end();
    return inventory;
}

/** @param {Inventory} inventory */
function imagesSummary(inventory) {
    const { repositories, tags, blobs } = inventory.counts();
    const found = [
        `${repositories} ${repositories === 1 ? "repository" : "repositories"}`,
        count(tags, "tag"),
        count(blobs, "blob"),
    ];
    const problems = inventory.problems();
    // Whoever runs this at night shall hear of it.
    if (problems.length > 0) process.exitCode = 1;
    const shown = problems.slice(0, SHOWN).map((problem) => `           ${problem}`);
    return [
        `  Images   ${found.join(", ")}${problems.length === 0 ? ", each as its digest says" : ""}`,
        ...(problems.length === 0
            ? []
            : [`  WRONG    in the registry itself, ${problems.length}:`, ...shown]),
    ];
}

/** @param {unknown} error */
function explained(error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    const folder = dirname(path);
    if (code === "ENOSPC" || code === "EDQUOT")
        return new MaintenanceError(
            `no room left in ${folder} for the backup; nothing was left there. Free some, or give another folder.`,
        );
    return code === undefined || !/^E[A-Z]+$/.test(code)
        ? error
        : new MaintenanceError(`cannot write to ${folder}: ${message}`);
}
