import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { SHELLS } from "../support/shells";

/** How the scripts of client hosts change a JSON text of somebody else with nothing but awk. */

const FOLDER = join(__dirname, "../../components/trust-host");
const part = (name: string) => readFileSync(join(FOLDER, `${name}.sh`), "utf8");
const URL = "https://[fd00::1]:5001";
/** A shell has the awk that goes with it. */
const AWK = `if [ "$1" = busybox ]; then awk() { busybox awk "$@"; }; fi`;

/** Runs a command line on a text, with the text and a dot behind it as $text. */
function onText(shell: readonly string[], text: string, command: string): string {
    const [name = "", ...args] = shell;
    const script = [
        ...["set -eu", "LC_ALL=C", "newline='\n'", AWK],
        part("docker-mirrors-undo"),
        "undo_docker_mirrors=",
        part("docker-mirrors"),
        "text=$(cat; echo .)\ntext=${text%??}.",
        command,
    ].join("\n");
    // What follows `-c` and the script is $0 and $1.
    const { stdout, stderr } = spawnSync(name, [...args, "-c", script, "sh", name], {
        input: `${text}\n`,
        encoding: "utf8",
    });
    if (stderr !== "") throw new Error(stderr);
    return stdout;
}

const state = (shell: readonly string[], text: string) =>
    onText(shell, text, 'json_state "$text"').trimEnd();

const blanks = fc
    .array(fc.constantFrom(" ", "\t", "\n", "\r\n"), { maxLength: 2 })
    .map((all) => all.join(""));
const names = fc.oneof(
    fc.string(),
    fc.constantFrom("hosts", 'a"b', "{", "}", "registry-mirrors ", "#", "@", "%<>", "\\", "\u20ac"),
);
const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
        { maxDepth: 3 },
        fc.oneof(
            names.map((text) => JSON.stringify(text)),
            fc.constantFrom("true", "false", "null", "0", "-1.5e+3", '"registry-mirrors"'),
        ),
        fc
            .tuple(fc.array(tie("value"), { maxLength: 3 }), blanks)
            .map(([all, blank]) => `[${blank}${all.join(`${blank},`)}${blank}]`),
        objectOf(fc.oneof(names, fc.constant("registry-mirrors")), tie("value")),
    ),
}));

function objectOf(keys: fc.Arbitrary<string>, values: fc.Arbitrary<string>) {
    return fc
        .tuple(fc.uniqueArray(keys, { maxLength: 4 }), fc.array(values, { minLength: 4 }), blanks)
        .map(([all, texts, blank]) => {
            const pairs = all.map(
                (key, index) => `${JSON.stringify(key)}${blank}:${blank}${texts[index] ?? "0"}`,
            );
            return `{${blank}${pairs.join(`${blank},${blank}`)}${blank}}`;
        });
}
const file = fc
    .tuple(blanks, objectOf(names, value), blanks)
    .map(([before, text, after]) => before + text + after);

for (const { name, command: shell, isThere } of SHELLS) {
    (isThere ? describe : describe.skip)(name, () => {
        const command = `
        json_state "$text"
        set=$(with_mirror "$text" '${URL}')
        printf '%s\\0' "\${set%.}"
        json_state "$set"
        again=$(without_mirror "$set" '${URL}')
        printf '\\0%s' "\${again%.}"`;

        it("puts the entry into any object, and takes exactly that out again", () => {
            fc.assert(
                fc.property(file, (text) => {
                    const [before = "", after, again] = onText(shell, text, command).split("\0");
                    const [was, ...set] = before.split("\n");
                    expect(was).toBe("free");
                    expect(after).toBe("taken\n");
                    expect(again).toBe(text);
                    expect(JSON.parse(set.join("\n"))).toEqual({
                        "registry-mirrors": [URL],
                        ...(JSON.parse(text) as object),
                    });
                }),
                { numRuns: 40 },
            );
        });

        it("takes the entry out wherever it is among others", () => {
            fc.assert(
                fc.property(
                    fc.dictionary(
                        fc.constantFrom("a", "b", "c", "d"),
                        fc.jsonValue({ maxDepth: 1 }),
                    ),
                    fc.nat(4),
                    fc.constantFrom(0, 2, "\t"),
                    (others, index, space) => {
                        const pairs: [string, unknown][] = Object.entries(others);
                        pairs.splice(index, 0, ["registry-mirrors", [URL]]);
                        const text = JSON.stringify(Object.fromEntries(pairs), undefined, space);
                        const left = onText(
                            shell,
                            text,
                            `left=$(without_mirror "$text" '${URL}'); printf '%s' "\${left%.}"`,
                        );
                        expect(JSON.parse(left)).toEqual(JSON.parse(JSON.stringify(others)));
                    },
                ),
                { numRuns: 40 },
            );
        });

        it("takes out what it has put in its place while Docker forgets the mirror", () => {
            const text = '{"a":1}';
            const left = onText(
                shell,
                text,
                `set=$(with_mirror "$text" '${URL}')
            none=$(without_mirror "$set" '${URL}' '"registry-mirrors":[ ]')
            printf '%s\\n' "\${none%.}"; left=$(without_mirror "$none" '${URL}'); printf '%s' "\${left%.}"`,
            );
            expect(left).toBe(`{"registry-mirrors":[ ],"a":1}\n${text}`);
            // A list that somebody has emptied is theirs.
            const theirs = '{"registry-mirrors":[],"a":1}';
            expect(onText(shell, theirs, `without_mirror "$text" '${URL}'`)).toBe(`${theirs}.\n`);
        });

        it("knows what is no object, whatever is missing or too much", () => {
            fc.assert(
                fc.property(
                    file,
                    fc.nat(),
                    fc.constantFrom("", '"', "{", "}", ",", ":", "x"),
                    (text, at, other) => {
                        const place = at % text.length;
                        const broken = text.slice(0, place) + other + text.slice(place + 1);
                        let isObject: boolean;
                        try {
                            const parsed: unknown = JSON.parse(broken);
                            isObject = typeof parsed === "object" && !Array.isArray(parsed);
                        } catch {
                            isObject = false;
                        }
                        // A control character in a text, and a digit that misses its point, are for Docker to refuse.
                        if (isObject) expect(state(shell, broken)).not.toBe("broken");
                        else if (
                            /[{}[\],:"]/.test(text.charAt(place) + other) &&
                            !text.includes("\\")
                        ) {
                            expect(state(shell, broken)).toBe("broken");
                        }
                    },
                ),
                { numRuns: 60 },
            );
        });
    });
}
