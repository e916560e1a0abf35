import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const PROJECT = join(__dirname, "../..");

/** README.md and everything below docs. */
const DOCUMENTS = [
    "README.md",
    ...readdirSync(join(PROJECT, "docs"), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".md"))
        .map((name) => join("docs", name)),
].sort();

function read(document: string): string {
    return readFileSync(join(PROJECT, document), "utf8");
}

/** The words behind the opening marks of the blocks. */
function languages(document: string): string[] {
    const marks = [...read(document).matchAll(/^[ \t]*```(.*)$/gm)].map(([, word = ""]) => word);
    return marks.filter((_, index) => index % 2 === 0);
}

/** What a heading is linked by. */
function anchor(heading: string): string {
    return heading
        .replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-");
}

function anchors(document: string): string[] {
    const text = read(document).replace(/^```[^]*?^```/gm, "");
    return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchor(heading));
}

// Commands in any other block would be left out without a word.
test.each(DOCUMENTS)(
    "%s: every block says what it is, and commands are a console's",
    (document) => {
        const known = ["console", "text", "toml", "yaml", "json", "ts"];
        expect(languages(document).filter((word) => !known.includes(word))).toEqual([]);
    },
);

test.each(DOCUMENTS)("%s: every link leads somewhere", (document) => {
    const links = [...read(document).matchAll(/(?:\]\(|\b(?:src|srcset)=")([^)"\s]+)[)"]/g)].map(
        ([, link = ""]) => link,
    );
    const broken = links
        .filter((link) => !/^(https?|mailto):/.test(link))
        .filter((link) => {
            const [path = "", fragment] = link.split("#");
            const target = path === "" ? document : join(dirname(document), path);
            if (!existsSync(join(PROJECT, target))) return true;
            return fragment !== undefined && !anchors(target).includes(fragment);
        });
    expect(broken).toEqual([]);
});

test("README's choice of everyday work is word for word what the whole of it says", () => {
    const rows = (document: string, heading: string) => {
        const [, section = ""] = read(document).split(`${heading}\n`);
        const [table = ""] = section.split(/\n\n(?!\|)/);
        return table.split("\n").filter((line) => /^\| (?!-|to do)/.test(line));
    };
    const choice = rows("README.md", "## Everyday work\n").map((row) =>
        row.replaceAll("](docs/", "]("),
    );
    expect(choice.length).toBeGreaterThan(5);
    const all = rows("docs/everyday-work.md", "# Everyday work\n");
    expect(choice.filter((row) => !all.includes(row))).toEqual([]);
});

test("what is not run is marked, with a reason, and is little", () => {
    const list = execFileSync(
        process.execPath,
        ["scripts/documents/run.mjs", "--list", ...DOCUMENTS],
        { cwd: PROJECT, encoding: "utf8" },
    );
    const [title, ...blocks] = list.trim().split("\n");
    expect(title).toBe("not run:");
    for (const block of blocks) expect(block).toMatch(/^ {2}\S+\.md:\d+ {2}.{20}/);
    expect(blocks.length).toBeLessThanOrEqual(12);
});
