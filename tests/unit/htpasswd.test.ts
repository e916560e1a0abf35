import { randomBytes } from "node:crypto";
import * as bcrypt from "bcryptjs";
import * as fc from "fast-check";
import { bcryptHash, htpasswdText } from "../../lib/htpasswd";

const salt = () => randomBytes(16).toString("base64");

test("a hash is bcrypt at cost 5, checks the password and is the same at every run", async () => {
    const given = salt();
    const hash = await bcryptHash("correct horse", given);
    expect(hash).toMatch(/^\$2b\$05\$.{53}$/);
    expect(await bcrypt.compare("correct horse", hash)).toBe(true);
    expect(await bcrypt.compare("wrong horse", hash)).toBe(false);
    expect(await bcryptHash("correct horse", given)).toBe(hash);
    expect(await bcryptHash("correct horse", salt())).not.toBe(hash);
});

test("a salt of another length is refused", async () => {
    await expect(bcryptHash("password", randomBytes(15).toString("base64"))).rejects.toThrow(
        "a bcrypt salt has 16 bytes, got 15",
    );
});

test("the file has one line per account, sorted, and ends with a line end", async () => {
    const hash = await bcryptHash("x", salt());
    expect(
        htpasswdText([
            { username: "web", hash },
            { username: "dev", hash },
        ]),
    ).toBe(`dev:${hash}\nweb:${hash}\n`);
});

test("no text that would break the file gets into it", async () => {
    const hash = await bcryptHash("x", salt());
    const breaking = fc.string().filter((text) => /[:\s]/.test(text) || text === "");
    fc.assert(
        fc.property(breaking, (username) => {
            expect(() => htpasswdText([{ username, hash }])).toThrow("is malformed");
        }),
    );
    expect(() => htpasswdText([{ username: "dev", hash: hash.replace("$05$", "$10$") }])).toThrow(
        'the htpasswd line of "dev" is malformed',
    );
});
