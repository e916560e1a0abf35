// @ts-check
// The stack as its state has it, secrets included: in memory, never in a file.
import { spawnSync } from "node:child_process";

const SECRET = "4dabf18193072939515e22adb298388d";

/** @typedef {{ urn: string, type: string, id?: string, inputs: Record<string, any>, outputs: Record<string, any> }} Resource */

/**
 * @param {string} stack
 * @returns {Resource[]}
 */
export function readResources(stack) {
    return readState(stack).resources;
}

/**
 * `unfinished`: what a run that was killed was making.
 *
 * @param {string} stack
 * @returns {{ resources: Resource[], unfinished: Resource[] }}
 */
export function readState(stack) {
    const exported = JSON.parse(pulumi(["stack", "export", "--show-secrets"], stack));
    const unfinished = (exported.deployment.pending_operations ?? [])
        .filter((/** @type {any} */ { type }) => type === "creating")
        .map((/** @type {any} */ { resource }) => resource);
    return {
        resources: resourcesOf(exported),
        unfinished: resourcesOf({ deployment: { resources: unfinished } }),
    };
}

/**
 * @param {any} exported as `pulumi stack export --show-secrets` prints it
 * @returns {Resource[]}
 */
export function resourcesOf({ deployment }) {
    return (deployment.resources ?? []).map((/** @type {any} */ resource) => ({
        inputs: {},
        outputs: {},
        ...reveal(resource),
    }));
}

/**
 * @param {Resource[]} resources
 * @param {string} name
 */
export function find(resources, name) {
    return resources.find(({ urn }) => urn.endsWith(`::${name}`));
}

/**
 * Runs pulumi without a question and returns what it printed; ends this program when it fails.
 *
 * @param {string[]} args
 * @param {string} stack
 */
export function pulumi(args, stack) {
    const { stdout, status } = tryPulumi(args, stack);
    if (status !== 0) process.exit(status ?? 1);
    return stdout;
}

/**
 * @param {string[]} args
 * @param {string} stack
 * @param {string} [input] what has no place on a command line
 */
export function tryPulumi(args, stack, input) {
    const option = stack === "" ? [] : ["--stack", stack];
    return spawnSync("pulumi", [...args, "--non-interactive", ...option], {
        encoding: "utf8",
        maxBuffer: 1 << 30,
        input,
        stdio: [input === undefined ? "ignore" : "pipe", "pipe", "inherit"],
    });
}

/**
 * @param {any} value
 * @returns {any}
 */
function reveal(value) {
    if (Array.isArray(value)) return value.map(reveal);
    if (typeof value !== "object" || value === null) return value;
    if (SECRET in value) return reveal(JSON.parse(value.plaintext));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));
}
