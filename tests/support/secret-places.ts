import { run } from "./run";
import type { TestStack } from "./stack";

/** Something that nobody else may read, and what a failing test calls it. */
export interface Secret {
    readonly name: string;
    readonly value: string;
}

/** Each long line of a private key. */
export function linesOfKey(name: string, pem: string): Secret[] {
    return pem
        .split("\n")
        .filter((line) => line.length >= 40 && !line.startsWith("--"))
        .map((line, index) => ({ name: `${name} line ${index}`, value: line }));
}

/**
 * Where a stack could leave what it was told: its state, the backend with history and backups, the engine's home with its logs,
 * and everything that was printed.
 */
export async function placesOf(stack: TestStack): Promise<Record<string, string>> {
    const textBelow = async (folder: string) =>
        (await run("grep", ["-rha", "", stack.path(folder)])).stdout;
    return {
        state: await stack.exported(),
        screen: stack.printed + (await stack.pulumi(["stack", "output", "--json"])).printed,
        home: await textBelow(".home"),
        backend: await textBelow(".state"),
    };
}

/** None of the secrets lies in any of these places, as it is or encoded. */
export function expectNowhere(
    secrets: readonly Secret[],
    places: Readonly<Record<string, string>>,
): void {
    expect(secrets).not.toEqual([]);
    for (const [place, content] of Object.entries(places)) {
        expect(content.length).toBeGreaterThan(100);
        const found = secrets.filter(({ value }) =>
            forms(value).some((form) => content.includes(form)),
        );
        // Names only: a failure must not print what it found.
        expect({ [place]: found.map(({ name }) => name) }).toEqual({ [place]: [] });
    }
}

/** The forms in which a secret could lie somewhere. */
function forms(secret: string): string[] {
    return [
        secret,
        Buffer.from(secret).toString("base64").replace(/=+$/, ""),
        Buffer.from(secret).toString("hex"),
    ];
}
