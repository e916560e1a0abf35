import {
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyCheckout } from "./checkout";
import { must } from "./run";

const PROJECT = join(__dirname, "../..");

/** This project as others get it: packed, and installed with npm in a project that has nothing else. */
export class InstalledLibrary {
    private constructor(
        /** Where all of it is. */
        private readonly folder: string,
        /** What the package holds, by its path in it. */
        public readonly files: readonly string[],
    ) {}

    public static async create(
        packages: Readonly<Record<string, string>>,
    ): Promise<InstalledLibrary> {
        const folder = mkdtempSync(join(tmpdir(), "private-registry-library-"));
        try {
            const archive = await pack(folder);
            const list = await must("tar", ["-t", "-z", "-f", archive]);
            const project = join(folder, "project");
            mkdirSync(project);
            const dependencies = { ...packages, "private-registry": `file:${archive}` };
            writeFileSync(
                join(project, "package.json"),
                JSON.stringify({ private: true, dependencies }),
            );
            await must("npm", ["install", ...QUIET, "--ignore-scripts"], { cwd: project });
            const files = list.trim().split("\n");
            return new InstalledLibrary(
                folder,
                files.map((file) => file.replace(/^package\//, "")).sort(),
            );
        } catch (error) {
            rmSync(folder, { recursive: true });
            throw error;
        }
    }

    /** The folder `node_modules` of the project. */
    public get packages(): string {
        return join(this.folder, "project", "node_modules");
    }

    /** The package's own description. */
    public get manifest(): Readonly<Record<string, Readonly<Record<string, string>>>> {
        const path = join(this.packages, "private-registry/package.json");
        return JSON.parse(readFileSync(path, "utf8")) as Record<string, Record<string, string>>;
    }

    /** A project as somebody has it who copied one of the examples. */
    public example(name: string): { readonly folder: string; readonly packages: string } {
        return { folder: join(PROJECT, "examples", name), packages: this.packages };
    }

    /** A project with the programs of these examples, for a compiler that looks at the packages' own types too. */
    public typeCheck(names: readonly string[]): string {
        const [first = ""] = names;
        const { compilerOptions } = JSON.parse(
            readFileSync(join(PROJECT, "examples", first, "tsconfig.json"), "utf8"),
        ) as { compilerOptions: Record<string, unknown> };
        const project = join(this.folder, "project");
        for (const name of names) {
            cpSync(join(PROJECT, "examples", name, "index.ts"), join(project, `${name}.ts`));
        }
        writeFileSync(
            join(project, "tsconfig.json"),
            JSON.stringify({
                compilerOptions: { ...compilerOptions, skipLibCheck: false },
                files: names.map((name) => `${name}.ts`),
            }),
        );
        return project;
    }

    /** How many copies of a package there are, wherever they lie. */
    public copies(name: string, folder = this.packages): number {
        const below = readdirSync(folder).flatMap((entry) =>
            entry.startsWith("@")
                ? readdirSync(join(folder, entry)).map((inner) => join(entry, inner))
                : [entry],
        );
        return below.reduce((sum, entry) => {
            const inner = join(folder, entry, "node_modules");
            return (
                sum + Number(entry === name) + (existsSync(inner) ? this.copies(name, inner) : 0)
            );
        }, 0);
    }

    public dispose(): void {
        rmSync(this.folder, { recursive: true });
    }
}

const QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"];

/** Packs a checkout that has nothing but what is in git, and the packages that it is built with; returns the archive. */
async function pack(folder: string): Promise<string> {
    const checkout = join(folder, "checkout");
    mkdirSync(checkout);
    await copyCheckout(checkout, ["docs", "benchmarks"]);
    await must("npm", ["run", "package", "--", "--pack-destination", folder], { cwd: checkout });
    const archive = readdirSync(folder).find((file) => file.endsWith(".tgz"));
    if (archive === undefined) throw new Error("npm pack has made nothing");
    return join(folder, archive);
}
