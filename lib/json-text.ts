/** Deeper than this nothing in a configuration is, and whatever walks through a value may. */
export const JSON_DEPTH = 32;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|[{}[\]]/g;

/** What reading a JSON text does not tell: how deep it is, and a field that an object has twice. YAML with one the engine refuses itself. */
export function scanJson(text: string): { readonly depth: number; readonly repeated?: string } {
    const open: (Set<string> | undefined)[] = [];
    let depth = 0;
    let repeated: string | undefined;
    for (const [token] of text.matchAll(TOKEN)) {
        if (token === "{" || token === "[") {
            open.push(token === "{" ? new Set() : undefined);
            depth = Math.max(depth, open.length);
        } else if (token === "}" || token === "]") {
            open.pop();
        } else if (token.endsWith(":")) {
            const name = nameIn(token);
            const names = open.at(-1);
            if (names?.has(name)) repeated ??= name;
            names?.add(name);
        }
    }
    return { depth, repeated };
}

/** The same name can be written in several ways. */
function nameIn(token: string): string {
    return JSON.parse(token.slice(0, -1)) as string;
}
