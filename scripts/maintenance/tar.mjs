// @ts-check
// Tar, as GNU tar and busybox write and read it: ustar headers, longer names in a member of type L before, and sizes
// that eight octal gigabytes cannot hold in binary.

const BLOCK = 512;
const LONG_NAME = "././@LongLink";
const NAME_BYTES = 100;
const OCTAL_LIMIT = 8 ** 11;

/** Two empty blocks end an archive. */
export const END = Buffer.alloc(2 * BLOCK);

/** @typedef {{ name: string, size: number, mtime: number }} Entry `mtime` in seconds */
/** @typedef {Entry & { type: string, header: Buffer, body: () => AsyncGenerator<Buffer> }} Member */

/** What is read is no archive, or ends too early, or is not as it was written. */
export class DamagedArchive extends Error {}

/**
 * The header of a file: the same bytes for the same entry, whoever writes it.
 *
 * @param {Entry} entry
 * @returns {Buffer}
 */
export function header({ name, size, mtime }) {
    const bytes = Buffer.from(name);
    if (bytes.length <= NAME_BYTES) return block(bytes, size, mtime, "0");
    const text = Buffer.concat([bytes, Buffer.alloc(1)]);
    return Buffer.concat([
        block(Buffer.from(LONG_NAME), text.length, 0, "L"),
        text,
        padding(text.length),
        block(bytes.subarray(0, NAME_BYTES), size, mtime, "0"),
    ]);
}

/**
 * What fills the last block after so many bytes.
 *
 * @param {number} size
 */
export function padding(size) {
    return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/**
 * @param {Buffer} name
 * @param {number} size
 * @param {number} mtime
 * @param {string} type
 */
function block(name, size, mtime, type) {
    const bytes = Buffer.alloc(BLOCK);
    name.copy(bytes);
    bytes.write("0000644\0" + "0000000\0".repeat(2), 100);
    writeNumber(bytes, 124, size);
    writeNumber(bytes, 136, mtime);
    bytes.write(type, 156);
    bytes.write("ustar  \0", 257);
    bytes.write(`${checksum(bytes).toString(8).padStart(6, "0")}\0 `, 148);
    return bytes;
}

/**
 * @param {Buffer} bytes
 * @param {number} offset
 * @param {number} value
 */
function writeNumber(bytes, offset, value) {
    if (value < OCTAL_LIMIT) {
        bytes.write(`${value.toString(8).padStart(11, "0")}\0`, offset);
    } else {
        bytes[offset] = 0x80;
        bytes.writeBigUInt64BE(BigInt(value), offset + 4);
    }
}

/**
 * @param {Buffer} bytes
 * @param {number} offset
 */
function readNumber(bytes, offset) {
    if (bytes[offset] === 0x80) return Number(bytes.readBigUInt64BE(offset + 4));
    return readOctal(bytes.subarray(offset, offset + 12));
}

/** @param {Buffer} field */
function readOctal(field) {
    const text = field.toString("latin1").replace(/[\0 ]+$/, "");
    if (!/^ *[0-7]*$/.test(text)) throw new DamagedArchive("a number in a header is none");
    return Number.parseInt(text || "0", 8);
}

/**
 * The sum of a header's bytes, its own eight counted as spaces.
 *
 * @param {Buffer} bytes
 */
function checksum(bytes) {
    let sum = 8 * 0x20;
    for (let index = 0; index < BLOCK; index++) {
        if (index < 148 || index >= 156) sum += bytes[index] ?? 0;
    }
    return sum;
}

/**
 * The members of an archive, one after the other. A body that is not read is passed over. Empty blocks are passed over
 * too, so archives may follow each other; `isStrict` wants the bytes exactly as `header`, `padding` and `END` make them.
 *
 * @param {AsyncIterable<Buffer>} source
 * @param {{ isStrict?: boolean }} [options]
 * @returns {AsyncGenerator<Member>}
 */
export async function* readTar(source, { isStrict = false } = {}) {
    const bytes = new Bytes(source);
    try {
        for (;;) {
            const member = await readHeader(bytes, isStrict);
            if (member === undefined) return;
            let left = member.size;
            const body = async function* () {
                while (left > 0) {
                    const chunk = await bytes.some(left);
                    left -= chunk.length;
                    yield chunk;
                }
            };
            yield { ...member, body };
            for await (const chunk of body()) void chunk;
            const filling = await bytes.exactly(padding(member.size).length);
            if (isStrict && !isEmpty(filling))
                throw new DamagedArchive(`bytes after ${member.name} were changed`);
        }
    } finally {
        await bytes.close();
    }
}

/**
 * @param {Bytes} bytes
 * @param {boolean} isStrict
 */
async function readHeader(bytes, isStrict) {
    /** @type {Buffer[]} */
    const read = [];
    let longName = "";
    for (;;) {
        const head = await bytes.exactly(BLOCK, read.length === 0);
        if (head.length === 0) {
            if (isStrict) throw new DamagedArchive("it ends too early");
            return undefined;
        }
        if (isEmpty(head)) {
            if (!isStrict) continue;
            if (!isEmpty(await bytes.exactly(BLOCK)) || (await bytes.exactly(1, true)).length > 0)
                throw new DamagedArchive("there is something after its end");
            return undefined;
        }
        if (readOctal(head.subarray(148, 156)) !== checksum(head))
            throw new DamagedArchive("a header is damaged, or it is no tar archive");
        read.push(head);
        const size = readNumber(head, 124);
        const type = head.toString("latin1", 156, 157);
        if (type === "L") {
            if (size > 1 << 16) throw new DamagedArchive("a name in it is too long");
            const text = await bytes.exactly(size);
            read.push(text, await bytes.exactly(padding(size).length));
            longName = text.toString().replace(/\0.*$/s, "");
            continue;
        }
        const entry = { name: longName || nameOf(head), size, mtime: readNumber(head, 136) };
        const raw = Buffer.concat(read);
        if (isStrict && !raw.equals(header(entry)))
            throw new DamagedArchive(`the header of ${JSON.stringify(entry.name)} was changed`);
        return { ...entry, type: type === "\0" ? "0" : type, header: raw };
    }
}

/** @param {Buffer} head */
function nameOf(head) {
    const text = (/** @type {number} */ from, /** @type {number} */ to) =>
        head.toString("utf8", from, to).replace(/\0.*$/s, "");
    const prefix = head.toString("latin1", 257, 263) === "ustar\0" ? text(345, 500) : "";
    return prefix === "" ? text(0, NAME_BYTES) : `${prefix}/${text(0, NAME_BYTES)}`;
}

/** @param {Buffer} bytes at most a block */
function isEmpty(bytes) {
    return bytes.equals(END.subarray(0, bytes.length));
}

/** Bytes from a stream, in the pieces that are asked for. */
class Bytes {
    /** @type {AsyncIterator<Buffer>} */
    #source;
    /** @type {Buffer} */
    #rest = Buffer.alloc(0);

    /** @param {AsyncIterable<Buffer>} source */
    constructor(source) {
        this.#source = source[Symbol.asyncIterator]();
    }

    /**
     * At least one byte, and so many at most.
     *
     * @param {number} most
     * @returns {Promise<Buffer>}
     */
    async some(most) {
        if (!(await this.#fill())) throw new DamagedArchive("it ends too early");
        const chunk = this.#rest.subarray(0, most);
        this.#rest = this.#rest.subarray(chunk.length);
        return chunk;
    }

    /**
     * Exactly so many, or none at the end of all where that is allowed.
     *
     * @param {number} size
     * @param {boolean} [mayEnd]
     * @returns {Promise<Buffer>}
     */
    async exactly(size, mayEnd = false) {
        /** @type {Buffer[]} */
        const chunks = [];
        let missing = size;
        while (missing > 0) {
            if (mayEnd && missing === size && !(await this.#fill())) return Buffer.alloc(0);
            const chunk = await this.some(missing);
            missing -= chunk.length;
            chunks.push(chunk);
        }
        return chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
    }

    /** Ends the stream, read to its end or not. */
    async close() {
        await this.#source.return?.();
    }

    /** Whether there is another byte. */
    async #fill() {
        while (this.#rest.length === 0) {
            const { value, done } = await this.#source.next();
            if (done === true) return false;
            this.#rest = value;
        }
        return true;
    }
}
