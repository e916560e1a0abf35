import { ofConfiguration } from "../../lib/advice";
import { readSettings, type Surroundings } from "../../config";
import type { Settings } from "../../lib/settings";

/** A program with the stack "test", on a machine with neither an SSH agent nor any file. */
export const SURROUNDINGS: Surroundings = {
    project: "private-registry",
    stack: "test",
    dockerHost: undefined,
    secretKeys: [],
    say: ofConfiguration("pulumi"),
    sshAgent: undefined,
    home: "/home/somebody",
    readFile: (path) => {
        throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
    },
};

/** Reads a configuration, given without its namespace, as the engine hands it over. Every secret in it is a text. */
export function read(
    config: Readonly<Record<string, unknown>>,
    surroundings: Partial<Surroundings> = {},
): Settings {
    const texts = Object.entries(config).map(([key, value]) => [
        `private-registry:${key}`,
        typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
    return readSettings(Object.fromEntries(texts) as Record<string, string>, {
        ...SURROUNDINGS,
        ...surroundings,
    }) as Settings;
}

/** What is said of a configuration that is refused. */
export function complaint(...args: Parameters<typeof read>): string {
    try {
        read(...args);
    } catch (error) {
        return (error as Error).message;
    }
    throw new Error("the configuration was accepted");
}
