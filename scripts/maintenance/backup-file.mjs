// @ts-check
// The file of a backup: a tar archive that ordinary tools open.
//
//   backup.json       what it is a backup of
//   images/...        the registry's files as they lie in its data folder
//   state.json        the stack's state and configuration, sealed with the backup passphrase; bound to all before it
//   checksums.json    how long everything before it is, and its SHA-256
//
// Its bytes follow from its content, so whatever was changed in it is found.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { MaintenanceError } from "./registry.mjs";
import { DamagedArchive, END, header, padding, readTar } from "./tar.mjs";

const FORMAT = "private-registry backup";
const VERSION = 1;
const HEAD = "backup.json";
const IMAGES = "images/";
const STATE = "state.json";
const CHECKSUMS = "checksums.json";
/** The largest of the JSON members: a state with thousands of client hosts has some megabytes. */
const JSON_BYTES = 1 << 28;
/** Small pieces go to the disk together. */
const FLUSH_BYTES = 1 << 18;

/** @typedef {import("./tar.mjs").Entry} Entry */
/** @typedef {import("./tar.mjs").Member} Member */
/** @typedef {import("./sealed.mjs").Sealed} Sealed */
/** @typedef {Entry & { body: () => AsyncGenerator<Buffer> }} ImageFile */
/** @typedef {{ format: string, version: number, created: string, project: string, stack: string, registry: string, image: string }} Head */
/** @typedef {{ bytes: number, files: number, sha256: string }} Checksums */

/** A file that is not taken, and why. */
export class RefusedFile extends MaintenanceError {}

/** Writes a backup to an open file, piece by piece. */
export class BackupWriter {
    #hash = createHash("sha256");
    /** @type {Buffer[]} */
    #pending = [];
    #pendingBytes = 0;
    #files = 0;
    bytes = 0;

    /** @param {import("node:fs/promises").FileHandle} file */
    constructor(file) {
        this.file = file;
    }

    /** @param {Omit<Head, "format" | "version">} head */
    writeHead(head) {
        return this.#writeJson(HEAD, { format: FORMAT, version: VERSION, ...head });
    }

    /**
     * @param {Entry} entry its name as in the data folder
     * @param {AsyncIterable<Buffer> | Iterable<Buffer>} body
     */
    async writeImageFile(entry, body) {
        this.#files++;
        await this.#write(header({ ...entry, name: IMAGES + entry.name }));
        for await (const chunk of body) await this.#write(chunk);
        await this.#write(padding(entry.size));
    }

    /** SHA-256 of everything so far: what the sealed state is bound to. */
    digest() {
        return this.#hash.copy().digest("hex");
    }

    /** @param {Sealed} sealed */
    writeState(sealed) {
        return this.#writeJson(STATE, sealed);
    }

    /** Writes what tells that the file is whole; returns the SHA-256 of the whole file. */
    async finish() {
        const checksums = { bytes: this.bytes, files: this.#files, sha256: this.digest() };
        await this.#writeJson(CHECKSUMS, checksums);
        await this.#write(END);
        await this.#flush();
        return this.digest();
    }

    /**
     * @param {string} name
     * @param {object} value
     */
    async #writeJson(name, value) {
        const bytes = json(value);
        await this.#write(header({ name, size: bytes.length, mtime: 0 }));
        await this.#write(bytes);
        await this.#write(padding(bytes.length));
    }

    /** @param {Buffer} chunk */
    async #write(chunk) {
        this.#hash.update(chunk);
        this.bytes += chunk.length;
        this.#pending.push(chunk);
        this.#pendingBytes += chunk.length;
        if (this.#pendingBytes >= FLUSH_BYTES) await this.#flush();
    }

    async #flush() {
        // One piece: the kernel may take a part of what it is given, and Node goes on with the rest only of one.
        await this.file.appendFile(Buffer.concat(this.#pending));
        this.#pending = [];
        this.#pendingBytes = 0;
    }
}

/**
 * Reads a backup, whole, from its first byte to its last. What it holds is known, and known to be as it was written,
 * only once all image files were gone through; `RefusedFile` is thrown otherwise.
 */
export class BackupReader {
    /** @type {Head | undefined} */
    #head;
    /** @type {Checksums | undefined} */
    #checksums;
    #hash = createHash("sha256");
    #bytes = 0;
    /** @type {Sealed | undefined} */
    sealed;
    /** SHA-256 of everything before the state, which is bound to it. */
    boundTo = "";
    files = 0;

    /**
     * @param {string} path
     * @param {(count: number) => void} [onBytes] hears of what was read
     */
    constructor(path, onBytes = () => undefined) {
        this.path = path;
        this.onBytes = onBytes;
    }

    get head() {
        if (this.#head === undefined) throw new Error("not read yet");
        return this.#head;
    }

    /** SHA-256 of everything but the checksums themselves. */
    get digest() {
        return this.#checksums?.sha256 ?? "";
    }

    /** Reads all of it. */
    async verify() {
        for await (const file of this.imageFiles()) void file;
        return this;
    }

    /**
     * The image files, their names as in the data folder.
     *
     * @returns {AsyncGenerator<ImageFile>}
     */
    async *imageFiles() {
        try {
            for await (const member of members(this.#source())) {
                if (member.name.startsWith(IMAGES)) yield* this.#imageFile(member);
                else await this.#readPart(member);
                this.#count(padding(member.size));
            }
            if (this.#checksums === undefined) throw new DamagedArchive("it ends too early");
        } catch (error) {
            if (!(error instanceof DamagedArchive)) throw error;
            throw new RefusedFile(`it is damaged: ${error.message}`);
        }
    }

    async *#source() {
        for await (const chunk of createReadStream(this.path, { highWaterMark: 1 << 20 })) {
            this.onBytes(chunk.length);
            yield /** @type {Buffer} */ (chunk);
        }
    }

    /** @param {Buffer} chunk */
    #count(chunk) {
        this.#hash.update(chunk);
        this.#bytes += chunk.length;
    }

    /** @param {Member} member */
    async *#imageFile(member) {
        const { size, mtime } = member;
        const name = member.name.slice(IMAGES.length);
        const isBetween = this.#head !== undefined && !this.sealed && !this.#checksums;
        if (!isBetween || !isImageFile(name)) throw outOfPlace(member);
        this.files++;
        this.#count(member.header);
        const count = this.#count.bind(this);
        const body = async function* () {
            for await (const chunk of member.body()) {
                count(chunk);
                yield chunk;
            }
        };
        yield { name, size, mtime, body };
        for await (const chunk of body()) void chunk;
    }

    /** @param {Member} member */
    async #readPart(member) {
        const sha256 = this.#hash.copy().digest("hex");
        const expected = { bytes: this.#bytes, files: this.files, sha256 };
        if (this.#head === undefined) {
            if (member.name !== HEAD) throw new RefusedFile("it is no backup of this program");
            this.#head = checkedHead(await this.#readJson(member));
        } else if (member.name === STATE && !this.sealed && !this.#checksums) {
            this.boundTo = sha256;
            this.sealed = /** @type {Sealed} */ (await this.#readJson(member));
        } else if (member.name === CHECKSUMS && !this.#checksums) {
            this.#checksums = /** @type {Checksums} */ (await this.#readJson(member));
            if (JSON.stringify(this.#checksums) !== JSON.stringify(expected))
                throw new DamagedArchive("its checksum is another one");
        } else {
            throw outOfPlace(member);
        }
    }

    /**
     * @param {Member} member
     * @returns {Promise<unknown>}
     */
    async #readJson(member) {
        if (member.size > JSON_BYTES) throw new DamagedArchive(`${member.name} is too large`);
        this.#count(member.header);
        /** @type {Buffer[]} */
        const chunks = [];
        for await (const chunk of member.body()) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        this.#count(bytes);
        try {
            const value = JSON.parse(bytes.toString());
            // As it was written, to the last blank.
            if (bytes.equals(json(value))) return value;
        } catch {
            // Said below.
        }
        throw new DamagedArchive(`${member.name} was changed`);
    }
}

/**
 * The members, with another word for a file that is no archive at all.
 *
 * @param {AsyncIterable<Buffer>} source
 */
async function* members(source) {
    let isFirst = true;
    try {
        for await (const member of readTar(source, { isStrict: true })) {
            yield member;
            isFirst = false;
        }
    } catch (error) {
        if (isFirst && error instanceof DamagedArchive)
            throw new RefusedFile(`it is no backup of this program, or damaged: ${error.message}`);
        throw error;
    }
}

/** @param {unknown} value */
function json(value) {
    return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** @param {Member} member */
function outOfPlace({ name }) {
    return new DamagedArchive(`${JSON.stringify(name)} does not belong there`);
}

/**
 * @param {unknown} value
 * @returns {Head}
 */
function checkedHead(value) {
    const head = /** @type {Head} */ (value);
    if (head?.format !== FORMAT) throw new RefusedFile("it is no backup of this program");
    if (head.version !== VERSION) {
        throw new RefusedFile(
            `it has version ${head.version} of the format, and this program reads version ${VERSION}: use the program's version that made it, or a newer one`,
        );
    }
    return head;
}

const DIGEST = "[a-z0-9]+/[0-9a-f]+";
const REPOSITORY = "(?:[a-z0-9][a-z0-9._-]*/)+";
const TAG = "\\w[\\w.-]*";
const IMAGE_FILE = new RegExp(
    "^docker/registry/v2/(?:" +
        "blobs/[a-z0-9]+/[0-9a-f]{2}/[0-9a-f]+/data|" +
        `repositories/${REPOSITORY}(?:_layers/${DIGEST}|_manifests/revisions/${DIGEST}(?:/signatures/${DIGEST})?|_manifests/tags/${TAG}/(?:current|index/${DIGEST}))/link` +
        ")$",
);

/**
 * Whether a registry has a file of this name in its data folder. Nothing else goes into a backup or comes out of one.
 *
 * @param {string} name
 */
export function isImageFile(name) {
    return IMAGE_FILE.test(name);
}
