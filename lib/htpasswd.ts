import * as bcrypt from "bcryptjs";

/**
 * The registry checks bcrypt on every request, and its answer for an unknown user takes as long as
 * cost 5. Generated passwords have far more than 128 bits, so a higher cost would only slow down
 * every request and tell known user names from unknown ones.
 */
const BCRYPT_COST = 5;

const SALT_BYTES = 16;
const LINE = /^[^:\s]+:\$2[aby]\$05\$[./A-Za-z0-9]{53}$/;

/** One user name with the bcrypt hash of its password. */
export interface HashedAccount {
    readonly username: string;
    readonly hash: string;
}

/**
 * The bcrypt hash of a password with a given salt: the same inputs give the same hash at every run.
 *
 * @param saltBase64 16 random bytes in base64
 */
export async function bcryptHash(password: string, saltBase64: string): Promise<string> {
    const salt = Buffer.from(saltBase64, "base64");
    if (salt.length !== SALT_BYTES) {
        throw new Error(`a bcrypt salt has ${SALT_BYTES} bytes, got ${salt.length}`);
    }
    const cost = BCRYPT_COST.toString().padStart(2, "0");
    return bcrypt.hash(password, `$2b$${cost}$${bcrypt.encodeBase64(salt, SALT_BYTES)}`);
}

/**
 * The text of an htpasswd file, sorted by user name. The registry refuses every request when one
 * line is malformed, so a line that it would not read is an error here.
 */
export function htpasswdText(accounts: readonly HashedAccount[]): string {
    const lines = accounts.map(({ username, hash }) => `${username}:${hash}`).sort();
    const malformed = accounts.find(({ username, hash }) => !LINE.test(`${username}:${hash}`));
    if (malformed !== undefined) {
        throw new Error(`the htpasswd line of ${JSON.stringify(malformed.username)} is malformed`);
    }
    return lines.map((line) => `${line}\n`).join("");
}
