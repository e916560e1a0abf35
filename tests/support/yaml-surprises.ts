/**
 * What people write into a stack's file, and what the engine makes of it: the text that it hands over for a plain key, and
 * inside a list or an object the JSON. `tests/integration/stack-file.test.ts` asks the real engine.
 */
export const SURPRISES: readonly (readonly [yaml: string, text: string, json: string])[] = [
    ["on", "on", '"on"'],
    ["yes", "yes", '"yes"'],
    ["off", "off", '"off"'],
    ["n", "n", '"n"'],
    ["True", "true", "true"],
    ["1e3", "1000", "1000"],
    ["007", "7", "7"],
    ["08", "8", "8"],
    ["0o17", "15", "15"],
    ["0x1F", "31", "31"],
    ["0b11", "3", "3"],
    ["1_000", "1000", "1000"],
    ["5000.0", "5000", "5000"],
    ["1.10", "1.1", "1.1"],
    ["-0", "0", "0"],
    ["12345678901234567890123", "1.2345678901234568e+22", "1.2345678901234568e+22"],
    ["9007199254740993", "9007199254740993", "9007199254740993"],
    ["12:30:45", "12:30:45", '"12:30:45"'],
    ["2024-01-02", "2024-01-02 00:00:00 +0000 UTC", '"2024-01-02 00:00:00 +0000 UTC"'],
    ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05 +0000 UTC", '"2024-01-02 03:04:05 +0000 UTC"'],
    ["~", "", "null"],
    ["null", "", "null"],
    ['""', "", '""'],
    ["!!binary aGVsbG8=", "hello", '"hello"'],
    ["!!str 5000", "5000", '"5000"'],
    ["*anchor", "anchored", '"anchored"'],
    ["{<<: {m: 1}, n: 2}", '{"m":1,"n":2}', '{"m":1,"n":2}'],
    ["{__proto__: {a: 1}}", '{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
    ["{a: , b: []}", '{"a":null,"b":[]}', '{"a":null,"b":[]}'],
    [`'{"a":1,"a":2}'`, '{"a":1,"a":2}', String.raw`"{\"a\":1,\"a\":2}"`],
    [
        String.raw`"a\tb\0c\x9b\u202e\uFEFF\U0001F600"`,
        "a\tb\0c\x9b\u202e\uFEFF\u{1f600}",
        String.raw`"a\tb\u0000c` + '\x9b\u202e\uFEFF\u{1f600}"',
    ],
];

/** What the engine takes for no stack file, before the program is asked. */
export const REFUSED_BY_THE_ENGINE: readonly string[] = [
    ".inf",
    "-.inf",
    ".nan",
    "{a: 1, a: 2}",
    "*nobody",
];
