// @ts-check
// A text sealed with a passphrase: scrypt makes the key, AES-256-GCM encrypts and vouches for it.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
/** 128 MiB and a few tenths of a second for every guess. */
const COST = { N: 2 ** 17, r: 8, p: 1 };
/** What a file may ask this machine for. */
const MOST = { N: 2 ** 20, r: 16, p: 4 };

const derive =
    /** @type {(passphrase: string, salt: Buffer, bytes: number, options: import("node:crypto").ScryptOptions) => Promise<Buffer>} */ (
        promisify(scrypt)
    );

/** @typedef {{ kdf: string, N: number, r: number, p: number, salt: string, cipher: string, nonce: string, tag: string, data: string }} Sealed bytes in base64 */

/**
 * Seals a text, and binds it to another that stays readable: it opens only together with that one, unchanged.
 *
 * @param {string} text
 * @param {string} passphrase
 * @param {string} bound
 * @param {{ N: number, r: number, p: number }} [cost] of every guess
 * @returns {Promise<Sealed>}
 */
export async function seal(text, passphrase, bound, cost = COST) {
    const salt = randomBytes(16);
    const nonce = randomBytes(12);
    const cipher = createCipheriv(CIPHER, await keyFrom(passphrase, salt, cost), nonce);
    cipher.setAAD(Buffer.from(bound));
    const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    const base64 = (/** @type {Buffer} */ bytes) => bytes.toString("base64");
    return {
        ...{ kdf: "scrypt", ...cost, salt: base64(salt) },
        ...{ cipher: CIPHER, nonce: base64(nonce), tag: base64(cipher.getAuthTag()) },
        data: base64(data),
    };
}

/**
 * Opens what `seal` made; undefined when passphrase, content or what it is bound to is another one.
 *
 * @param {Sealed} sealed
 * @param {string} passphrase
 * @param {string} bound
 * @returns {Promise<string | undefined>}
 */
export async function unseal(sealed, passphrase, bound) {
    const { kdf, N, r, p, cipher } = sealed;
    const isKnown = kdf === "scrypt" && cipher === CIPHER;
    const isBounded = [
        [N, MOST.N],
        [r, MOST.r],
        [p, MOST.p],
    ].every(([value = 0, most = 0]) => Number.isInteger(value) && value > 0 && value <= most);
    if (!isKnown || !isBounded) return undefined;
    const bytes = (/** @type {string} */ text) => Buffer.from(text, "base64");
    try {
        const key = await keyFrom(passphrase, bytes(sealed.salt), { N, r, p });
        const decipher = createDecipheriv(CIPHER, key, bytes(sealed.nonce), { authTagLength: 16 });
        decipher.setAAD(Buffer.from(bound));
        decipher.setAuthTag(bytes(sealed.tag));
        return Buffer.concat([decipher.update(bytes(sealed.data)), decipher.final()]).toString();
    } catch {
        return undefined;
    }
}

/**
 * @param {string} passphrase
 * @param {Buffer} salt
 * @param {{ N: number, r: number, p: number }} cost
 */
function keyFrom(passphrase, salt, cost) {
    // Twice what it takes.
    const maxmem = 256 * (cost.N + cost.p) * cost.r;
    return derive(passphrase.normalize("NFC"), salt, KEY_BYTES, { ...cost, maxmem });
}
