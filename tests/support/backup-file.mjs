// @ts-check
// The checks of tests/unit/backup-file.test.ts.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import fc from "fast-check";
import { BackupReader, BackupWriter, isImageFile } from "../../scripts/maintenance/backup-file.mjs";
import { MaintenanceError } from "../../scripts/maintenance/registry.mjs";
import { seal, unseal } from "../../scripts/maintenance/sealed.mjs";
import { END, header, padding, readTar } from "../../scripts/maintenance/tar.mjs";

const folder = mkdtempSync(join(tmpdir(), "private-registry-backup-"));
const path = join(folder, "backup");
after(() => rmSync(folder, { recursive: true }));

const HEAD = {
    created: "2026-01-01T00:00:00.000Z",
    project: "private-registry",
    stack: "test",
    registry: "localhost:5000",
    image: "registry:3.1.1",
};
const SEALED = {
    ...{ kdf: "scrypt", N: 2, r: 1, p: 1, salt: "", cipher: "aes-256-gcm" },
    ...{ nonce: "", tag: "", data: "c2VjcmV0" },
};

/** What costs next to nothing to guess. */
const CHEAP = { N: 2, r: 1, p: 1 };

/** @typedef {{ name: string, content: Buffer, mtime: number }} File */

/**
 * @param {File[]} files
 * @param {import("../../scripts/maintenance/sealed.mjs").Sealed | undefined} sealed
 */
async function write(files, sealed) {
    const file = await open(path, "w");
    const writer = new BackupWriter(file);
    await writer.writeHead(HEAD);
    for (const { name, content, mtime } of files)
        await writer.writeImageFile({ name, size: content.length, mtime }, [content]);
    const bound = writer.digest();
    if (sealed !== undefined) await writer.writeState(sealed);
    const sha256 = await writer.finish();
    await file.close();
    return { bound, sha256 };
}

async function read() {
    const reader = new BackupReader(path);
    /** @type {File[]} */
    const files = [];
    for await (const { name, mtime, body } of reader.imageFiles())
        files.push({ name, mtime, content: Buffer.concat(await all(body())) });
    return { files, head: reader.head, sealed: reader.sealed, bound: reader.boundTo };
}

/** @param {Buffer} bytes */
async function refusalOf(bytes) {
    writeFileSync(path, bytes);
    try {
        await new BackupReader(path).verify();
    } catch (error) {
        assert(error instanceof MaintenanceError, String(error));
        return error.message;
    }
    return undefined;
}

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const repository = fc
    .array(fc.stringMatching(/^[a-z0-9]([a-z0-9._-]{0,60}[a-z0-9])?$/), {
        minLength: 1,
        maxLength: 4,
    })
    .map((parts) => parts.join("/"));
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
const name = fc.oneof(
    hex.map((digest) => `docker/registry/v2/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`),
    fc
        .tuple(repository, tag)
        .map(
            ([path, text]) =>
                `docker/registry/v2/repositories/${path}/_manifests/tags/${text}/current/link`,
        ),
    fc
        .tuple(repository, hex)
        .map(
            ([path, digest]) =>
                `docker/registry/v2/repositories/${path}/_layers/sha256/${digest}/link`,
        ),
);
const file = fc.record({
    name,
    content: fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
    mtime: fc.integer({ min: 0, max: 2 ** 35 }),
});

test("what is written comes back", async () => {
    await fc.assert(
        fc.asyncProperty(
            fc.array(file, { maxLength: 12 }),
            fc.boolean(),
            async (files, hasState) => {
                const { bound, sha256 } = await write(files, hasState ? SEALED : undefined);
                assert.deepEqual(await read(), {
                    files: files.map(({ name, mtime, content }) => ({ name, mtime, content })),
                    head: { format: "private-registry backup", version: 1, ...HEAD },
                    sealed: hasState ? SEALED : undefined,
                    bound: hasState ? bound : "",
                });
                assert.equal(createHash("sha256").update(readFileSync(path)).digest("hex"), sha256);
            },
        ),
        { numRuns: 100 },
    );
    // Larger than eight octal gigabytes: only the header, of course.
    const entry = { name: "large", size: 2 ** 36 + 1, mtime: 1 };
    const large = readTar(Readable.from([header(entry)]));
    assert.equal((await large.next()).value?.size, entry.size);
});

test("ordinary tar reads it", async () => {
    const long = `docker/registry/v2/repositories/${"long/".repeat(40)}_layers/sha256/00/link`;
    await write(
        [
            { name: long, content: Buffer.from("sha256:00"), mtime: 1_700_000_000 },
            {
                name: "docker/registry/v2/blobs/sha256/00/00/data",
                content: Buffer.alloc(1000, 7),
                mtime: 0,
            },
        ],
        SEALED,
    );
    const { stdout, stderr } = spawnSync("tar", ["-tf", path], { encoding: "utf8" });
    assert.equal(stderr, "");
    assert.deepEqual(stdout.trim().split("\n"), [
        "backup.json",
        `images/${long}`,
        "images/docker/registry/v2/blobs/sha256/00/00/data",
        "state.json",
        "checksums.json",
    ]);
    const content = spawnSync("tar", ["-xOf", path, `images/${long}`], { encoding: "utf8" });
    assert.equal(content.stdout, "sha256:00");
    const checksums = spawnSync("tar", ["-xOf", path, "checksums.json"], { encoding: "utf8" });
    const { bytes, sha256 } = JSON.parse(checksums.stdout);
    const before = readFileSync(path).subarray(0, bytes);
    assert.equal(createHash("sha256").update(before).digest("hex"), sha256);
});

test("any flipped bit is found", async () => {
    const long = `docker/registry/v2/repositories/${"long/".repeat(30)}_layers/sha256/00/link`;
    await write([{ name: long, content: Buffer.from("sha256:00"), mtime: 1 }], SEALED);
    const whole = readFileSync(path);
    assert.equal(await refusalOf(whole), undefined);
    const flip = async (/** @type {number} */ bit) => {
        const bytes = Buffer.from(whole);
        const at = bit >> 3;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        assert.match(
            (await refusalOf(bytes)) ?? "accepted",
            /damaged|no backup of this program|version/,
            `bit ${bit}`,
        );
    };
    // The highest bit of each byte is the one that gives a number in a header another form.
    for (let at = 0; at < whole.length; at++) await flip(at * 8 + 7);
    await fc.assert(fc.asyncProperty(fc.nat({ max: whole.length * 8 - 1 }), flip), {
        numRuns: 400,
    });
});

test("any missing end is found", async () => {
    await write(
        [
            {
                name: "docker/registry/v2/blobs/sha256/00/00/data",
                content: Buffer.alloc(700, 7),
                mtime: 0,
            },
        ],
        SEALED,
    );
    const whole = readFileSync(path);
    await fc.assert(
        fc.asyncProperty(fc.nat({ max: whole.length - 1 }), async (length) => {
            assert.match(
                (await refusalOf(whole.subarray(0, length))) ?? "accepted",
                /damaged|no backup/,
            );
        }),
        { numRuns: 300 },
    );
    assert.match(
        (await refusalOf(Buffer.concat([whole, Buffer.alloc(512)]))) ?? "",
        /after its end/,
    );
    assert.match((await refusalOf(Buffer.concat([whole, whole]))) ?? "", /after its end/);
});

test("what is not from this program is refused", async () => {
    const tar = spawnSync("tar", ["-c", "-C", folder, "."]).stdout;
    assert.match((await refusalOf(tar)) ?? "", /no backup of this program/);
    assert.match(
        (await refusalOf(Buffer.from("hello".repeat(1000)))) ?? "",
        /no backup of this program/,
    );
    assert.match((await refusalOf(Buffer.alloc(0))) ?? "", /no backup of this program/);
    const other = (/** @type {object} */ value) => {
        const text = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
        const entry = { name: "backup.json", size: text.length, mtime: 0 };
        return Buffer.concat([header(entry), text, padding(text.length), END]);
    };
    assert.match(
        (await refusalOf(other({ format: "other", version: 1 }))) ?? "",
        /no backup of this/,
    );
    assert.match(
        (await refusalOf(other({ format: "private-registry backup", version: 2 }))) ?? "",
        /it has version 2 of the format, and this program reads version 1/,
    );
});

test("only files of a registry come out", async () => {
    const blob = `docker/registry/v2/blobs/sha256/00/${"0".repeat(64)}/data`;
    assert(isImageFile(blob));
    for (const name of [
        "../etc/passwd",
        "/etc/passwd",
        "docker/registry/v2/blobs/sha256/00/../../../../../data",
        "docker/registry/v2/repositories/../../x/_layers/sha256/00/link",
        "docker/registry/v2/repositories/a/_uploads/1/data",
        "docker/registry/v2/repositories/a/_manifests/tags/../current/link",
        `${blob}\nx`,
        `${blob}/more`,
    ]) {
        assert(!isImageFile(name), name);
        await write([{ name, content: Buffer.from("x"), mtime: 0 }], undefined);
        assert.match((await refusalOf(readFileSync(path))) ?? "accepted", /does not belong there/);
    }
});

test("a state opens with its passphrase and its backup only", async () => {
    await fc.assert(
        fc.asyncProperty(fc.string(), fc.string({ minLength: 1 }), async (text, passphrase) => {
            const sealed = await seal(text, passphrase, "bound", CHEAP);
            assert.equal(await unseal(sealed, passphrase, "bound"), text);
            assert.equal(await unseal(sealed, `${passphrase}x`, "bound"), undefined);
            assert.equal(await unseal(sealed, passphrase, "other"), undefined);
            assert.equal(await unseal({ ...sealed, r: 2 }, passphrase, "bound"), undefined);
            // A file must not make this machine take all its memory.
            assert.equal(await unseal({ ...sealed, N: 2 ** 40 }, passphrase, "bound"), undefined);
            const other = await seal(text, passphrase, "bound", CHEAP);
            assert.notEqual(other.salt, sealed.salt);
            assert.notEqual(other.nonce, sealed.nonce);
        }),
        { numRuns: 100 },
    );
    const sealed = await seal("secret", "passphrase", "bound", CHEAP);
    for (const key of /** @type {const} */ (["data", "tag", "nonce", "salt"])) {
        const bytes = Buffer.from(sealed[key], "base64");
        bytes[0] = (bytes[0] ?? 0) ^ 1;
        const changed = { ...sealed, [key]: bytes.toString("base64") };
        assert.equal(await unseal(changed, "passphrase", "bound"), undefined, key);
    }
});

test("a passphrase is asked for twice and not shown", async (context) => {
    if (spawnSync("script", ["--version"]).status !== 0) {
        context.skip("no `script` here to make a terminal with");
        return;
    }
    const program = join(folder, "ask.mjs");
    const module = new URL("../../scripts/maintenance/passphrase.mjs", import.meta.url);
    writeFileSync(
        program,
        `import { readPassphrase } from ${JSON.stringify(module.href)};
        const passphrase = await readPassphrase({ isNew: true }).catch(({ message }) => message);
        console.log(passphrase.split("").reverse().join(""));`,
    );
    const none = {
        PRIVATE_REGISTRY_BACKUP_PASSPHRASE: undefined,
        PRIVATE_REGISTRY_BACKUP_PASSPHRASE_FILE: undefined,
    };
    const env = { ...process.env, ...none };
    /** Types each line when it is asked for. */
    const answer = async (/** @type {string[]} */ ...lines) => {
        const command = `${process.execPath} ${program}`;
        const terminal = spawn("script", ["-qec", command, "/dev/null"], { env });
        let shown = "";
        for await (const chunk of terminal.stdout.setEncoding("utf8")) {
            shown += chunk;
            if (/: $/.test(shown)) terminal.stdin.write(lines.shift() ?? "");
        }
        return shown;
    };
    const backwards = (/** @type {string} */ text) => text.split("").reverse().join("");
    const same = await answer("correct horse x\b\x7fy\r", "correct horsey\r");
    assert.match(same, /Backup passphrase: [^]*The same once more: /);
    assert(same.includes(backwards("correct horsey")), same);
    assert(!same.includes("correct"), same);
    const other = await answer("correct horse battery\r", "correct horse batterie\r");
    assert(other.includes(backwards("the two passphrases differ; nothing was done")), other);
    const ended = await answer("correct\x03");
    assert(ended.includes(backwards("no passphrase was given; nothing was done")), ended);
});

/**
 * @template T
 * @param {AsyncIterable<T>} items
 */
async function all(items) {
    const list = [];
    for await (const item of items) list.push(item);
    return list;
}
