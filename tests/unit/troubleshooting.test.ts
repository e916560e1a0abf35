import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const PROJECT = join(__dirname, "../..");
const PROGRAM = [
    "config.ts",
    "preflight.ts",
    "index.ts",
    "pulumiw",
    "components",
    "lib",
    "scripts",
];

/** Messages that no source of ours has, by who says them. */
const FOREIGN: Readonly<Record<string, string>> = {
    "incorrect passphrase": "Pulumi",
    'The container name "…" is already in use': "Docker",
    "no space left on device": "the registry, in `npm run logs`",
    "x509: certificate signed by unknown authority": "Docker",
    "no basic auth credentials": "Docker",
    "unauthorized: authentication required": "Docker",
    "error parsing HTTP 405 response body: …": "Docker",
    "StatusCode: 405, Method not allowed": "Podman",
    "405 Method Not Allowed": "containerd",
    "no such host": "Docker",
    "docker login: … 401 Unauthorized": "Docker",
    "the stack is currently locked by 1 lock(s)": "Pulumi",
    "failed to load checkpoint: EOF": "Pulumi",
    "network … not found": "Docker",
};

function files(path: string): string[] {
    return statSync(path).isDirectory()
        ? readdirSync(path).flatMap((name) => files(join(path, name)))
        : [path];
}

/** The program's sources, with texts as they are printed: in one piece, and without the shell's and JavaScript's escapes. */
function sources(): string {
    return PROGRAM.flatMap((name) => files(join(PROJECT, name)))
        .map((file) => readFileSync(file, "utf8"))
        .join("\n")
        .replace(/["'`] \+\s+["'`]/g, "")
        .replace(/\\(["'`$])/g, "$1");
}

interface Message {
    readonly text: string;
    /** Who says it, when it is not this program. */
    readonly whose: string | undefined;
}

/** Everything in code type in the first column. */
function messages(): Message[] {
    const page = readFileSync(join(PROJECT, "docs/troubleshooting.md"), "utf8");
    return page
        .split("\n")
        .filter((line) => line.startsWith("| `"))
        .map((line) => line.split(" | ")[0] ?? "")
        .flatMap((cell) => [...cell.matchAll(/`([^`]+)`(?: \(([^)]+)\))?/g)])
        .map(([, text = "", whose]) => ({ text, whose }))
        .filter(({ text }) => text !== "npm run logs");
}

const program = sources();

test("the page has messages", () => {
    expect(messages().length).toBeGreaterThan(50);
});

test.each(messages().filter(({ whose }) => whose === undefined))(
    "the program says: $text",
    ({ text }) => {
        const parts = text
            .replace(/^pulumiw: |^trust-and-login: |^handover: /, "")
            .split("…")
            .map((part) => part.replace(/^[\s;,:.]+|[\s;,:]+$/g, ""))
            .filter((part) => part.length > 2);
        expect(parts.filter((part) => !program.includes(part))).toEqual([]);
    },
);

test("what others say is listed, with their names", () => {
    const found = messages().filter(({ whose }) => whose !== undefined);
    expect(Object.fromEntries(found.map(({ text, whose }) => [text, whose]))).toEqual(FOREIGN);
});
