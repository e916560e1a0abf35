import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A key and a certificate, PEM. */
export interface Pair {
    readonly key: string;
    readonly certificate: string;
}

/** Makes an authority with openssl and lets it sign one server certificate per list of names ("DNS:a,IP:b"). */
export function makeAuthority(...names: string[]): { authority: Pair; servers: Pair[] } {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-ca-"));
    const openssl = (...args: string[]) =>
        execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    const read = (file: string) => readFileSync(join(folder, file), "utf8");
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    try {
        openssl(
            "req",
            "-x509",
            ...newKey,
            "-subj",
            "/CN=test authority",
            "-days",
            "2",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
        );
        const servers = names.map((list) => {
            openssl(
                "req",
                ...newKey,
                "-subj",
                "/CN=test server",
                "-keyout",
                "tls.key",
                "-out",
                "tls.csr",
            );
            writeFileSync(join(folder, "ext"), `subjectAltName=${list}\n`);
            openssl(
                "x509",
                "-req",
                "-in",
                "tls.csr",
                "-CA",
                "ca.crt",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                "ext",
                "-out",
                "tls.crt",
            );
            return { key: read("tls.key"), certificate: read("tls.crt") };
        });
        return { authority: { key: read("ca.key"), certificate: read("ca.crt") }, servers };
    } finally {
        rmSync(folder, { recursive: true });
    }
}
