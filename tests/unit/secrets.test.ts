import { randomBytes } from "node:crypto";
import { findSecrets, secretsWithin } from "../support/secrets";
import { makeAuthority } from "../support/test-authority";

const password = randomBytes(20).toString("hex");
const hash = `$2b$05$${"./aA0".repeat(10)}abc`;
const secrets = [
    { name: "password", value: password },
    { name: "hash", value: hash },
];
const base64 = (text: string) => Buffer.from(text).toString("base64");

test.each([
    ["as it is", password],
    ["in hex", Buffer.from(password).toString("hex")],
    ["in hex of capital letters", Buffer.from(password).toString("hex").toUpperCase()],
    ...["a", "ab", "abc", "dev"].flatMap((user) => [
        [`in a login of ${user}`, `Authorization: Basic ${base64(`${user}:${password}`)}`],
        [`before ${user}`, base64(`${password}${user}`)],
        [`between ${user}`, Buffer.from(`${user}:${password}:${user}`).toString("base64url")],
    ]),
])("a secret is found %s", (_, text) => {
    expect(findSecrets(secrets, `before ${text} behind`)).toEqual(["password"]);
    expect(findSecrets(secrets, text.slice(0, -30))).toEqual([]);
});

test("a hash is found as it is, in JSON, in an address and in base64", () => {
    for (const text of [hash, JSON.stringify(hash), encodeURIComponent(hash), base64(`a:${hash}`)])
        expect(findSecrets(secrets, text)).toEqual(["hash"]);
});

test("each long line of a private key is a secret, and nothing of a certificate", () => {
    const { certificate, key } = makeAuthority().authority;
    const lines = secretsWithin("file", `${certificate}${key}${hash}\n`);
    expect(lines.map(({ value }) => value)).toEqual([
        ...key.split("\n").filter((line) => line.length >= 40 && !line.startsWith("--")),
        hash,
    ]);
    expect(findSecrets(lines, certificate)).toEqual([]);
    expect(findSecrets(lines, base64(key))).toContain("file, line 1 of a key");
});
