import * as fc from "fast-check";
import { SURPRISES } from "./yaml-surprises";

/** The same cases at every run; another number makes others. What fails is printed with its seed. */
fc.configureGlobal({
    seed: Number(process.env.HOSTILE_SEED ?? 20_260_101),
    includeErrorInReport: true,
});

/** What a shell, an htpasswd, /etc/hosts, YAML, a terminal or a JavaScript object acts on. */
export const PIECES: readonly string[] = [
    ...Array.from("'\"\\`$;&|<>(){}[]*?!#~%=:,@+- \t\0"),
    ...Array.from("\n\r\v\f\x1b\x7f\x85\x9b\u00a0\u2028\u2029\ufeff\u202e\u2066\u200f\u200b"),
    "\ud800",
    "\udfff",
    "\r\n",
    "$(touch /tmp/owned)",
    "`id`",
    "${HOME}",
    "'; id; '",
    "\n127.0.0.1 evil",
    "\nroot:$2y$05$x",
    "{env.HOME}",
    "{{.Name}}",
    "../",
    "/..",
    "//",
    "%s%n",
    "\x1b[31m",
    "é",
    "\u{1f600}",
    "---\n",
    ": ",
    " #",
    "-",
    "0",
    ".",
];

/** Texts that are read as something else somewhere. */
export const TEXTS: readonly string[] = [
    ...SURPRISES.map(([, text]) => text),
    ..."0 1 -1 00 007 0x10 1e3 1e400 5000.0 0.1 .5 1. +1 １２ 65535 65536 4294967296 Infinity NaN -0".split(
        " ",
    ),
    ..."true false TRUE yes null undefined None [object Object] __proto__ constructor toString hasOwnProperty".split(
        " ",
    ),
    ..."localhost 127.0.0.1 ::1 0.0.0.0 :: 0x7f.1 registry.1 fe80::1%eth0 ::ffff:127.0.0.1 1.2.3.4.5 a..b -a *. *.*.a".split(
        " ",
    ),
    ..."[] {} [1] {} [[ {{ [null]".split(" "),
    "",
    " ",
    "\0",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    "-oProxyCommand=id",
    "ssh://-oProxyCommand=id",
    "https://:secret@s3.example.com",
    " https://s3.example.com\t",
];

/** Values of every type that JSON has, as they are inside an object. */
export const VALUES: readonly unknown[] = [
    ...SURPRISES.map(([, , json]) => JSON.parse(json) as unknown),
    ...[
        null,
        true,
        false,
        0,
        -1,
        0.5,
        1e21,
        2 ** 53,
        5000,
        [],
        {},
        [null],
        [[]],
        [{}],
        { a: 1 },
        [1, "1"],
    ],
    JSON.parse('{"__proto__":{"admin":true}}'),
    JSON.parse('{"constructor":{"prototype":{}}}'),
];

const HUGE = 1_000_000;
export const HUGE_TEXTS: readonly string[] = [
    "a".repeat(HUGE),
    "a-".repeat(HUGE / 2),
    "a.".repeat(HUGE / 2),
    "/a".repeat(HUGE / 2),
    "1".repeat(HUGE),
    " ".repeat(HUGE),
    "\n".repeat(HUGE),
    `[${'"\\"'.repeat(HUGE / 4)}`,
    "[".repeat(HUGE / 10),
    `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
    `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
];

/** A right value with something hostile at any place of it. */
function spoilt(right: readonly unknown[]): fc.Arbitrary<unknown> {
    const texts = right.filter((value) => typeof value === "string" || typeof value === "number");
    if (texts.length === 0) return fc.constantFrom(...VALUES);
    return fc
        .tuple(
            fc.constantFrom(...texts.map(String)),
            fc.constantFrom(...PIECES),
            fc.double({ min: 0, max: 1, noNaN: true }),
        )
        .map(([text, piece, where]) => {
            const at = Math.round(where * text.length);
            return text.slice(0, at) + piece + text.slice(at);
        });
}

/** What somebody may give where `right` would be right. */
export function hostile(right: readonly unknown[]): fc.Arbitrary<unknown> {
    return fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom(...right) },
        { weight: 5, arbitrary: spoilt(right) },
        { weight: 3, arbitrary: fc.constantFrom(...TEXTS) },
        { weight: 3, arbitrary: fc.constantFrom(...VALUES) },
        { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 80 }) },
        { weight: 1, arbitrary: fc.jsonValue({ noUnicodeString: false }) },
    );
}
