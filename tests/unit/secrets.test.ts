import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findSecrets, secretsWithin } from "../support/secrets";

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

const OPENSSH = ["-q", "-N", "", "-C", "", "-f"];

test.each([
    ["pkcs8", "ec"],
    ["sec1", "ec"],
    ["pkcs8", "rsa"],
    ["pkcs1", "rsa"],
    ["openssh", "ecdsa"],
    ["openssh", "ed25519"],
    ["openssh", "rsa"],
])(
    "the secret lines of a private key are found, and nothing of its public half (%s, %s)",
    (form, kind) => {
        for (let round = 0; round < (kind === "rsa" ? 2 : 10); round++) {
            const { key, open } = pair(form, kind);
            const lines = secretsWithin("file", `before\n${key}${hash}\n`);
            expect(lines.length).toBeGreaterThan(1);
            expect(lines.at(-1)).toEqual({ name: "file, a hash", value: hash });
            // At every place of a longer text, as in a certificate.
            const texts = [0, 1, 2].flatMap((before) =>
                [...Array(256).keys()].map((byte) =>
                    Buffer.concat([Buffer.alloc(before, byte), open]).toString("base64"),
                ),
            );
            expect(findSecrets(lines, texts.join("\n"))).toEqual([]);
            const [first] = findSecrets(lines, base64(`${password}${key}`));
            expect(first).toBe("file, line 1 of a key");
        }
    },
);

/** A key and its public half, as certificates and OpenSSH's files have it. */
function pair(form: string, kind: string): { key: string; open: Buffer } {
    if (form === "openssh") {
        const folder = mkdtempSync(join(tmpdir(), "private-registry-key-"));
        try {
            const file = join(folder, "key");
            execFileSync("ssh-keygen", ["-t", kind, ...OPENSSH, file]);
            const [, blob = ""] = readFileSync(`${file}.pub`, "utf8").split(" ");
            return { key: readFileSync(file, "utf8"), open: Buffer.from(blob, "base64") };
        } finally {
            rmSync(folder, { recursive: true });
        }
    }
    const { privateKey, publicKey } =
        kind === "ec"
            ? generateKeyPairSync("ec", { namedCurve: "P-256" })
            : generateKeyPairSync("rsa", { modulusLength: 2048 });
    return {
        key: privateKey.export({ type: form as "pkcs8", format: "pem" }).toString(),
        open: publicKey.export({ type: "spki", format: "der" }),
    };
}
