import { createPublicKey } from "node:crypto";

/** Something that nobody may find where it does not belong. */
export interface Secret {
    /** What it is; a failed test says this, and never the value. */
    readonly name: string;
    readonly value: string;
}

/** Names of those secrets that a text holds: as they are, escaped, in hex, or anywhere inside of something in base64. */
export function findSecrets(secrets: readonly Secret[], text: string): string[] {
    const found = secrets.filter(({ value }) => formsOf(value).some((form) => text.includes(form)));
    return found.map(({ name }) => name);
}

function formsOf(secret: string): string[] {
    const bytes = Buffer.from(secret);
    const hex = bytes.toString("hex");
    const base64 = [0, 1, 2].map((before) => insideBase64(bytes, before));
    return [
        ...new Set([
            secret,
            JSON.stringify(secret).slice(1, -1),
            encodeURIComponent(secret),
            hex,
            hex.toUpperCase(),
            ...base64,
            ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
        ]),
    ];
}

/** The characters that stand for these bytes alone when so many others are before them, and any behind. */
function insideBase64(bytes: Buffer, before: number): string {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return encoded.slice(
        Math.ceil((before * 8) / 6),
        Math.floor(((before + bytes.length) * 8) / 6),
    );
}

/** The parts of a text that are secret in themselves: lines of private keys, and hashes of passwords. */
export function secretsWithin(name: string, text: string): Secret[] {
    const keys = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*-----/g) ?? [];
    const lines = keys
        .flatMap(linesOf)
        .map((value, index) => ({ name: `${name}, line ${index + 1} of a key`, value }));
    const hashes = text.match(/\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}/g) ?? [];
    return [...lines, ...hashes.map((value) => ({ name: `${name}, a hash`, value }))];
}

/** The lines of a private key that are long enough to be known by, and hold more than a certificate may tell. */
function linesOf(key: string): string[] {
    const lines = key.split("\n").slice(1, -1);
    const bytes = Buffer.from(lines.join(""), "base64");
    const known = publicHalf(key, bytes);
    return lines.filter((line, index) => {
        const start = lines.slice(0, index).join("").length;
        const own = bytes.subarray(
            Math.ceil(start * 0.75),
            Math.floor((start + line.length) * 0.75),
        );
        // OpenSSH's form begins with a line that is the same for all.
        return line.length >= 40 && !known.includes(own) && !line.startsWith("b3BlbnNzaC1rZXktdjE");
    });
}

/** All of OpenSSH's form up to what is private: the public key stands there twice, with a number between that checks the rest. */
function openHalf(bytes: Buffer): Buffer {
    const end = 43 + bytes.readUInt32BE(39);
    return Buffer.concat([bytes.subarray(0, end + 12), bytes.subarray(43, end)]);
}

function publicHalf(key: string, bytes: Buffer): Buffer {
    try {
        return key.includes("BEGIN OPENSSH")
            ? openHalf(bytes)
            : createPublicKey(key).export({ type: "spki", format: "der" });
    } catch {
        // Closed with a password, or no key at all.
        return Buffer.alloc(0);
    }
}
