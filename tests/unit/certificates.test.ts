import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, daysUntil, fingerprint } from "../../lib/certificates";

test("a fingerprint is the one that openssl prints", () => {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-"));
    try {
        const file = join(folder, "cert.pem");
        const request = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ];
        execFileSync(
            "openssl",
            [...request, "-subj", "/CN=x", "-keyout", join(folder, "key.pem"), "-out", file],
            {
                stdio: "pipe",
            },
        );
        const printed = execFileSync("openssl", [
            "x509",
            "-in",
            file,
            "-noout",
            "-fingerprint",
            "-sha256",
        ]);
        expect(`sha256 Fingerprint=${fingerprint(readFileSync(file, "utf8"))}`).toBe(
            printed.toString().trim(),
        );
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test("a bundle is the certificates one after the other, each with one line end", () => {
    expect(bundle(["a\n", "b", "c\n\n"])).toBe("a\nb\nc\n");
});

test.each([
    [36.5, 1],
    [0.5, 0],
    [-0.5, -1],
])("in %d hours are %d whole days", (hours, days) => {
    expect(daysUntil(new Date(Date.now() + hours * 3_600_000).toISOString())).toBe(days);
});
