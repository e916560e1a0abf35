import { randomBytes } from "node:crypto";
import {
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { stringify } from "yaml";
import { docker, removeLabelled } from "./docker";
import { freePort } from "./free-port";
import { must, type Result, run } from "./run";
import { findSecrets, type Secret } from "./secrets";
import { StackPast } from "./stack-past";

export { freePort };

const PROJECT = join(__dirname, "../..");
const PROGRAM = [
    "Pulumi.yaml",
    "components",
    "config.ts",
    "index.ts",
    "lib",
    "package.json",
    "preflight.ts",
    "tsconfig.json",
];

/** The stack's outputs, secrets included. */
export interface Outputs {
    readonly registry: string;
    readonly url: string;
    readonly caCertificate: string;
    readonly caFingerprints: string[];
    readonly certificateExpires: string;
    readonly certificateDaysLeft: number;
    readonly clients: Record<string, string>;
    readonly mirrors: Record<string, string>;
    readonly teams: Record<
        string,
        { username: string; password: string; login: string; dockerConfigJson: string }
    >;
}

/** What one `pulumi` run said and did. */
export interface Run extends Result {
    /** Everything that was printed. */
    readonly printed: string;
}

export interface StackOptions {
    /** Whether the stack starts as a fresh clone does: with no packages and no plugins. */
    readonly isClone?: boolean;
    readonly env?: NodeJS.ProcessEnv;
    /** Default: one that no other stack has. */
    readonly name?: string;
    /** A program of its own, run in the place of index.ts. */
    readonly program?: string;
    /** Another project in the place of this one, with the packages that it has. Its registry is called `registry`. */
    readonly project?: { readonly folder: string; readonly packages: string };
    /** Shell scripts that stand before everything else on the PATH, by the name of the command. */
    readonly tools?: Readonly<Record<string, string>>;
}

/**
 * A stack of this program on the real engine and the real Docker, with everything of its own: a copy
 * of the program, backend, PULUMI_HOME, passphrase, names and port.
 */
export class TestStack {
    public readonly owner: string;
    public readonly containerName: string;
    public readonly dataVolume: string;
    public readonly folder = mkdtempSync(join(tmpdir(), "private-registry-test-"));
    private readonly project: string;
    /** Everything that any run of this stack has printed. */
    public printed = "";

    /** The environment of every `pulumi` run. */
    public readonly environment: NodeJS.ProcessEnv;

    private constructor(
        public readonly port: number,
        { isClone = false, env = {}, program, project, tools = {} }: StackOptions,
        public readonly name = `t${randomBytes(4).toString("hex")}`,
    ) {
        this.project = project === undefined ? "private-registry" : basename(project.folder);
        const own = [this.project, name, ...(project === undefined ? [] : ["registry"])];
        this.owner = own.join("/");
        this.containerName = own.join("-");
        this.dataVolume = `${this.containerName}-data`;
        const source = project?.folder ?? PROJECT;
        for (const file of project === undefined ? PROGRAM : readdirSync(source)) {
            cpSync(join(source, file), join(this.folder, file), { recursive: true });
        }
        if (program !== undefined) {
            cpSync(program, join(this.folder, "index.ts"));
        }
        const home = join(this.folder, ".home");
        const state = join(this.folder, ".state");
        mkdirSync(home);
        mkdirSync(state);
        const plugins =
            process.env.PULUMIW_PLUGINS ??
            join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins");
        if (isClone) {
            for (const file of [".npmrc", "package-lock.json"]) {
                cpSync(join(PROJECT, file), join(this.folder, file));
            }
        } else {
            symlinkSync(
                project?.packages ?? join(PROJECT, "node_modules"),
                join(this.folder, "node_modules"),
            );
            if (existsSync(plugins)) {
                symlinkSync(plugins, join(home, "plugins"));
            }
        }
        const scripts = join(this.folder, ".tools");
        mkdirSync(scripts);
        for (const [name, text] of Object.entries(tools)) {
            writeFileSync(join(scripts, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
        }
        this.environment = {
            ...process.env,
            PATH: [scripts, enginePath()].join(delimiter),
            PULUMI_HOME: home,
            PULUMI_BACKEND_URL: `file://${state}`,
            PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_STACK: this.name,
            // These runs are pulumi's own, not pulumiw's.
            PULUMIW_ENGINE_KIND: undefined,
            PULUMIW_STACK: undefined,
            ...env,
        };
    }

    /** Makes a stack with this configuration, on a free port of the loopback unless the configuration says otherwise. */
    public static async create(
        config: Record<string, unknown> = {},
        options: StackOptions = {},
    ): Promise<TestStack> {
        const stack = new TestStack(await freePort(), options, options.name);
        try {
            if (options.isClone) {
                await must("npm", ["ci"], { cwd: stack.folder, env: stack.environment });
            }
            stack.configure(config);
            await stack.must("stack", "init", stack.name);
            return stack;
        } catch (error) {
            await stack.dispose().catch(() => undefined);
            throw error;
        }
    }

    /** Another machine for a stack of the same name: with the program, and neither state nor configuration. */
    public static emptyMachine({ port, name }: TestStack): TestStack {
        return new TestStack(port, {}, name);
    }

    /** Replaces the whole configuration of the stack. */
    public configure(config: Record<string, unknown>): void {
        const complete = { bindAddress: "127.0.0.1", port: this.port, ...config };
        const keys = Object.entries(complete).map(([key, value]) => [
            `${this.project}:${key}`,
            value,
        ]);
        writeFileSync(
            join(this.folder, `Pulumi.${this.name}.yaml`),
            stringify({ config: Object.fromEntries(keys) }),
        );
    }

    /** Runs `pulumi` in the stack's project folder. */
    public async pulumi(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
        const result = await run("pulumi", [...args, "--non-interactive", "--color", "never"], {
            cwd: this.folder,
            env: { ...this.environment, ...env },
        });
        const printed = result.stdout + result.stderr;
        this.note(result);
        return { ...result, printed };
    }

    /** Takes what another program printed about this stack for printed by the stack. */
    public note<T extends Pick<Result, "stdout" | "stderr">>(result: T): T {
        this.printed += result.stdout + result.stderr;
        return result;
    }

    public async must(...args: string[]): Promise<Run> {
        const result = await this.pulumi(args);
        if (result.code !== 0) {
            throw new Error(`pulumi ${args.join(" ")}: exit ${result.code}\n${result.printed}`);
        }
        return result;
    }

    public up(...args: string[]): Promise<Run> {
        return this.must("up", "--yes", "--skip-preview", ...args);
    }

    public destroy(): Promise<Run> {
        return this.must("destroy", "--yes", "--skip-preview");
    }

    public async outputs(): Promise<Outputs> {
        // Not part of what is printed: secrets are asked for here.
        const result = await run(
            "pulumi",
            ["stack", "output", "--json", "--show-secrets", "--non-interactive"],
            {
                cwd: this.folder,
                env: this.environment,
            },
        );
        if (result.code !== 0) {
            throw new Error(result.stderr);
        }
        return JSON.parse(result.stdout) as Outputs;
    }

    /** Everything secret that the stack has ever had, with its passphrase. */
    public secrets(): Promise<Secret[]> {
        return this.past().secrets();
    }

    /** Names of the secrets that any run has printed, but for `outputs`. */
    public async printedSecrets(): Promise<string[]> {
        return findSecrets(await this.secrets(), this.printed);
    }

    private past(): StackPast {
        return new StackPast(
            this.path(".state"),
            this.folder,
            this.environment.PULUMI_CONFIG_PASSPHRASE ?? "",
        );
    }

    /** The state as `pulumi stack export` writes it, secrets encrypted. */
    public async exported(): Promise<string> {
        return (await this.must("stack", "export")).stdout;
    }

    public path(...parts: string[]): string {
        return join(this.folder, ...parts);
    }

    public read(...parts: string[]): string {
        return readFileSync(this.path(...parts), "utf8");
    }

    /** Id of the registry's container; undefined when there is none. */
    public async containerId(): Promise<string | undefined> {
        const { stdout } = await docker(
            "ps",
            "--all",
            "--quiet",
            "--no-trunc",
            "--filter",
            `name=^/${this.containerName}$`,
        );
        return stdout.trim() || undefined;
    }

    /** Ids of all containers that the stack made. */
    public async containers(): Promise<string[]> {
        const filter = `label=private-registry.stack=${this.owner}`;
        const list = await must("docker", ["ps", "--all", "--quiet", "--filter", filter]);
        return list.split("\n").filter((id) => id !== "");
    }

    /**
     * Takes everything away, also after a failure half-way, and also what a stack keeps on purpose. It is an error when any run
     * has printed a secret, also one that failed.
     */
    public async dispose(): Promise<void> {
        // Its key takes as long to make as a destroy to start.
        const early = this.secrets().catch(() => undefined);
        await this.pulumi(["destroy", "--yes", "--skip-preview"]).catch(() => undefined);
        await removeLabelled("private-registry.stack", this.owner);
        const { volumes, networks } = this.past().made();
        await docker("volume", "rm", "--force", this.dataVolume, ...volumes);
        if (networks.length > 0) await docker("network", "rm", ...networks);
        await early;
        const printed = await this.printedSecrets().finally(() =>
            rmSync(this.folder, { recursive: true, force: true }),
        );
        if (printed.length > 0) {
            throw new Error(`the stack's runs have printed secrets: ${printed.join(", ")}`);
        }
    }
}

/** npx and npm put the launcher of the npm package in front of the engine that was set up. */
function enginePath(): string {
    const launchers = join(PROJECT, "node_modules", ".bin");
    const folders = (process.env.PATH ?? "").split(delimiter);
    const isLauncher = process.env.PULUMIW_ENGINE_KIND === "npm";
    return folders.filter((folder) => isLauncher || folder !== launchers).join(delimiter);
}

/** Runs a test with a stack of its own that is gone afterwards, whatever happens. */
export async function withStack(
    config: Record<string, unknown>,
    test: (stack: TestStack) => Promise<void>,
    options: StackOptions = {},
): Promise<void> {
    const stack = await TestStack.create(config, options);
    try {
        await test(stack);
    } catch (error) {
        await stack.dispose().catch(() => undefined);
        throw error;
    }
    await stack.dispose();
}
