// @ts-check
import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Fleet } from "./fleet/hosts.mjs";
import { interleave, medians, seconds } from "./measure.mjs";
import { must } from "./run.mjs";
import { freePort, PROJECT, withWorkspace } from "./workspace.mjs";

export const title = "A run that changes nothing, and ways to run the program";
export const about = `
\`pulumi up --yes --skip-preview --expect-no-changes\`, seen from outside: from the start of the process to its end.
"Empty" is a TypeScript program of one line; "as many resources" makes as many as ours does (without the stack and the
providers), all of them components that do nothing; with "the same providers" these are components and small resources
in our numbers, so that the same four plugins start. Ours has one client host. All run as
pulumiw runs ours: compiled by ts-node without its type check, and with what Node.js has compiled kept.

The run modes work on one and the same stack. As shipped, ts-node compiles each source once and keeps the result
in the system's temporary folder, by path and content, and Node.js what it makes of that in the tool cache: the first run of a
clone, with a new tool cache, is the line "nothing compiled", and every other line is a later run. Type stripping needs some of the source to be rewritten (ES
modules, file extensions in imports, default imports of the SDKs): that copy is the same program in other words, run with
Node's \`--experimental-transform-types\` (parameter properties are more than types).`;

const OURS = "ours";
const EMPTY = "empty program";
const AS_MANY = "as many resources";
const SAME_PROVIDERS = "as many resources, the same providers";
const CHECKED = "ours, type-checked";
const COMPILED = "ours, precompiled";
const STRIPPED = "ours, type stripping";
const UNCACHED = "ours, without NODE_COMPILE_CACHE";
const FIRST = "ours, nothing compiled";
const FIRST_CHECKED = "ours, type-checked, nothing compiled";

/** Measures no-op runs of our program, of the floor, and of other ways to run ours. */
export function measure() {
    return withWorkspace(async (workspace) => {
        const fleet = await Fleet.create(`${workspace.name}-hosts`, join(workspace.folder, "keys"));
        try {
            return await measureWith(fleet, workspace);
        } finally {
            await fleet.dispose();
        }
    });
}

/**
 * @param {Fleet} fleet
 * @param {import("./workspace.mjs").Workspace} workspace
 */
async function measureWith(fleet, workspace) {
    const port = await freePort();
    const ours = workspace.copyOfProgram("ours", port);
    const compiled = workspace.copyOfProgram("compiled", port);
    const stripped = workspace.copyOfProgram("stripped", port);
    const compiledEnvironment = await compile(compiled);
    const strippedEnvironment = makeStrippable(stripped);

    const [host = ""] = fleet.addresses(0, 1);
    await fleet.start([host]);
    for (const folder of [ours, compiled, stripped]) {
        writeFileSync(workspace.stackFileOf(folder), fleet.stackFile([{ host }], port));
        // The host goes by itself, and first.
        workspace.abandon(folder);
    }

    await workspace.initialize(ours);
    await workspace.up(ours);
    const { components, resources } = await countResources(workspace, ours);
    const empty = workspace.program("bench-empty", "export {};\n");
    const asMany = workspace.program("bench-as-many", nothings(components + resources));
    const same = workspace.program("bench-same-providers", smallOnes(components, resources));
    for (const floor of [empty, asMany, same]) {
        await workspace.initialize(floor);
        await workspace.up(floor);
    }

    /** @type {(folder: string, env?: NodeJS.ProcessEnv) => () => Promise<number>} */
    const noOp = (folder, env) => () => seconds(() => workspace.noOp(folder, env));
    const typeChecked = { PULUMI_NODEJS_TRANSPILE_ONLY: "false" };
    const samples = await interleave([
        [
            [OURS, noOp(ours)],
            [EMPTY, noOp(empty)],
            [AS_MANY, noOp(asMany)],
            [SAME_PROVIDERS, noOp(same)],
            [CHECKED, noOp(ours, typeChecked)],
            [COMPILED, noOp(compiled, compiledEnvironment)],
            [STRIPPED, noOp(stripped, strippedEnvironment)],
            [UNCACHED, noOp(ours, { NODE_COMPILE_CACHE: undefined })],
            [FIRST, () => noOp(ours, workspace.withNothingCompiled())()],
            [
                FIRST_CHECKED,
                () => noOp(ours, { ...typeChecked, ...workspace.withNothingCompiled() })(),
            ],
        ],
    ]);
    const of = medians(samples);
    return {
        unit: "s",
        samples,
        ratios: [
            { name: "ours / as many resources", value: of(OURS) / of(AS_MANY), aim: "<= 1.5" },
            { name: "ours / same providers", value: of(OURS) / of(SAME_PROVIDERS) },
            { name: "ours / empty program", value: of(OURS) / of(EMPTY), aim: "<= 1.5" },
            ...[CHECKED, COMPILED, STRIPPED, UNCACHED, FIRST, FIRST_CHECKED].map((mode) => ({
                name: `${mode} / ours as shipped`,
                value: of(mode) / of(OURS),
            })),
        ],
        facts: [
            `Ours makes ${components} components and ${resources} resources, besides the stack and four providers.`,
        ],
    };
}

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} folder
 */
async function countResources(workspace, folder) {
    /** @type {{ deployment: { resources: { custom: boolean, type: string }[] } }} */
    const { deployment } = JSON.parse(await workspace.pulumi(folder, ["stack", "export"]));
    const own = deployment.resources.filter(({ type }) => !type.startsWith("pulumi:"));
    const resources = own.filter(({ custom }) => custom).length;
    return { components: own.length - resources, resources };
}

/** @param {number} count */
function nothings(count) {
    return `
import * as pulumi from "@pulumi/pulumi";
for (let index = 0; index < ${count}; index++) {
    new pulumi.ComponentResource("bench:index:Nothing", \`nothing-\${index}\`);
}
`;
}

/**
 * One resource of each of our providers, and of `random` as many more as ours has in all.
 *
 * @param {number} components
 * @param {number} resources
 */
function smallOnes(components, resources) {
    return `
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
${nothings(components)}
new tls.PrivateKey("key", { algorithm: "ECDSA" });
new command.local.Command("command", { create: "true" });
new docker.Volume("volume");
for (let index = 3; index < ${resources}; index++) {
    new random.RandomBytes(\`bytes-\${index}\`, { length: 16 });
}
`;
}

/** @param {string} folder */
async function compile(folder) {
    const tsc = join(PROJECT, "node_modules/typescript/bin/tsc");
    await must(process.execPath, [tsc, "--project", ".", "--noEmit", "false"], { cwd: folder });
    forEachSource(folder, (path) => rmSync(path));
    return withoutTsNode(folder, "index.js");
}

/**
 * Rewrites sources so that Node itself can run them: as ES modules, which import by file name and see of a CommonJS
 * package only what it exports as a whole. Its named exports would load every resource that an SDK has.
 *
 * @param {string} folder
 */
function makeStrippable(folder) {
    forEachSource(folder, (path) => {
        const source = readFileSync(path, "utf8")
            .replace(/ from "(\.[^"]+)";/g, (_, name) => ` from "${fileOf(dirname(path), name)}";`)
            .replace(/^import \* as (\w+) from "(@pulumi\/[^"]+)";/gm, 'import $1 from "$2";')
            .replace(/^export = /gm, "export default ")
            .replace(/\b__dirname\b/g, "import.meta.dirname");
        writeFileSync(path, source);
    });
    const manifest = join(folder, "package.json");
    const content = { ...JSON.parse(readFileSync(manifest, "utf8")), type: "module" };
    writeFileSync(manifest, JSON.stringify(content));
    const flags = "--experimental-transform-types --disable-warning=ExperimentalWarning";
    return withoutTsNode(folder, "index.ts", flags);
}

/**
 * The file of an import. One that is JavaScript is CommonJS, and is called so from then on.
 *
 * @param {string} folder
 * @param {string} name
 */
function fileOf(folder, name) {
    const path = join(folder, name);
    if (existsSync(`${path}.ts`)) return `${name}.ts`;
    if (existsSync(`${path}.js`)) renameSync(`${path}.js`, `${path}.cjs`);
    return `${name}.cjs`;
}

/**
 * Makes the program of a folder run without ts-node, with a `node` that is found first there. The setting for it,
 * `runtime.options` in the project file, does not reach the language host of the engine that is built from offline/.
 *
 * @param {string} folder
 * @param {string} main
 * @param {string} nodeArguments
 * @returns {NodeJS.ProcessEnv}
 */
function withoutTsNode(folder, main, nodeArguments = "") {
    const path = join(folder, "Pulumi.yaml");
    const project = readFileSync(path, "utf8").replace(/^main: .*$/m, `main: ${main}`);
    writeFileSync(path, project);
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const script = `#!/bin/sh\nunset PULUMI_NODEJS_TYPESCRIPT\nexec '${process.execPath}' ${nodeArguments} "$@"\n`;
    writeFileSync(join(bin, "node"), script, { mode: 0o755 });
    return { PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };
}

/**
 * @param {string} folder
 * @param {(path: string) => void} act
 */
function forEachSource(folder, act) {
    for (const part of [".", "components", "lib"]) {
        readdirSync(join(folder, part))
            .filter((name) => name.endsWith(".ts"))
            .forEach((name) => act(join(folder, part, name)));
    }
}
