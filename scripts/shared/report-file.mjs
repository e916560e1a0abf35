// @ts-check
// Reports in files: whole or not at all, for whoever reads them while they are written anew.
import { randomBytes } from "node:crypto";
import {
    chmodSync,
    lstatSync,
    realpathSync,
    renameSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * Why a report cannot take this place; undefined when it can. Only a file is replaced by one.
 *
 * @param {string} file
 * @returns {string | undefined}
 */
export function refusal(file) {
    const folder = statSync(dirname(file), { throwIfNoEntry: false });
    if (!folder?.isDirectory()) return `there is no folder ${dirname(file)}`;
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory()) return "it is a folder; give a file in it";
    if (found !== undefined && !found.isFile())
        return "it is there and no file; - is standard output";
    const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
    return found === undefined && isLink ? "it is a link that leads nowhere" : undefined;
}

/**
 * @param {string} file where it is a link, what that leads to
 * @param {string} text
 * @param {number} mode
 */
export function writeReport(file, text, mode) {
    const place =
        statSync(file, { throwIfNoEntry: false }) === undefined ? file : realpathSync(file);
    const unfinished = `${place}.${randomBytes(6).toString("hex")}`;
    try {
        writeFileSync(unfinished, text, { mode, flag: "wx" });
        chmodSync(unfinished, mode);
        renameSync(unfinished, place);
    } catch (error) {
        rmSync(unfinished, { force: true });
        throw error;
    }
}
