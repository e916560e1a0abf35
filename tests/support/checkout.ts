import { cpSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { must } from "./run";

const PROJECT = join(__dirname, "../..");

/**
 * Copies this checkout into a folder as git has it, with what is not committed yet: that is what is tested. Some folders are left out,
 * and the packages are those of this one.
 */
export async function copyCheckout(folder: string, without: readonly string[]): Promise<void> {
    const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const files = (await must("git", ["-C", PROJECT, ...list])).split("\0");
    for (const file of files) {
        const isWanted = file !== "" && !without.some((name) => file.startsWith(`${name}/`));
        if (isWanted && existsSync(join(PROJECT, file)))
            cpSync(join(PROJECT, file), join(folder, file));
    }
    symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
}
