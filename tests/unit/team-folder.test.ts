import { execFileSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MODULE = join(__dirname, "../../scripts/teams/folder.mjs");
const TITLE = "Private registry a:1: hand-over for team web";

let root: string;
beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "private-registry-folder-"));
});
afterEach(() => {
    rmSync(root, { recursive: true });
});

/** Writes a hand-over as scripts/teams/folder.mjs does, with the umask that most users have; returns why it was refused. */
function write(folder: string, files: Record<string, string> = {}): string {
    const list = Object.entries({ "README.txt": `${TITLE}\n`, ...files }).map(([name, text]) => ({
        name,
        text,
    }));
    const program = `
        process.umask(0o022);
        const { refusal, writeFolder } = await import(${JSON.stringify(MODULE)});
        const [folder, files] = JSON.parse(process.argv[1]);
        const reason = refusal(folder, files[0]);
        if (reason === undefined) writeFolder(folder, files);
        process.stdout.write(reason ?? "");`;
    const input = JSON.stringify([folder, list]);
    const args = ["--input-type=module", "--eval", program, input];
    return execFileSync(process.execPath, args, { encoding: "utf8", stdio: "pipe" });
}

const mode = (path: string) => statSync(path).mode & 0o777;

test.each(["new", "empty"])(
    "a folder that is %s becomes one that only its owner can read",
    (kind) => {
        const folder = join(root, "web");
        if (kind === "empty") mkdirSync(folder, { mode: 0o755 });
        expect(write(folder, { password: "secret" })).toBe("");
        expect(mode(folder)).toBe(0o700);
        expect(mode(join(folder, "password"))).toBe(0o600);
        expect(readdirSync(root)).toEqual(["web"]);
    },
);

test("a folder from before is brought up to date, and keeps what else is in it", () => {
    const folder = join(root, "web");
    write(folder, { password: "old" });
    writeFileSync(join(folder, "notes"), "mine");
    expect(write(folder, { password: "new" })).toBe("");
    expect(readFileSync(join(folder, "password"), "utf8")).toBe("new");
    expect(readFileSync(join(folder, "notes"), "utf8")).toBe("mine");
    expect(readdirSync(root)).toEqual(["web"]);
});

test("a write that fails changes nothing", () => {
    const folder = join(root, "web");
    write(folder, { password: "old" });
    expect(() => write(folder, { password: "new", "no/such/folder": "" })).toThrow(/ENOENT/);
    expect(readFileSync(join(folder, "password"), "utf8")).toBe("old");
    expect(readdirSync(root)).toEqual(["web"]);
});

const REFUSED: [string, (path: string) => void, RegExp][] = [
    ["with files of somebody else", (path) => writeIn(path, "README.txt", "x"), /not from here/],
    ["with no explanation in it", (path) => writeIn(path, "notes", TITLE), /not from here/],
    [
        "of another team",
        (path) => writeIn(path, "README.txt", "Private registry a:1: hand-over for team dev\n"),
        /another hand-over \("Private registry a:1: hand-over for team dev"\)/,
    ],
    [
        "of another registry",
        (path) => writeIn(path, "README.txt", "Private registry b:1: hand-over for team web\n"),
        /another hand-over/,
    ],
    ["that is a file", (path) => writeFileSync(path, ""), /no folder/],
    ["that is a link", (path) => symlinkSync(__dirname, path), /no folder/],
    ["below one that is not there", () => rmSync(root, { recursive: true }), /there is no folder/],
];

function writeIn(folder: string, name: string, text: string): void {
    mkdirSync(folder);
    writeFileSync(join(folder, name), text);
}

test.each(REFUSED)("a folder %s is refused, and left as it is", (_, make, message) => {
    const folder = join(root, "web");
    make(folder);
    const before = existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : [];
    expect(write(folder, { password: "secret" })).toMatch(message);
    expect(existsSync(join(root, "password"))).toBe(false);
    if (existsSync(folder) && statSync(folder).isDirectory()) {
        expect(readdirSync(folder)).toEqual(before);
    }
    mkdirSync(root, { recursive: true });
});
