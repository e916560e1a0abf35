// @ts-check
// Runs one command for pulumiw as its child: hands signals on, keeps its exit code, and afterwards tidies what the engine
// leaves in the project's own backend. A shell cannot do the first: it waits for a foreground child before it looks at
// a signal, and a background one is deaf to Ctrl-C.
import { spawn, spawnSync } from "node:child_process";
import {
    chmodSync,
    closeSync,
    openSync,
    readFileSync,
    readdirSync,
    renameSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

const [command = "", ...args] = process.argv.slice(2);
const state = process.env.PULUMIW_STATE;
const privateFolder = decodeURI(new URL("../../.pulumi-state", import.meta.url).pathname);

const before = state === undefined ? new Map() : readStackFiles();
const child = spawn(command, args, { stdio: "inherit" });

// A terminal gives Ctrl-C to the child as well, and a second one would end it at once, with changes half made.
process.on("SIGINT", () => hasTerminal() || child.kill("SIGINT"));
process.on("SIGHUP", () => hasTerminal() || child.kill("SIGHUP"));
process.on("SIGTERM", () => child.kill("SIGTERM"));

child.on("error", (error) => {
    process.stderr.write(`pulumiw: cannot start '${command}': ${error.message}\n`);
    process.exitCode = 127;
});
child.on("exit", (code, signal) => {
    if (basename(command) === "pulumi" && args[0] === "up" && code !== 0 && signal === null) {
        const script = new URL("half-made.mjs", import.meta.url).pathname;
        spawnSync(process.execPath, [decodeURI(script), stackOption()], { stdio: "ignore" });
    }
    if (state !== undefined) {
        tidy(state);
        if (signal === "SIGKILL") {
            process.stderr.write(
                "pulumiw: the engine was killed; before the next run: npm run recover\n",
            );
        }
    }
    keepPrivate(privateFolder);
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
});

/** The stack that the arguments name; empty for the selected one. */
function stackOption() {
    const index = args.findIndex((argument) => /^(-s|--stack)(=|$)/.test(argument));
    return index < 0 ? "" : (args[index]?.split("=")[1] ?? args[index + 1] ?? "");
}

function hasTerminal() {
    try {
        closeSync(openSync("/dev/tty", "r"));
        return true;
    } catch {
        return false;
    }
}

/**
 * What the engine writes is open to all, but for the umask, which is left alone for a backend or a command of the user's.
 *
 * @param {string} folder
 */
function keepPrivate(folder) {
    try {
        for (const entry of readdirSync(folder, { withFileTypes: true })) {
            const path = join(folder, entry.name);
            if (entry.isDirectory()) keepPrivate(path);
            // A link leads to what is not only this project's.
            if (!entry.isDirectory() && !entry.isFile()) continue;
            const { mode } = statSync(path);
            if ((mode & 0o077) !== 0) chmodSync(path, mode & 0o700);
        }
    } catch {
        // Another run takes things away meanwhile, and looks too.
    }
}

/** @param {string} folder */
function tidy(folder) {
    for (const [name, text] of readStackFiles()) {
        const salt = /^encryptionsalt: *(\S+)\r?\n?/m.exec(text);
        if (
            salt?.[1] !== undefined &&
            isInState(folder, stackOf(name), salt[1]) &&
            !isCommitted(name, salt[0])
        ) {
            mend(name, text.replace(salt[0], ""));
        }
    }
    prune(join(folder, ".pulumi", "history"), 2, /\.checkpoint\.json/, 5);
    prune(join(folder, ".pulumi", "history"), 2, /\.history\.json/, 50);
    prune(join(folder, ".pulumi", "backups"), 2, /\.json/, 5);
}

function readStackFiles() {
    const names = readdirSync(".").filter((name) => /^Pulumi\..+\.yaml$/.test(name));
    return new Map(names.map((name) => [name, readFileSync(name, "utf8")]));
}

/** @param {string} name */
function stackOf(name) {
    return name.slice("Pulumi.".length, -".yaml".length);
}

/**
 * Only a salt that the stack's own state holds too can go without loss; the engine takes it from there.
 *
 * @param {string} folder
 * @param {string} stack
 * @param {string} salt
 */
function isInState(folder, stack, salt) {
    return list(join(folder, ".pulumi", "stacks"), 1).some((path) => {
        if (basename(path) !== `${stack}.json` && basename(path) !== `${stack}.json.gz`)
            return false;
        const bytes = readFileSync(path);
        return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).includes(JSON.stringify(salt));
    });
}

/**
 * @param {string} name
 * @param {string} line
 */
function isCommitted(name, line) {
    const { stdout } = spawnSync("git", ["show", `HEAD:./${name}`], { encoding: "utf8" });
    return (stdout ?? "").includes(line.trim());
}

/**
 * The engine formats the whole file when it writes the salt: what differs only in white space is put back as it was.
 *
 * @param {string} name
 * @param {string} text
 */
function mend(name, text) {
    const old = before.get(name);
    const plain = old?.replace(/^encryptionsalt:.*\r?\n?/m, "");
    const isReformatted = args[0] !== "config" && plain !== undefined && bare(plain) === bare(text);
    if (text.trim() === "" || text.trim() === "{}") {
        rmSync(name);
        return;
    }
    const temporary = `${name}.${process.pid}.tmp`;
    writeFileSync(temporary, isReformatted ? plain : text, { mode: statSync(name).mode });
    renameSync(temporary, name);
}

/** @param {string} text */
function bare(text) {
    return text.replace(/\s+/g, "");
}

/**
 * Every run adds two copies of the state. The newest stay, per stack.
 *
 * @param {string} folder
 * @param {number} depth
 * @param {RegExp} pattern
 * @param {number} count
 */
function prune(folder, depth, pattern, count) {
    const perStack = new Map();
    for (const path of list(folder, depth).sort()) {
        if (!pattern.test(path) || path.endsWith(".attrs")) continue;
        perStack.set(dirname(path), [...(perStack.get(dirname(path)) ?? []), path]);
    }
    for (const paths of perStack.values()) {
        for (const path of paths.slice(0, -count)) {
            rmSync(path, { force: true });
            rmSync(`${path}.attrs`, { force: true });
        }
    }
}

/**
 * @param {string} folder
 * @param {number} depth
 * @returns {string[]}
 */
function list(folder, depth) {
    try {
        return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
            const path = join(folder, entry.name);
            if (entry.isDirectory()) return depth > 0 ? list(path, depth - 1) : [];
            return [path];
        });
    } catch {
        return [];
    }
}
