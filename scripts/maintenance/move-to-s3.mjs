// @ts-check
// npm run move-to-s3: the images of a registry's volume or folder into the bucket of its configuration, and the registry with them.
import { spawnSync } from "node:child_process";
import { load } from "../shared/typescript.mjs";
import { valuesIn } from "../shared/configuration.mjs";
import { find, pulumi, readResources } from "../shared/state.mjs";
import { agentInContainer } from "./container-line.mjs";
import { listImages, readFiles } from "./data-files.mjs";
import { Progress } from "./progress.mjs";
import { findRegistry, MaintenanceError, withLock } from "./registry.mjs";
import { bytes, count, main, say } from "./report.mjs";

/** @type {typeof import("../../lib/s3.js")} */
const { Bucket, MOVE_MARK } = load("lib/s3.ts");
/** @type {typeof import("../../lib/storage-config.js")} */
const { bucketName, readServices } = load("lib/storage-config.ts");
/** @type {typeof import("../../lib/config-problems.js")} */
const { configError } = load("lib/config-problems.ts");
/** @type {typeof import("../../lib/advice.js")} */
const { ofConfiguration } = load("lib/advice.ts");
const TOP = "docker/registry/v2/";
/** Smaller files go several at once. */
const SMALL_BYTES = 1 << 20;
const AT_ONCE = 8;
/** The one kind of file that changes: what a tag names. */
const TAG = /\/_manifests\/tags\/[^/]+\/current\/link$/;

const [, , stack = "", mode = ""] = process.argv;
const option = stack === "" ? "" : ` --stack ${stack}`;

/** @typedef {import("./registry.mjs").Registry} Registry */
/** @typedef {{ bucket: import("../../lib/s3.js").Bucket, root: string, name: string }} Target */

await main(async (signal) => {
    // What is under way over there ends by itself; what has arrived is not sent again.
    signal.addEventListener("abort", () => process.exit(1));
    const registry = findRegistry(stack);
    const target = findTarget(registry);
    try {
        await move(registry, target);
    } finally {
        // Connections that are kept for more would keep this program.
        target.bucket.agent.destroy();
    }
});

/**
 * @param {Registry} registry
 * @param {Target} target
 */
async function move(registry, target) {
    if (registry.bucket !== undefined) {
        await finish(registry, target);
        return;
    }
    refuseLoss(registry);
    say(`1/4 checking ${target.name} and the configuration …`);
    check();
    await mark(registry, target);
    say("2/4 copying; pushes and pulls go on …");
    await copy(registry, target, () => false);
    if (mode === "copy") {
        say(
            `Copied what is there now; the registry is as it was. To end the move: npm run move-to-s3${option && ` --${option}`}`,
        );
        return;
    }
    say("3/4 read-only: running uploads get up to 60 s to finish, pulls go on …");
    const code = await withLock(
        registry,
        "move-to-s3",
        async () => {
            await copyRest(registry, target);
            say("4/4 npm run up, with the bucket …");
            return deploy();
        },
        { isReadOnly: true },
    );
    if (findRegistry(stack).bucket === undefined) {
        throw new MaintenanceError(
            `the up failed, and the registry goes on with ${registry.data}. Once the cause is mended, run this again: it copies what is new.`,
        );
    }
    await finish(registry, target);
    say(`${registry.data} is as it was, for as long as you want to keep it.`);
    process.exitCode = code;
}

/**
 * The bucket that the stack's configuration names, reached from the registry's container.
 *
 * @param {Registry} registry
 * @returns {Target}
 */
function findTarget(registry) {
    const { storage } = valuesIn(pulumi(["config", "--json", "--show-secrets"], stack));
    if (storage === undefined) {
        throw new MaintenanceError(
            `the configuration names no bucket; give it one first, and no up yet:\n  ./pulumiw config set${option} --path storage.s3.bucket registry-images\n  ./pulumiw config set${option} --path storage.s3.region us-east-1\n  ./pulumiw config set${option} --path storage.s3.endpoint https://s3.example.com\n  ./pulumiw config set${option} --secret --path storage.s3.accessKey\n  ./pulumiw config set${option} --secret --path storage.s3.secretKey`,
        );
    }
    const { services, problems } = readServices(storage, undefined);
    if (problems.length > 0)
        throw new MaintenanceError(
            configError(problems, ofConfiguration("./pulumiw", stack)).message,
        );
    // In a stack's configuration nothing is known only later.
    const s3 = /** @type {import("../../lib/storage-config.js").S3Storage} */ (services.s3);
    return {
        bucket: new Bucket(s3, (isSecure) =>
            agentInContainer(registry, isSecure, s3.caCertificate),
        ),
        root: s3.rootDirectory === "" ? "" : `${s3.rootDirectory}/`,
        name: bucketName(s3),
    };
}

/**
 * The engine deletes what is no longer in the program by what it was told when it made it.
 *
 * @param {Registry} registry
 */
function refuseLoss({ data }) {
    /** @type {any} */
    const volume = find(readResources(stack), "registry-server-container-data");
    if (volume !== undefined && volume.retainOnDelete !== true) {
        throw new MaintenanceError(
            `the next up would delete the volume ${data}: dataRetained was false at the last one. First, without storage: ./pulumiw config set${option} dataRetained true and npm run up. Nothing was changed.`,
        );
    }
}

/** What an `up` would refuse, before anything is copied. */
function check() {
    const { status, stdout, stderr } = run(["preview"], "pipe");
    if (status !== 0) {
        const text = `${stdout}${stderr}`;
        const said =
            /error: (?!preview failed|update failed|Running program)([^]*?)\n\s*(\n|$)/.exec(
                text,
            )?.[1] ?? text;
        throw new MaintenanceError(`the up with this configuration would fail: ${said.trim()}`);
    }
}

function deploy() {
    return run(["up", "--yes", "--skip-preview"], "inherit").status ?? 1;
}

/**
 * @param {string[]} args
 * @param {"pipe" | "inherit"} output
 */
function run(args, output) {
    const stackOption = stack === "" ? [] : ["--stack", stack];
    return spawnSync("pulumi", [...args, "--non-interactive", ...stackOption], {
        encoding: "utf8",
        maxBuffer: 1 << 30,
        env: { ...process.env, PRIVATE_REGISTRY_MOVE: "1" },
        stdio: ["ignore", output, output],
    });
}

/**
 * Says in the bucket that it is being filled, unless there are images of another registry.
 *
 * @param {Registry} registry
 * @param {Target} target
 */
async function mark(registry, { bucket, root, name }) {
    const found = await bucket.ask("GET", root + MOVE_MARK);
    if (found.status === 200) {
        if (JSON.parse(found.body).from !== registry.container) {
            throw new MaintenanceError(
                `${name} is being filled from another registry (${found.body.trim()}); take another bucket or rootDirectory. Nothing was changed.`,
            );
        }
        return;
    }
    for await (const { key } of bucket.list(root + TOP)) {
        throw new MaintenanceError(
            `${name} holds images already (${key}); take an empty one, or a rootDirectory of its own: ./pulumiw config set${option} --path storage.s3.rootDirectory registry. Nothing was changed.`,
        );
    }
    const body = JSON.stringify({ from: registry.container, since: new Date().toISOString() });
    const { status } = await bucket.ask("PUT", root + MOVE_MARK, { body });
    if (status !== 200) throw new MaintenanceError(`${name} cannot be written to (${status})`);
}

/**
 * Copies what the bucket lacks, and what is to be copied in any case. Returns the names of all files in the volume.
 *
 * @param {Registry} registry
 * @param {Target} target
 * @param {(name: string) => boolean} isAgain
 */
async function copy(registry, target, isAgain) {
    const { files } = await listImages(registry);
    const present = await listBucket(target);
    const missing = [...files].filter((name) => !present.has(name) || isAgain(name));
    const progress = new Progress("images");
    /** @type {Set<Promise<void>>} */
    const running = new Set();
    /** @type {unknown} */
    let failure;
    let size = 0;
    for await (const file of readFiles(registry, missing)) {
        if (failure !== undefined) break;
        size += file.size;
        if (file.size > SMALL_BYTES) {
            await send(target, file, progress.watch(file.body()));
            continue;
        }
        const chunks = [];
        for await (const chunk of progress.watch(file.body())) chunks.push(chunk);
        const sending = send(target, file, Buffer.concat(chunks))
            .catch((error) => {
                failure = error;
            })
            .finally(() => running.delete(sending));
        running.add(sending);
        if (running.size >= AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
    progress.end();
    if (failure !== undefined) throw failure;
    say(
        `    ${count(missing.length, "file")}, ${bytes(size)}; ${files.size - missing.length} were there`,
    );
    return files;
}

/**
 * @param {Target} target
 * @param {import("./backup-file.mjs").ImageFile} file
 * @param {AsyncIterable<Buffer> | Buffer} body
 */
async function send({ bucket, root, name }, file, body) {
    const hex = /\/blobs\/sha256\/..\/([0-9a-f]{64})\/data$/.exec(file.name)?.[1];
    try {
        if (hex !== undefined) {
            await bucket.put(root + file.name, body, { length: file.size, sha256: hex });
        } else if (Buffer.isBuffer(body)) {
            const { status, code } = await bucket.ask("PUT", root + file.name, { body });
            if (status !== 200) throw new Error(`${status} ${code ?? ""}`);
        }
    } catch (error) {
        throw new MaintenanceError(
            `${file.name} was not taken by ${name}: ${/** @type {Error} */ (error).message}. What has arrived stays; run this again to go on.`,
        );
    }
}

/**
 * The last pass, with a registry that takes nothing new: tags may name something else by now, and what was deleted since goes.
 *
 * @param {Registry} registry
 * @param {Target} target
 */
async function copyRest(registry, target) {
    const files = await copy(registry, target, (name) => TAG.test(name));
    const arrived = await listBucket(target);
    for (const name of arrived) {
        if (files.has(name)) continue;
        await target.bucket.ask("DELETE", target.root + name);
    }
    const lacking = [...files].filter((name) => !arrived.has(name));
    if (lacking.length > 0) {
        throw new MaintenanceError(
            `${target.name} lacks ${count(lacking.length, "file")} after the copy, such as ${lacking[0]}; run this again`,
        );
    }
}

/**
 * Names of the files that are there.
 *
 * @param {Target} target
 */
async function listBucket({ bucket, root }) {
    const names = new Set();
    for await (const { key } of bucket.list(root + TOP)) names.add(key.slice(root.length));
    return names;
}

/**
 * @param {Registry} registry
 * @param {Target} target
 */
async function finish(registry, { bucket, root, name }) {
    const { status } = await bucket.ask("HEAD", root + MOVE_MARK);
    if (status === 200) await bucket.ask("DELETE", root + MOVE_MARK);
    say(
        status === 200
            ? `The registry's images are those of ${name}.`
            : `The registry's images lie in ${findRegistry(stack).bucket ?? registry.bucket} already; there is nothing to move.`,
    );
}
