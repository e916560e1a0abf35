// @ts-check
// A hand-over as a folder of files that only its owner can read.
import {
    chmodSync,
    existsSync,
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** @typedef {{ name: string, text: string }} File */

/**
 * Why these files cannot be written to a folder; undefined when they can. A folder of somebody's is never touched, nor
 * that of another team.
 *
 * @param {string} folder
 * @param {File} readme the file whose first line says whose folder it is
 * @returns {string | undefined}
 */
export function refusal(folder, readme) {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) {
        return existsSync(dirname(folder)) ? undefined : `there is no folder ${dirname(folder)}`;
    }
    if (!found.isDirectory()) return "it is there and no folder";
    if (found.uid !== process.getuid?.()) return "it belongs to another user";
    if (readdirSync(folder).length === 0) return undefined;
    const title = firstLine(readFile(join(folder, readme.name)));
    if (title === firstLine(readme.text)) return undefined;
    return title.startsWith(firstLine(readme.text).split(" ", 2).join(" "))
        ? `it holds another hand-over ("${title}")`
        : "it has files in it that are not from here";
}

/**
 * Writes all files or none: they are complete beside the folder before anything in it changes, and each takes its place by
 * a rename. What else is in the folder stays.
 *
 * @param {string} folder
 * @param {File[]} files
 */
export function writeFolder(folder, files) {
    const fresh = mkdtempSync(`${folder}.new-`);
    try {
        for (const { name, text } of files) {
            writeFileSync(join(fresh, name), text, { mode: 0o600, flag: "wx" });
        }
        if (existsSync(folder) && readdirSync(folder).length > 0) {
            chmodSync(folder, 0o700);
            for (const { name } of files) renameSync(join(fresh, name), join(folder, name));
        } else {
            mkdirSync(folder, { recursive: true, mode: 0o700 });
            renameSync(fresh, folder);
        }
    } finally {
        rmSync(fresh, { recursive: true, force: true });
    }
}

/** @param {string} path */
function readFile(path) {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return "";
    }
}

/** @param {string} text */
function firstLine(text) {
    return text.split("\n", 1)[0] ?? "";
}
