// @ts-check
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join, relative, sep } from "node:path";
import { attempt } from "./run.mjs";
import { PROJECT } from "./workspace.mjs";

const NOT_IN_A_CLONE = /^(node_modules|\.git|\.pulumi-state|coverage)$/;

/**
 * Lends a copy of the project as it is now, like a fresh clone; with the packages of this one if asked for.
 *
 * @param {{ hasPackages: boolean }} options
 * @param {(folder: string) => Promise<T>} use
 * @template T
 */
export async function withCheckout({ hasPackages }, use) {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-bench-"));
    try {
        const checkout = join(folder, "checkout");
        mkdirSync(checkout);
        cpSync(PROJECT, checkout, {
            recursive: true,
            filter: (path) => !NOT_IN_A_CLONE.test(relative(PROJECT, path)),
        });
        if (hasPackages) {
            symlinkSync(join(PROJECT, "node_modules"), join(checkout, "node_modules"));
        }
        return await use(checkout);
    } finally {
        // Go's module cache is read-only, for its owner too.
        await attempt("chmod", ["-R", "u+w", folder]);
        rmSync(folder, { recursive: true, force: true });
    }
}

/**
 * What `pulumiw` in a copy gets: nothing that a pulumiw around this one has set or found.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function outerEnvironment() {
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "private-registry");
    const path = (process.env.PATH ?? "")
        .split(delimiter)
        // Nor what npm puts in front: this project's own tools.
        .filter((entry) => ![cache, PROJECT].some((folder) => entry.startsWith(folder + sep)))
        .join(delimiter);
    const entries = Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI"));
    return { ...Object.fromEntries(entries), PATH: path };
}
