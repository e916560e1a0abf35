// @ts-check
// The backup passphrase: from a file, from the environment, or asked for on the terminal and not shown.
import { readFileSync } from "node:fs";
import { MaintenanceError } from "./registry.mjs";

const NAME = "PRIVATE_REGISTRY_BACKUP_PASSPHRASE";
const LEAST = 12;

/**
 * Undefined where there is none and nobody to ask.
 *
 * @param {{ isNew: boolean }} options a new one is asked for twice, and has a least length
 * @returns {Promise<string | undefined>}
 */
export async function readPassphrase({ isNew }) {
    const passphrase = given() ?? (process.stdin.isTTY ? await ask(isNew) : undefined);
    if (passphrase !== undefined && passphrase.length < (isNew ? LEAST : 1)) {
        throw new MaintenanceError(
            `the backup passphrase has ${passphrase.length} characters; allowed: ${LEAST} or more, since the file may lie where anybody can try for years; to make one: openssl rand -base64 24`,
        );
    }
    return passphrase;
}

function given() {
    const { [NAME]: passphrase, [`${NAME}_FILE`]: file } = process.env;
    // No program that is started from here has a use for it.
    delete process.env[NAME];
    if (file) {
        try {
            return readFileSync(file, "utf8").replace(/\r?\n$/, "");
        } catch (error) {
            const { message } = /** @type {Error} */ (error);
            throw new MaintenanceError(`${NAME}_FILE cannot be read: ${message}`);
        }
    }
    return passphrase;
}

/** @param {boolean} isNew */
async function ask(isNew) {
    const passphrase = await typed("Backup passphrase: ");
    if (isNew && (await typed("The same once more: ")) !== passphrase)
        throw new MaintenanceError("the two passphrases differ; nothing was done");
    return passphrase;
}

/** What came after the line that was asked for. */
let typedAhead = "";

/**
 * A line from the terminal, without showing it.
 *
 * @param {string} question
 * @returns {Promise<string>}
 */
function typed(question) {
    const { stdin, stderr } = process;
    // First of all: what is typed from here on is not shown.
    stdin.setRawMode(true);
    stderr.write(question);
    stdin.setEncoding("utf8");
    stdin.resume();
    return new Promise((resolve, reject) => {
        let line = "";
        const finish = () => {
            stdin.off("data", read);
            stdin.setRawMode(false);
            stdin.pause();
            stderr.write("\n");
        };
        const read = (/** @type {string} */ keys) => {
            for (const [index, key] of [...keys].entries()) {
                if (key === "\r" || key === "\n") {
                    finish();
                    typedAhead = [...keys].slice(index + 1).join("");
                    resolve(line);
                    return;
                }
                if (key === "\x03" || key === "\x04") {
                    finish();
                    reject(new MaintenanceError("no passphrase was given; nothing was done"));
                    return;
                }
                line = key === "\x7f" || key === "\b" ? line.slice(0, -1) : line + key;
            }
        };
        stdin.on("data", read);
        const ahead = typedAhead;
        typedAhead = "";
        read(ahead);
    });
}
