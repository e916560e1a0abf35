// @ts-check
// A fresh clone of this checkout, as it is now, and the environment of somebody who has just made it.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/**
 * Only the packages that a document before this one has installed stay: they are those of the lock file in any case.
 *
 * @param {string} root
 * @param {string} clone
 */
export function makeClone(root, clone) {
    mkdirSync(clone, { recursive: true });
    for (const name of readdirSync(clone)) {
        if (name !== "node_modules") rmSync(join(clone, name), { recursive: true, force: true });
    }
    const git = (/** @type {string} */ cwd, /** @type {string[]} */ ...args) =>
        execFileSync("git", args, { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    const files = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard");
    for (const file of files
        .split("\0")
        .filter((name) => name !== "" && existsSync(join(root, name)))) {
        mkdirSync(dirname(join(clone, file)), { recursive: true });
        cpSync(join(root, file), join(clone, file), { verbatimSymlinks: true });
    }
    git(clone, "init", "--quiet");
    git(clone, "add", "--all");
    git(
        clone,
        "-c",
        "user.name=docs",
        "-c",
        "user.email=docs@localhost",
        "-c",
        "commit.gpgsign=false",
        "commit",
        "--quiet",
        "--message",
        "clone",
    );
}

/**
 * A home of its own, so that logins, keys and settings of this machine's user are neither used nor changed. Caches and what
 * says where packages come from stay.
 *
 * @param {string} clone
 * @param {string} home
 * @returns {NodeJS.ProcessEnv}
 */
export function freshEnvironment(clone, home) {
    const user = homedir();
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home, { recursive: true, mode: 0o700 });
    for (const settings of [".npmrc", ".config/go/env"]) {
        if (existsSync(join(user, settings))) cpSync(join(user, settings), join(home, settings));
    }
    const cache = process.env.XDG_CACHE_HOME ?? join(user, ".cache");
    mkdirSync(cache, { recursive: true });
    symlinkSync(cache, join(home, ".cache"));
    const kept = Object.entries(process.env).filter(
        ([name]) =>
            !/^(PULUMI|INIT_CWD$|NODE$|NODE_OPTIONS$|COLOR$|FORCE_COLOR$|DOCKER_CONFIG$|XDG_)/.test(
                name,
            ) && !/^npm_(?!config_(registry|cache|cafile|.*proxy)$)/i.test(name),
    );
    const path = (process.env.PATH ?? "")
        .split(delimiter)
        .filter(
            (folder) =>
                !/node_modules\/|node-gyp-bin/.test(folder) &&
                !folder.startsWith(join(cache, "private-registry")),
        );
    return {
        ...Object.fromEntries(kept),
        HOME: home,
        GOPATH: process.env.GOPATH ?? join(user, "go"),
        npm_config_cache: process.env.npm_config_cache ?? join(user, ".npm"),
        PATH: [join(clone, "tests/docs/bin"), ...path].join(delimiter),
        PRIVATE_REGISTRY_DOCS: "1",
    };
}
