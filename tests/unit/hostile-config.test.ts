import * as fc from "fast-check";
import { CONFIG_KEYS } from "../../lib/settings";
import {
    asked,
    configWith,
    namedKeys,
    type Outcome,
    outcome,
    readBack,
    SECRET,
} from "../support/config-cases";
import { configPaths, type Kind } from "../support/config-paths";
import { SAMPLES } from "../support/config-samples";
import { hostile, HUGE_TEXTS, PIECES, TEXTS, VALUES } from "../support/hostile-values";
import { misplaced } from "../support/rendered";

/**
 * Every place in the configuration with what nobody expects there: the program refuses it and names the key, or has exactly
 * what was asked for, in the settings and in every file that they come to.
 */

/** Of jest.config.js. */
declare const areAllTestsAsked: boolean;

const PATHS = [...configPaths()];
/** What is wrong between these is said of one of them. */
const TOGETHER = ["certificateValidityDays", "earlyRenewalDays", "authorityValidityDays"];
const RUNS = 24;
let cases = 0;

const rootOf = (path: string) => /^\w+/.exec(path)?.[0] ?? "";

function check(path: string, kind: Kind, given: unknown): Outcome {
    cases++;
    const config = configWith(path, given);
    const result = outcome(config);
    if ("said" in result) checkMessage(result.said, rootOf(path));
    else {
        if (kind !== "object" && kind !== "list") {
            const read = readBack(path, result.settings);
            const isUnseen = path.endsWith("hostKeyChecked") || (path.endsWith(".local") && read);
            if (!isUnseen) expect(read).toEqual(asked(path, kind, given));
        }
        expect(misplaced(result.settings)).toEqual([]);
    }
    return result;
}

/** Four lines for each problem, one of them about each of these keys, and nothing that acts on a terminal, or is secret. */
function checkMessage(said: string, ...roots: readonly string[]): void {
    const keys = namedKeys(said);
    const named = new Set(keys.map(rootOf));
    const isNamed = (root: string) =>
        (TOGETHER.includes(root) ? TOGETHER : [root]).some((key) => named.has(key));
    expect(roots.filter((root) => !isNamed(root))).toEqual([]);
    expect(keys.length).toBeGreaterThan(0);
    expect(said.split("\n")).toHaveLength(1 + 4 * keys.length);
    expect(said.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    expect(said).not.toContain(SECRET);
    expect(said.length).toBeLessThan(4000);
}

test("every place in the configuration is known here, with values that are right", () => {
    expect(Object.keys(SAMPLES).sort()).toEqual(PATHS.map(([path]) => path).sort());
});

test.each(PATHS)("%s takes what is right (%s), as it is", (path, kind) => {
    for (const value of SAMPLES[path] ?? []) {
        const result = check(path, kind, value);
        expect("said" in result ? result.said : "").toBe("");
    }
});

test.each(PATHS)(
    "%s: whatever is given is refused by name, or is there exactly (%s)",
    (path, kind) => {
        fc.assert(
            fc.property(hostile(SAMPLES[path] ?? []), (given) => {
                check(path, kind, given);
            }),
            { numRuns: RUNS },
        );
    },
);

test.each(PATHS)("%s: a text of a megabyte and objects without end (%s)", (path, kind) => {
    for (const text of HUGE_TEXTS) check(path, kind, text);
});

test.each(PATHS.filter(([, kind]) => kind === "text"))(
    "%s: what a shell, a terminal or another file acts on, in every right value",
    (path, kind) => {
        const [right] = SAMPLES[path] ?? [];
        for (const piece of PIECES) {
            for (const given of [`${piece}${String(right)}`, `${String(right)}${piece}`]) {
                check(path, kind, given);
            }
        }
    },
);

test.each(PATHS.filter(([, kind]) => kind === "object"))(
    "%s: a field that nobody knows is named, whatever it is called",
    (path) => {
        for (const name of [...TEXTS, ...PIECES, "ho​st", "hostname "]) {
            cases++;
            const below = ["teams", "clients", "mirrors"].includes(path) ? `${path}.*` : path;
            const [right] = SAMPLES[below] ?? [];
            const entries = [...Object.entries(right ?? {}), [name, SECRET]] as [string, unknown][];
            const result = outcome(configWith(below, Object.fromEntries(entries)));
            expect(result).toHaveProperty("said");
            if ("said" in result) checkMessage(result.said, rootOf(path));
        }
    },
);

test.each(PATHS.filter(([path]) => path.endsWith("{}")))(
    "%s: a name that is read as something else, or that every object has",
    (path, kind) => {
        for (const name of [...TEXTS, ...PIECES]) check(path, kind, name);
    },
);

test.each(PATHS.filter(([, kind]) => kind === "object"))(
    "%s: a field that stands twice",
    (path) => {
        const config = configWith(path, { twice: 1 });
        const key = `private-registry:${rootOf(path)}`;
        for (const second of ['"twice":2', String.raw`"\u0074wice" : {}`]) {
            cases++;
            const text = config[key]?.replace('"twice":1', `"twice":1,${second}`) ?? "";
            const result = outcome({ ...config, [key]: text });
            expect("said" in result && result.said).toContain('"twice" stands there twice');
        }
    },
);

test("a key that nobody knows is named as what it is, and its line to paste runs nothing else", () => {
    for (const name of [...PIECES, ...TEXTS]) {
        cases++;
        const result = outcome({ [`private-registry:x${name}`]: "1" });
        if (!("said" in result)) throw new Error("accepted");
        checkMessage(result.said);
        const unescaped = namedKeys(result.said).map((key) =>
            key.replaceAll(/\\u\{(\w+)\}/g, (_, code: string) =>
                String.fromCodePoint(Number.parseInt(code, 16)),
            ),
        );
        expect(unescaped).toEqual([`x${name}`]);
        const [, argument = ""] = /pulumi config rm (.*)$/m.exec(result.said) ?? [];
        expect(argument).toMatch(/^(?:[A-Za-z0-9_@%+=:,./-]+|(?:'[^']*'|\\')+)$/);
    }
});

test("what the engine keeps encrypted is never shown, wherever it stands", () => {
    for (const [path] of PATHS) {
        for (const value of [
            SECRET,
            [SECRET],
            { [SECRET]: SECRET },
            `${SECRET}\n$(id)`,
            [{ a: SECRET }],
        ]) {
            cases++;
            const secretKeys = [`private-registry:${rootOf(path)}`];
            const result = outcome(configWith(path, value), secretKeys);
            if ("said" in result) {
                expect(
                    result.said.replaceAll(/^ {2}\S.*$|^ {4}(?:fix|allowed): .*$/gm, ""),
                ).not.toContain(SECRET);
            }
        }
    }
    const unknown = outcome({ "private-registry:pasword": SECRET }, ["private-registry:pasword"]);
    expect("said" in unknown && unknown.said).toContain("(not shown: it may be a secret)");
    expect("said" in unknown && unknown.said).not.toContain(SECRET);
});

test("many wrong keys at once are each named", () => {
    const entry = fc
        .constantFrom(...PATHS.map(([path]) => path))
        .chain((path) => fc.tuple(fc.constant(path), hostile(SAMPLES[path] ?? [])));
    fc.assert(
        fc.property(fc.array(entry, { minLength: 2, maxLength: 12 }), (entries) => {
            cases++;
            const alone = entries.map(([path, value]) => configWith(path, value));
            const config = Object.assign({}, ...alone) as Record<string, string>;
            // Of two that stand at the same key the last one counts.
            const refused = alone.flatMap((each, index) => {
                const root = rootOf(entries[index]?.[0] ?? "");
                const key = `private-registry:${root}`;
                if (each[key] !== config[key]) return [];
                // And what is wrong between two may be right between three.
                const own = outcome(each);
                const words = TOGETHER.includes(root) ? (CONFIG_KEYS[root]?.allowed ?? "") : "";
                return "said" in own && own.said.includes(words) ? [root] : [];
            });
            const result = outcome(config);
            if ("said" in result) checkMessage(result.said, ...refused);
            else {
                expect(refused).toEqual([]);
                expect(misplaced(result.settings)).toEqual([]);
            }
        }),
        { numRuns: 300 },
    );
});

test("nothing of all this has changed what every object has", () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
    expect(VALUES.length).toBeGreaterThan(20);
});

afterAll(() => {
    if (!areAllTestsAsked) return;
    process.stdout.write(`hostile configuration: ${cases} cases\n`);
    expect(cases).toBeGreaterThan(2000);
});

test.each(["teams", "clients", "ssh.jumpHost", "clients.*.jumpHost", "subject", "swarm"])(
    "%s: __proto__ beside what is right is not left out without a word",
    (path) => {
        cases++;
        const right = (SAMPLES[path] ?? []).at(path === "teams" ? 1 : -1);
        const both = Object.fromEntries([...Object.entries(right as object), ["__proto__", {}]]);
        expect(outcome(configWith(path, both))).toHaveProperty("said");
    },
);
