// @ts-check
// The registry's files in its volume or folder, by a helper container of the registry's own image: the Docker host may be
// another machine.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { MaintenanceError } from "./registry.mjs";
import { END, header, padding, readTar } from "./tar.mjs";

/** Small pieces go to the helper together. */
const GATHERED_BYTES = 1 << 18;
/** Says in the volume that it was filled from which backup, until the state is there too. */
const MARK = ".private-registry-restored";

/** @typedef {import("./backup-file.mjs").ImageFile} ImageFile */
/** @typedef {{ host: string, image: string, data: string }} Place `data`: a volume's name or a folder on the Docker host */

const NAMES = `cd /data
links() { find docker/registry/v2/repositories -name _uploads -prune -o -type f -name link "$@"; }
blobs() { find docker/registry/v2/blobs -type f -name data "$@"; }
`;

// First the tags, then what they lead to: everything that a tag names was there before the tag. So this is whole while
// pushes go on, as long as nothing collects garbage. What is being uploaded is left out. For every step the file says
// itself what it is, so each may be many archives.
const READ = `${NAMES}
if [ -d docker/registry/v2/blobs ]; then
    echo "total $(du -sk docker/registry/v2/blobs | cut -f 1)" >&2
fi
if [ -d docker/registry/v2/repositories ]; then
    links -path '*/_manifests/tags/*' -exec tar -c -f - {} +
    links ! -path '*/_manifests/tags/*' -exec tar -c -f - {} +
fi
if [ -d docker/registry/v2/blobs ]; then
    blobs -exec tar -c -f - {} +
fi
echo complete >&2
`;

// Those that its input names, one a line; as many archives as it takes.
const PICK = `cd /data
busybox xargs busybox tar -c -f -
echo complete >&2
`;

const LIST = `${NAMES}
[ ! -f ${MARK} ] || cat ${MARK}
echo
[ ! -d docker/registry/v2/repositories ] || links -print
[ ! -d docker/registry/v2/blobs ] || blobs -print
`;

// Only what a tag's name is in.
const TAGS = `cd /data
repositories=docker/registry/v2/repositories
[ ! -d "$repositories" ] || find "$repositories" -name _uploads -prune -o -name _layers -prune -o \\
    -path '*/_manifests/revisions' -prune -o -type d -name _manifests -print -o \\
    -type f -path '*/_manifests/tags/*/current/link' -print
`;

// Into a folder that the registry does not know, and in place by renaming only: whenever this ends, no file is there in part.
// Blobs before the links to them, and tags last, so that also a registry that runs has nothing half.
const FILL = `set -eu
${NAMES}
digest=$1
stage=.private-registry-restore
rm -rf "$stage"
mkdir "$stage"
trap 'rm -rf "/data/$stage"' EXIT
tar -x -f - -C "$stage"
[ -f "$stage/complete" ] || exit 1
sync
cd "$stage"
put() {
    while read -r file; do
        [ ! -e "/data/$file" ] || continue
        mkdir -p "/data/\${file%/*}" || exit 1
        mv "$file" "/data/$file" || exit 1
    done
}
if [ ! -e /data/docker ]; then
    [ ! -d docker ] || mv docker /data/docker
else
    [ ! -d docker/registry/v2/blobs ] || blobs | put
    if [ -d docker/registry/v2/repositories ]; then
        links ! -path '*/_manifests/tags/*' -print | put
        links -path '*/_manifests/tags/*' -print | put
    fi
fi
[ -z "$digest" ] || echo "$digest" >/data/${MARK}
sync
`;

/**
 * Every file of images, in the order in which they are whole. Throws at the end when one could not be read.
 *
 * @param {Place} place
 * @param {(bytes: number) => void} onTotal hears about how much it will be
 * @returns {AsyncGenerator<ImageFile>}
 */
export async function* readImages(place, onTotal) {
    yield* read(place, READ, "", onTotal);
}

/**
 * The files of these names. Throws at the end when one could not be read; one that is gone is not missed.
 *
 * @param {Place} place
 * @param {readonly string[]} names
 * @returns {AsyncGenerator<ImageFile>}
 */
export async function* readFiles(place, names) {
    if (names.length > 0) yield* read(place, PICK, `${names.join("\n")}\n`, () => undefined);
}

/**
 * @param {Place} place
 * @param {string} script that writes archives, and says at its end that it is complete
 * @param {string} input
 * @param {(bytes: number) => void} onTotal
 * @returns {AsyncGenerator<ImageFile>}
 */
async function* read(place, script, input, onTotal) {
    const helper = start(place, "ro", script);
    helper.stdin.end(input);
    let complaints = "";
    helper.stderr.setEncoding("utf8").on("data", (said) => {
        complaints += said;
        const total = /^total (\d+)$/m.exec(said)?.[1];
        if (total !== undefined) onTotal(Number(total) * 1024);
    });
    const ended = once(helper, "close");
    try {
        yield* readTar(helper.stdout);
    } finally {
        helper.stdout.destroy();
        await ended;
    }
    const lines = complaints.trim().split("\n");
    // Deleted since it was found: that is not missed.
    const isExpected = /No such file or directory$|error exit delayed|^total |^complete$/;
    const errors = lines.filter(
        (line) => /^(tar|find|du|sh):/.test(line) && !isExpected.test(line),
    );
    if (!lines.includes("complete") || errors.length > 0) {
        throw new MaintenanceError(
            `the images cannot be read: ${errors[0] ?? lines.at(-1) ?? "the helper container ended"}`,
        );
    }
}

/**
 * What is there already: the names of all files, and the digest of the backup that it was restored from, if that has not
 * come to its end.
 *
 * @param {Place} place
 */
export async function listImages(place) {
    const [digest = "", ...names] = (await mustRun(place, "ro", LIST)).split("\n");
    const files = new Set(names.filter((name) => name !== ""));
    return { files, restoredFrom: digest };
}

/**
 * The tags of each repository, by its name.
 *
 * @param {Place} place
 * @returns {Promise<Map<string, string[]>>}
 */
export async function listTags(place) {
    /** @type {Map<string, string[]>} */
    const found = new Map();
    for (const line of (await mustRun(place, "ro", TAGS)).split("\n")) {
        const [, name, tag] =
            /^docker\/registry\/v2\/repositories\/(.+)\/_manifests(?:\/tags\/([^/]+)\/current\/link)?$/.exec(
                line,
            ) ?? [];
        if (name === undefined) continue;
        const tags = found.get(name) ?? [];
        found.set(name, tags);
        if (tag !== undefined) tags.push(tag);
    }
    return found;
}

/**
 * Puts these files in place, all of them or none; those that are there stay.
 *
 * @param {Place} place
 * @param {AsyncIterable<ImageFile>} images it throws when they are not to be taken
 * @param {string} digest what to mark the place with; empty for nothing
 */
export async function fillImages(place, images, digest) {
    const helper = start(place, "rw", FILL, digest);
    const complaints = text(helper.stderr);
    const ended = once(helper, "close");
    helper.stdout.resume();
    /** @type {unknown} */
    let failure;
    await pipeline(Readable.from(gather(archive(images))), helper.stdin).catch((error) => {
        failure = error;
    });
    const [code] = await ended;
    if (failure instanceof MaintenanceError) throw failure;
    if (code !== 0)
        throw new MaintenanceError(
            `the images cannot be written to ${place.data}: ${reason(await complaints)}`,
        );
    if (failure !== undefined) throw failure;
}

/**
 * What was restored is whole now.
 *
 * @param {Place} place
 */
export async function unmark(place) {
    await mustRun(place, "rw", `rm -f /data/${MARK}`);
}

/** @param {AsyncIterable<ImageFile>} images */
async function* archive(images) {
    for await (const file of images) {
        yield header(file);
        yield* file.body();
        yield padding(file.size);
    }
    yield header({ name: "complete", size: 0, mtime: 0 });
    yield END;
}

/** @param {AsyncIterable<Buffer>} chunks */
async function* gather(chunks) {
    /** @type {Buffer[]} */
    let pending = [];
    let bytes = 0;
    for await (const chunk of chunks) {
        pending.push(chunk);
        bytes += chunk.length;
        if (bytes < GATHERED_BYTES) continue;
        yield Buffer.concat(pending);
        pending = [];
        bytes = 0;
    }
    yield Buffer.concat(pending);
}

/**
 * @param {Place} place
 * @param {"ro" | "rw"} access
 * @param {string} script
 */
async function mustRun(place, access, script) {
    const helper = start(place, access, script);
    helper.stdin.end();
    const [stdout, stderr, [code]] = await Promise.all([
        text(helper.stdout),
        text(helper.stderr),
        once(helper, "close"),
    ]);
    if (code !== 0)
        throw new MaintenanceError(`${place.data} cannot be looked at: ${reason(stderr)}`);
    return stdout;
}

/** @param {string} complaints */
function reason(complaints) {
    const lines = complaints.trim().split("\n");
    return lines.find((line) => /^(tar|mv|mkdir|sh|docker):/.test(line)) ?? lines.at(-1) ?? "";
}

/**
 * @param {Place} place
 * @param {"ro" | "rw"} access
 * @param {string} script
 * @param {string[]} args
 */
function start({ host, image, data }, access, script, ...args) {
    const options = [
        // What it prints is the data itself: no log of it.
        ...["--rm", "--interactive", "--log-driver", "none", "--network", "none"],
        // As the registry itself is, but for the network.
        ...["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
        // Behind what serves, where the processors are busy.
        ...["--memory", "1g", "--memory-swap", "1g", "--cpu-shares", "512", "--pids-limit", "64"],
        ...["--volume", `${data}:/data:${access}`],
    ];
    const command = ["--entrypoint", "sh", image, "-c", withTools(script), "sh", ...args];
    const helper = spawn("docker", ["--host", host, "run", ...options, ...command], {
        // A Ctrl-C is for this program, which knows what has to be done about it.
        detached: true,
    });
    helper.stdin.on("error", () => undefined);
    helper.on("error", () => undefined);
    return helper;
}

/** An image need not have a link for every tool that its busybox holds. */
const TOOLS = "find tar du cut cat rm mkdir mv sync";

/** @param {string} script */
function withTools(script) {
    const tools = TOOLS.split(" ").map((tool) => `${tool}() { busybox ${tool} "$@"; }`);
    return `${tools.join("\n")}\n${script.replaceAll("-exec tar", "-exec busybox tar")}`;
}
