import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A key and a certificate, PEM. */
export interface Pair {
    readonly key: string;
    readonly certificate: string;
}

/** A server's names ("DNS:a,IP:b"), and how many days from now its certificate begins and ends. */
export interface Dated {
    readonly names: string;
    readonly begins: number;
    readonly ends: number;
}

/** As `openssl ca` wants it: nothing but a place for its records. */
const SETTINGS = `[ca]
default_ca = here
[here]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = policy
[policy]
commonName = supplied
`;

/** Makes an authority with openssl and lets it sign one server certificate each; from today on where nothing else is said. */
export function makeAuthority(...servers: (string | Dated)[]): {
    authority: Pair;
    servers: Pair[];
} {
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
        writeFileSync(join(folder, "settings"), SETTINGS);
        writeFileSync(join(folder, "index"), "");
        writeFileSync(join(folder, "index.attr"), "unique_subject = no\n");
        const pairs = servers.map((server) => {
            const { names, begins, ends } =
                typeof server === "string" ? { names: server, begins: 0, ends: 2 } : server;
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
            writeFileSync(join(folder, "ext"), `subjectAltName=${names}\n`);
            openssl(
                "ca",
                "-batch",
                "-notext",
                "-config",
                "settings",
                "-rand_serial",
                "-in",
                "tls.csr",
                "-cert",
                "ca.crt",
                "-keyfile",
                "ca.key",
                "-startdate",
                inDays(begins),
                "-enddate",
                inDays(ends),
                "-extfile",
                "ext",
                "-out",
                "tls.crt",
            );
            return { key: read("tls.key"), certificate: read("tls.crt") };
        });
        return {
            authority: { key: read("ca.key"), certificate: read("ca.crt") },
            servers: pairs,
        };
    } finally {
        rmSync(folder, { recursive: true });
    }
}

/** As certificates write a time: 20260102030405Z. */
function inDays(days: number): string {
    const time = new Date(Date.now() + days * 86_400_000).toISOString();
    return time.replace(/\.\d+/, "").replace(/[-:T]/g, "");
}
