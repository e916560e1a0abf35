// @ts-check
// npm run restore: a backup's images, and the stack that they belong to, on a machine that has neither.
import { statSync } from "node:fs";
import { parse } from "yaml";
import { find, resourcesOf } from "../shared/state.mjs";
import { BackupReader, RefusedFile } from "./backup-file.mjs";
import { fillImages, listImages, unmark } from "./data-files.mjs";
import { readPassphrase } from "./passphrase.mjs";
import { Progress } from "./progress.mjs";
import { DATA, docker, findRegistry, MaintenanceError, withLock } from "./registry.mjs";
import { main, say } from "./report.mjs";
import { unseal } from "./sealed.mjs";
import { differingConfig, giveState, makeStack, resourcesHere } from "./stack-copy.mjs";

const DEFAULT_HOST = "unix:///var/run/docker.sock";

const [, , path = "", stack = "", mode = "", force = ""] = process.argv;

/** @typedef {import("./data-files.mjs").Place} Place */
/** @typedef {import("./stack-copy.mjs").StackCopy} StackCopy */

await main(async (signal) => {
    // What is under way over there ends by itself, and leaves nothing in part.
    signal.addEventListener("abort", () => process.exit(1));
    const passphrase = mode === "images-only" ? undefined : await readPassphrase({ isNew: false });
    const reader = await verify();
    const { head, files } = reader;
    say(
        `${path} is whole: ${head.project}/${head.stack}, ${head.registry}, of ${head.created}, ${files} files`,
    );
    if (mode === "images-only") return restoreImages(reader);
    const copy = await openState(reader, passphrase);
    if (mode === "check") {
        say(
            copy === undefined
                ? "It holds images only."
                : "Its state opens with this passphrase. Nothing was changed.",
        );
    } else if (copy === undefined) {
        throw new MaintenanceError(
            `${path} holds images only, without the stack that they belong to; to put them into a registry that runs: --images-only`,
        );
    } else {
        await restoreStack(copy, reader);
    }
});

/** Reads the whole file before anything is done with it. */
async function verify() {
    const progress = new Progress("checking the file", sizeOf(path));
    try {
        return await new BackupReader(path, (count) => progress.add(count)).verify();
    } catch (error) {
        if (error instanceof RefusedFile)
            throw new MaintenanceError(
                `${path} is refused: ${error.message}. Nothing was changed.`,
            );
        throw error;
    } finally {
        progress.end();
    }
}

/** @param {string} file */
function sizeOf(file) {
    try {
        return statSync(file).size;
    } catch (error) {
        throw new MaintenanceError(`cannot read ${file}: ${/** @type {Error} */ (error).message}`);
    }
}

/**
 * @param {BackupReader} reader
 * @param {string | undefined} passphrase
 * @returns {Promise<StackCopy | undefined>}
 */
async function openState({ sealed, boundTo }, passphrase) {
    if (sealed === undefined) return undefined;
    if (passphrase === undefined) {
        throw new MaintenanceError(
            "the backup holds a stack's state, and there is neither a backup passphrase nor a terminal to ask on; give PRIVATE_REGISTRY_BACKUP_PASSPHRASE_FILE or PRIVATE_REGISTRY_BACKUP_PASSPHRASE. Nothing was changed.",
        );
    }
    const text = await unseal(sealed, passphrase, boundTo);
    if (text === undefined) {
        throw new MaintenanceError(
            "the backup passphrase is not the one that this backup was made with (or somebody exchanged parts of the file on purpose). Nothing was changed.",
        );
    }
    return JSON.parse(text);
}

/**
 * Into the registry of a stack that runs: what it lacks.
 *
 * @param {BackupReader} reader
 */
async function restoreImages(reader) {
    const registry = findRegistry(stack);
    if (registry.bucket !== undefined) {
        throw new MaintenanceError(
            `the images lie in ${registry.bucket}, which this cannot fill. Restore into a registry with a volume, and move from there: npm run move-to-s3. Nothing was changed.`,
        );
    }
    await withLock(registry, "restore", async () => {
        const { files } = await listImages(registry);
        const added = await fill(registry, reader, files, "");
        say(
            added === 0
                ? "The registry has all of it already."
                : `${added} files added; what was there is as it was.`,
        );
    });
}

/**
 * @param {StackCopy} copy
 * @param {BackupReader} reader
 */
async function restoreStack(copy, reader) {
    const name = copy.stack;
    if (stack !== "" && stack !== name) {
        throw new MaintenanceError(
            `the backup is of the stack ${name}, and becomes that one again; given: --stack ${stack}. To put its images into another stack's registry: --images-only`,
        );
    }
    const here = resourcesHere(name);
    if ((here ?? []).some(({ type }) => type !== "pulumi:pulumi:Stack")) {
        throw new MaintenanceError(
            `the stack ${name} is there, with ${here?.length} resources; allowed: one that is not there, or empty. To put the images into it: --images-only; to make it empty: npm run destroy -- --stack ${name}. Nothing was changed.`,
        );
    }
    const differing = differingConfig(copy);
    if (differing !== undefined && force === "") {
        throw new MaintenanceError(
            `${differing} is there, and is not the configuration of the backup; move it away, or --force to replace it. Nothing was changed.`,
        );
    }
    const place = placeOf(copy);
    await refuseContainers(copy, place);
    if (place.data === "") {
        makeStack(copy, here !== undefined);
        giveState(copy);
        say(
            `The stack ${name} is what it was, with its authority and accounts; its images are those of its bucket. Next: npm run up -- --stack ${name}`,
        );
        return;
    }
    const { files, restoredFrom } = await listImages(place);
    const isFilled = restoredFrom === reader.digest;
    if (files.size > 0 && !isFilled && force === "") {
        throw new MaintenanceError(
            `${place.data} holds images already; with --force it gets what it lacks of the backup's, and keeps what it has. Nothing was changed.`,
        );
    }

    makeStack(copy, here !== undefined);
    if (!isFilled) await fill(place, reader, files, reader.digest);
    giveState(copy);
    await unmark(place);
    say(
        `The stack ${name} is what it was, with its authority, accounts and images. Next: npm run up -- --stack ${name}`,
    );
}

/**
 * Where the images go, on the Docker host that the next `up` will take.
 *
 * @param {StackCopy} copy
 * @returns {Place}
 */
function placeOf({ exported, config, project }) {
    const resources = resourcesOf(exported);
    const container = find(resources, "registry-server-container");
    const image = find(resources, "registry-server-image");
    /** @type {{ containerPath: string, readOnly?: boolean, volumeName?: string, hostPath?: string }[]} */
    const volumes = container?.inputs.volumes ?? [];
    const data = volumes.find(({ containerPath }) => containerPath === DATA);
    const configured = parse(config ?? "")?.config?.[`${project}:dockerHost`];
    return {
        host: configured ?? (process.env.DOCKER_HOST || DEFAULT_HOST),
        image: image?.inputs.name ?? "",
        data: data?.volumeName ?? data?.hostPath ?? "",
    };
}

/**
 * Containers that an earlier state of the stack knew would be in the way of the next `up`; what only they use would be left
 * over, and nobody could tell later whose it was.
 *
 * @param {StackCopy} copy
 * @param {Place} place
 */
async function refuseContainers({ project, stack: name }, place) {
    const label = `label=private-registry.stack=${project}/${name}`;
    const list = await docker(place, ["ps", "--all", "--quiet", "--filter", label]);
    if (list.code !== 0) {
        throw new MaintenanceError(
            `no Docker at ${place.host}: ${list.stderr.trim()}. Nothing was changed.`,
        );
    }
    const ids = list.stdout.split("\n").filter((line) => line !== "");
    if (ids.length === 0) return;
    const { stdout } = await docker(place, ["inspect", ...ids]);
    /** @type {{ Name: string, Mounts: { Name?: string, Destination: string }[], NetworkSettings: { Networks: object } }[]} */
    const containers = JSON.parse(stdout);
    const names = containers.map(({ Name }) => Name.replace(/^\//, ""));
    // The images may lie in another volume than the backup's did.
    const volumes = containers.flatMap(({ Mounts }) =>
        Mounts.filter(({ Destination }) => Destination !== DATA),
    );
    const networks = containers.flatMap(({ NetworkSettings }) =>
        Object.keys(NetworkSettings.Networks),
    );
    const commands = [
        removal("rm --force", names),
        removal(
            "volume rm",
            volumes.flatMap(({ Name }) => Name ?? []),
        ),
        removal(
            "network rm",
            networks.filter((network) => !["bridge", "host", "none"].includes(network)),
        ),
    ];
    throw new MaintenanceError(
        `containers of this stack are there, of a state that is lost: ${names.join(", ")}. Remove them and what only they use (the images stay):\n${commands.flat().join("\n")}\nNothing was changed.`,
    );
}

/**
 * @param {string} command
 * @param {string[]} names
 */
function removal(command, names) {
    return names.length === 0 ? [] : [`  docker ${command} ${[...new Set(names)].join(" ")}`];
}

/**
 * Returns how many files were not there.
 *
 * @param {Place} place
 * @param {BackupReader} verified
 * @param {Set<string>} present
 * @param {string} digest what to mark the place with
 */
async function fill(place, verified, present, digest) {
    const progress = new Progress("images", sizeOf(path));
    let added = 0;
    const missing = async function* () {
        const reader = new BackupReader(path, (count) => progress.add(count));
        for await (const file of reader.imageFiles()) {
            if (present.has(file.name)) continue;
            added++;
            yield file;
        }
        if (reader.digest !== verified.digest)
            throw new MaintenanceError(
                `${path} is another one than a moment ago; nothing of it was put in place`,
            );
    };
    try {
        await fillImages(place, missing(), digest);
    } finally {
        progress.end();
    }
    return added;
}
