import * as pulumi from "@pulumi/pulumi";
import { type Advice, ofConfiguration } from "./lib/advice";
import { type ConfigProblem, HIDDEN } from "./lib/config-problems";
import { JSON_DEPTH, scanJson } from "./lib/json-text";
import type { Late } from "./lib/late";
import { ALL_KEYS, readSource, type Settings } from "./lib/settings";
import { type MachineSurroundings, thisMachine } from "./lib/surroundings";

/** The surroundings that a configuration is read in. */
export interface Surroundings extends MachineSurroundings {
    readonly project: string;
    readonly stack: string;
    /** The keys, each with its namespace, that hold a secret somewhere. */
    readonly secretKeys: readonly string[];
    /** How to tell somebody what to change in it. */
    readonly say: Advice;
}

/** Reads the running stack's configuration. Throws one `pulumi.RunError` that names every problem. */
export function readStackSettings(): Settings<Late> {
    return readSettings(pulumi.runtime.allConfig(), {
        project: pulumi.getProject(),
        stack: pulumi.getStack(),
        secretKeys: JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS || "[]") as string[],
        // What pulumiw has run is told what to do with pulumiw: Pulumi may be known to it alone, and so may the backend.
        say: ofConfiguration(
            process.env.PULUMIW_ENGINE_KIND === undefined ? "pulumi" : "./pulumiw",
            process.env.PULUMIW_STACK,
        ),
        ...thisMachine(),
    });
}

/**
 * Reads a configuration as the engine hands it over: text by key, each key with its namespace, and
 * objects and lists as JSON. Other namespaces are not looked at.
 */
export function readSettings(
    config: Readonly<Record<string, string>>,
    surroundings: Surroundings,
): Settings<Late> {
    const { project, stack, secretKeys } = surroundings;
    const { values, problems } = ownKeys(config, project);
    return readSource({
        ...surroundings,
        values,
        problems,
        keys: ALL_KEYS,
        isHidden: (key) => secretKeys.includes(`${project}:${key}`),
        instance: `${project}-${stack}`,
        owner: `${project}/${stack}`,
    });
}

/** The keys of this program, and the fields that objects among them have twice. */
function ownKeys(config: Readonly<Record<string, string>>, project: string) {
    const prefix = `${project}:`;
    const values = new Map<string, unknown>();
    const problems: ConfigProblem[] = [];
    for (const [fullKey, text] of Object.entries(config)) {
        if (!fullKey.startsWith(prefix)) continue;
        const key = fullKey.slice(prefix.length);
        const { value, repeated } = parseText(text);
        values.set(key, value);
        if (repeated !== undefined) {
            problems.push({
                key,
                given: HIDDEN,
                allowed: `an object with each field once; ${JSON.stringify(repeated)} stands there twice`,
                fix: "take one of the two out of the stack's configuration file",
            });
        }
    }
    return { values, problems };
}

/** Objects and lists come as JSON; every other value stays the text that it is. */
function parseText(text: string): { readonly value: unknown; readonly repeated?: string } {
    if (!/^\s*[[{]/.test(text)) {
        return { value: text };
    }
    try {
        const value: unknown = JSON.parse(text);
        const { depth, repeated } = scanJson(text);
        return depth > JSON_DEPTH ? { value: text } : { value, repeated };
    } catch {
        return { value: text };
    }
}
