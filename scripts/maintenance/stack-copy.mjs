// @ts-check
// What makes a stack the same stack on another machine: its state and its configuration, secrets included. In memory only.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isMap, isPair, isScalar, isSeq, parse, parseDocument, visit } from "yaml";
import { pulumi, tryPulumi } from "../shared/state.mjs";
import { MaintenanceError } from "./registry.mjs";

/**
 * `exported`: as `pulumi stack export --show-secrets` prints it. `config`: the stack's file, without the secrets in it, which
 * are `secrets`; undefined where there is no file.
 *
 * @typedef {{ stack: string, project: string, exported: any, config: string | undefined, secrets: Secret[] }} StackCopy
 */
/** @typedef {{ path: (string | number)[], value: string }} Secret `path` begins with the configuration key */

/**
 * @param {string} option the stack as the user named it; empty for the selected one
 * @returns {StackCopy}
 */
export function copyStack(option) {
    const exported = JSON.parse(pulumi(["stack", "export", "--show-secrets"], option));
    const [, stack = "", project = ""] =
        /^urn:pulumi:([^:]+)::([^:]+)::/.exec(exported.deployment.resources?.[0]?.urn ?? "") ?? [];
    const file = configFile(stack);
    if (!existsSync(file)) return { stack, project, exported, config: undefined, secrets: [] };
    const { config, paths } = withoutSecrets(readFileSync(file, "utf8"));
    const values =
        paths.length === 0
            ? {}
            : JSON.parse(pulumi(["config", "--json", "--show-secrets"], option));
    const secrets = paths.map((path) => {
        const [key = "", ...rest] = path;
        const { value, objectValue } = values[key];
        const found = rest.reduce((/** @type {any} */ part, step) => part?.[step], objectValue);
        return { path, value: rest.length === 0 ? value : String(found) };
    });
    return { stack, project, exported, config, secrets };
}

/**
 * The stack's file, when what it says would be lost: not where it says the same, nor where git has it as it is.
 *
 * @param {StackCopy} copy
 */
export function differingConfig({ stack, config }) {
    const file = configFile(stack);
    if (!existsSync(file)) return undefined;
    const here = withoutSecrets(readFileSync(file, "utf8")).config;
    const isSame = isDeepStrictEqual(values(here), values(config ?? ""));
    return isSame || isCommitted(file) ? undefined : file;
}

/** @param {string} file */
function isCommitted(file) {
    const { status } = spawnSync("git", ["ls-files", "--error-unmatch", file], { stdio: "ignore" });
    const changes = spawnSync("git", ["diff", "--quiet", "HEAD", "--", file], { stdio: "ignore" });
    return status === 0 && changes.status === 0;
}

/**
 * What a stack's file sets. The engine makes text of plain values when it writes the file itself.
 *
 * @param {string} text
 */
function values(text) {
    return JSON.parse(JSON.stringify(parse(text)?.config ?? {}), (_, value) =>
        typeof value === "object" ? value : String(value),
    );
}

/**
 * The resources of a stack that is there; undefined when there is no such stack.
 *
 * @param {string} stack
 * @returns {{ type: string }[] | undefined}
 */
export function resourcesHere(stack) {
    const stacks = JSON.parse(pulumi(["stack", "ls", "--json"], ""));
    const isThere = stacks.some((/** @type {any} */ { name }) => name.split("/").at(-1) === stack);
    if (!isThere) return undefined;
    return JSON.parse(pulumi(["stack", "export"], stack)).deployment.resources ?? [];
}

/**
 * Makes the stack where there is none, with its configuration.
 *
 * @param {StackCopy} copy
 * @param {boolean} isThere
 */
export function makeStack({ stack, config, secrets }, isThere) {
    if (config !== undefined) writeFileSync(configFile(stack), config, { mode: 0o644 });
    if (!isThere) must(["stack", "init", stack], "");
    for (const { path, value } of secrets) {
        const [key = "", ...rest] = path;
        const steps = rest.map((step) => `[${JSON.stringify(step)}]`);
        const name = steps.length === 0 ? [String(key)] : ["--path", `${key}${steps.join("")}`];
        must(["config", "set", "--secret", "--raw", ...name], stack, value);
    }
}

/**
 * Gives the stack its state.
 *
 * @param {StackCopy} copy
 */
export function giveState({ stack, exported }) {
    // What encrypts the secrets of the stack that this becomes.
    const { secrets_providers } = JSON.parse(pulumi(["stack", "export"], stack)).deployment;
    const deployment = { ...portable(exported.deployment), secrets_providers };
    must(["stack", "import"], stack, JSON.stringify({ ...exported, deployment }));
}

/**
 * @param {string[]} args
 * @param {string} stack
 * @param {string} [input]
 */
function must(args, stack, input) {
    const { status } = tryPulumi(args, stack, input);
    if (status !== 0)
        throw new MaintenanceError(
            `pulumi ${args.slice(0, 2).join(" ")} failed; the reason is above`,
        );
}

/**
 * The state without what an empty machine does not have: what Docker holds, and what commands did on the machine of the
 * program itself. The next `up` makes that anew. Keys, certificates and passwords live in the state only, and client
 * hosts still have what was written there.
 *
 * @param {any} deployment
 */
function portable(deployment) {
    const { resources } = deployment;
    const isLeft = (/** @type {any} */ { type }) => !/^(docker:|command:local:)/.test(type);
    /** @type {Set<string>} */
    const kept = new Set(resources.filter(isLeft).map((/** @type {any} */ { urn }) => urn));
    const known = (/** @type {string[]} */ urns) => urns.filter((urn) => kept.has(urn));
    return {
        ...deployment,
        pending_operations: [],
        resources: resources.filter(isLeft).map((/** @type {any} */ resource) => {
            const { dependencies, propertyDependencies, ...others } = resource;
            return {
                ...others,
                ...(dependencies && { dependencies: known(dependencies) }),
                ...(propertyDependencies && {
                    propertyDependencies: Object.fromEntries(
                        Object.entries(propertyDependencies).map(([name, urns]) => [
                            name,
                            known(urns ?? []),
                        ]),
                    ),
                }),
            };
        }),
    };
}

/** @param {string} stack */
function configFile(stack) {
    return `Pulumi.${stack}.yaml`;
}

/**
 * The stack's file without what only its own passphrase opens: the secrets in it, and the salt.
 *
 * @param {string} text
 */
function withoutSecrets(text) {
    const document = parseDocument(text);
    /** @type {(string | number)[][]} */
    const paths = [];
    visit(document, {
        Map(_, node, ancestors) {
            const [only] = node.items;
            if (node.items.length !== 1 || !isScalar(only?.key) || only.key.value !== "secure")
                return;
            paths.push(pathOf([...ancestors, node]));
        },
    });
    for (const path of paths) document.setIn(["config", ...path], "");
    for (const key of ["encryptionsalt", "encryptedkey"]) document.delete(key);
    return { config: isMap(document.contents) ? document.toString() : "", paths };
}

/**
 * Where a node is below `config`.
 *
 * @param {readonly unknown[]} chain from the document to the node
 * @returns {(string | number)[]}
 */
function pathOf(chain) {
    /** @type {(string | number)[]} */
    const path = [];
    chain.forEach((part, index) => {
        const parent = chain[index - 1];
        if (isPair(part) && isScalar(part.key)) path.push(String(part.key.value));
        else if (isSeq(parent)) path.push(parent.items.indexOf(part));
    });
    return path.slice(1);
}
