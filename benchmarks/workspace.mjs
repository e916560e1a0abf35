// @ts-check
import { randomBytes } from "node:crypto";
import {
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, must } from "./run.mjs";

export { freePort } from "../tests/support/free-port.js";

export const PROJECT = join(import.meta.dirname, "..");
const PROGRAM = ["components", "config.ts", "index.ts", "lib", "package.json", "preflight.ts"];

export const FLAGS = ["--non-interactive", "--color", "never"];

/**
 * Projects of one measurement with everything of their own: folder, backend, PULUMI_HOME, passphrase, the name of
 * their stack, and the names of what that makes.
 */
export class Workspace {
    name = `bench${randomBytes(4).toString("hex")}`;
    folder = mkdtempSync(join(tmpdir(), "private-registry-bench-"));
    /** @type {NodeJS.ProcessEnv} */
    environment;
    /** @type {string[]} */
    #projects = [];

    constructor() {
        const home = join(this.folder, "home");
        const state = join(this.folder, "state");
        mkdirSync(home);
        mkdirSync(state);
        const plugins =
            process.env.PULUMIW_PLUGINS ??
            join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins");
        if (existsSync(plugins)) symlinkSync(plugins, join(home, "plugins"));
        this.environment = {
            ...process.env,
            PULUMI_HOME: home,
            PULUMI_BACKEND_URL: `file://${state}`,
            // As pulumiw has it for the project's own backend.
            PULUMI_DIY_BACKEND_GZIP: "true",
            PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
            PULUMI_STACK: this.name,
            TS_NODE_CACHE_DIRECTORY: join(this.folder, "compiled"),
        };
    }

    /**
     * Settings for a run that finds nothing compiled. ts-node checks and compiles what it has not seen before, and keeps
     * that by the path and the content of each file in a temporary folder; Node.js keeps what it makes of all code, too.
     */
    withNothingCompiled() {
        const folder = mkdtempSync(join(this.folder, "compiled-"));
        return { TS_NODE_CACHE_DIRECTORY: folder, NODE_COMPILE_CACHE: `${folder}/node` };
    }

    /**
     * A copy of this project's program, with the stack's configuration.
     *
     * @param {string} folderName
     * @param {number} port
     */
    copyOfProgram(folderName, port) {
        const folder = this.#makeFolder(folderName);
        for (const file of [...PROGRAM, "Pulumi.yaml"]) {
            cpSync(join(PROJECT, file), join(folder, file), { recursive: true });
        }
        writeFileSync(this.stackFileOf(folder), stackFile(port));
        return folder;
    }

    /** @param {string} folder */
    stackFileOf(folder) {
        return join(folder, `Pulumi.${this.name}.yaml`);
    }

    /**
     * Another program in TypeScript, run as this project's is.
     *
     * @param {string} folderName
     * @param {string} program
     */
    program(folderName, program) {
        const folder = this.#makeFolder(folderName);
        writeFileSync(join(folder, "Pulumi.yaml"), `name: ${folderName}\nruntime: nodejs\n`);
        writeFileSync(
            join(folder, "package.json"),
            readFileSync(join(PROJECT, "package.json"), "utf8"),
        );
        writeFileSync(join(folder, "index.ts"), program);
        return folder;
    }

    /** @param {string} folderName */
    #makeFolder(folderName) {
        const folder = join(this.folder, folderName);
        mkdirSync(folder);
        cpSync(join(PROJECT, "tsconfig.json"), join(folder, "tsconfig.json"));
        symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
        return folder;
    }

    /**
     * Makes the stack of a project, which is destroyed when the workspace goes.
     *
     * @param {string} folder
     */
    async initialize(folder) {
        this.#projects.push(folder);
        await this.pulumi(folder, ["stack", "init", this.name]);
    }

    /**
     * Leaves a stack as it is, for when what it has set up goes by itself: only what it made on this machine is taken away.
     *
     * @param {string} folder
     */
    abandon(folder) {
        this.#projects = this.#projects.filter((project) => project !== folder);
    }

    /**
     * @param {string} folder
     * @param {readonly string[]} args
     * @param {NodeJS.ProcessEnv} env
     */
    pulumi(folder, args, env = {}) {
        const options = { cwd: folder, env: { ...this.environment, ...env } };
        return must("pulumi", [...args, ...FLAGS], options);
    }

    /**
     * @param {string} folder
     * @param {NodeJS.ProcessEnv} env
     */
    up(folder, env = {}) {
        return this.pulumi(folder, ["up", "--yes", "--skip-preview"], env);
    }

    /**
     * An `up` that fails when it changes anything.
     *
     * @param {string} folder
     * @param {NodeJS.ProcessEnv} env
     */
    noOp(folder, env = {}) {
        return this.pulumi(folder, ["up", "--yes", "--skip-preview", "--expect-no-changes"], env);
    }

    /** @param {string} folder */
    async destroy(folder) {
        await this.pulumi(folder, ["destroy", "--yes", "--skip-preview"]);
    }

    /** The volume that holds the images stays after a destroy; the next `up` is only from nothing without it. */
    async removeData() {
        await attempt("docker", ["volume", "rm", "--force", `private-registry-${this.name}-data`]);
    }

    /** Takes everything away, also after a failure half-way, and also what a stack keeps on purpose. */
    async dispose() {
        for (const folder of this.#projects) {
            const options = { cwd: folder, env: this.environment };
            await attempt("pulumi", ["destroy", "--yes", "--skip-preview", ...FLAGS], options);
        }
        await removeOwned(`private-registry/${this.name}`);
        await this.removeData();
        rmSync(this.folder, { recursive: true, force: true });
    }
}

/** @param {(workspace: Workspace) => Promise<T>} use @template T */
export async function withWorkspace(use) {
    const workspace = new Workspace();
    try {
        return await use(workspace);
    } finally {
        await workspace.dispose();
    }
}

/**
 * What stands in the file of a measured stack: the defaults, on a port of its own.
 *
 * @param {number} port
 * @param {string} address that it is published on
 */
export function stackFile(port, address = "127.0.0.1") {
    return `config:\n  private-registry:bindAddress: ${address}\n  private-registry:port: ${port}\n`;
}

/**
 * Removes the containers of a stack with the volumes and networks that they use.
 *
 * @param {string} owner
 */
export async function removeOwned(owner) {
    const filter = `label=private-registry.stack=${owner}`;
    for (const id of words(await attempt("docker", ["ps", "-aq", "--filter", filter]))) {
        const [volumes, networks] = await Promise.all(
            [
                "{{range .Mounts}}{{.Name}} {{end}}",
                "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
            ].map((format) => attempt("docker", ["inspect", "--format", format, id])),
        );
        await attempt("docker", ["rm", "--force", "--volumes", id]);
        for (const volume of words(volumes)) {
            await attempt("docker", ["volume", "rm", "--force", volume]);
        }
        for (const network of words(networks).filter(
            (name) => !/^(bridge|none|host)$/.test(name),
        )) {
            await attempt("docker", ["network", "rm", network]);
        }
    }
}

/** @param {string | undefined} text */
function words(text = "") {
    return text.split(/\s+/).filter((word) => word !== "");
}
