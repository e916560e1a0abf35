import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, type Result, run } from "../support/run";
import { type Outputs, TestStack } from "../support/stack";

/** What openssl and other clients see of the two that speak TLS: the registry itself, and the gateway. */

const CLIENT = join(__dirname, "../support/tls-client/main.go");
const hasGo = spawnSync("go", ["version"]).status === 0;
const DAY = 86_400_000;
/** All other names of the certificate are the program's own. */
const NAMES = { hostname: "registry.test", subjectAltNames: ["registry.internal", "192.0.2.7"] };

/** Suites with forward secrecy that encrypt and authenticate in one, for the key that the server has. */
const SUITES = (key: "ECDSA" | "RSA") => [
    `ECDHE-${key}-AES128-GCM-SHA256`,
    `ECDHE-${key}-AES256-GCM-SHA384`,
    `ECDHE-${key}-CHACHA20-POLY1305`,
];

describe.each([
    ["the registry itself", {}, ["X25519", "P-256", "P-384", "P-521"]],
    ["the gateway", { gateway: true }, ["X25519", "P-256"]],
])("%s", (_, config, curves) => {
    let stack: TestStack;
    let outputs: Outputs;

    beforeAll(async () => {
        stack = await TestStack.create({ ...NAMES, ...config });
        await stack.up();
        outputs = await stack.outputs();
        writeFileSync(stack.path("ca.crt"), outputs.caCertificate);
    });
    afterAll(() => stack.dispose());

    const connect = (...options: string[]): Promise<Result> => {
        const where = ["-connect", `127.0.0.1:${stack.port}`, "-servername", "registry.test"];
        return run("openssl", ["s_client", ...where, ...options]);
    };
    /** Those of some values of an option with which a handshake succeeds; openssl is told to refuse none by itself. */
    const accepted = async (values: readonly string[], ...options: string[]): Promise<string[]> => {
        const found = [];
        for (const value of values) {
            const { code } = await connect(...options.map((word) => word.replace("%", value)));
            if (code === 0) found.push(value);
        }
        return found;
    };
    const acceptedSuites = async () => {
        const all = ["ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL@SECLEVEL=0"];
        const suites = (await must("openssl", all)).trim().split(":");
        expect(suites.length).toBeGreaterThan(60);
        // All that are left are offered, until none of them is taken.
        const found: string[] = [];
        for (;;) {
            const offered = suites.filter((suite) => !found.includes(suite)).join(":");
            const { code, stdout } = await connect("-tls1_2", "-cipher", `${offered}:@SECLEVEL=0`);
            const suite = /Cipher is (\S+)/.exec(stdout)?.[1] ?? "";
            if (code !== 0 || !suites.includes(suite)) return found.sort();
            found.push(suite);
        }
    };
    const served = async () => {
        const { stdout } = await connect("-showcerts");
        return stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    };
    const describeCertificate = (pem: string) =>
        must("openssl", ["x509", "-noout", "-text"], { input: pem });

    test("speaks TLS 1.2 and 1.3 and nothing older", async () => {
        const versions = ["tls1", "tls1_1", "tls1_2", "tls1_3"];
        expect(await accepted(versions, "-%", "-cipher", "ALL@SECLEVEL=0")).toEqual([
            "tls1_2",
            "tls1_3",
        ]);
    });

    test("takes no suite without forward secrecy and authenticated encryption", async () => {
        expect(await acceptedSuites()).toEqual(SUITES("ECDSA"));
        const all = ["AES_128_CCM_8", "AES_128_CCM", "AES_128_GCM", "AES_256_GCM"].map((name) =>
            name === "AES_256_GCM" ? `TLS_${name}_SHA384` : `TLS_${name}_SHA256`,
        );
        expect(await accepted(all, "-tls1_3", "-ciphersuites", "%")).toEqual([
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
        ]);
    });

    test("agrees on keys over X25519 and the curves of NIST, and over nothing weaker", async () => {
        const known = ["X25519", "P-256", "P-384", "P-521"];
        expect(await accepted(known, "-tls1_3", "-groups", "%")).toEqual(curves);
        const others = ["P-224", "P-192", "secp256k1", "brainpoolP256r1", "X448"];
        const weak = ["-tls1_2", "-cipher", "ALL@SECLEVEL=0", "-groups", "%"];
        expect(await accepted(others, ...weak)).toEqual([]);
        expect(await accepted(["ffdhe2048"], "-tls1_3", "-groups", "%")).toEqual([]);
    });

    test("neither compresses nor takes up a client's renegotiation", async () => {
        expect((await connect("-tls1_2")).stdout).toContain("Compression: NONE");
        const asked = await run(
            "openssl",
            [
                "s_client",
                ...["-connect", `127.0.0.1:${stack.port}`],
                ...["-tls1_2", "-legacy_renegotiation"],
            ],
            { input: "R\n" },
        );
        expect(asked.stderr).toMatch(/RENEGOTIATING\n.*alert/);
    });

    test("shows its own certificate alone, and the authority vouches for it", async () => {
        const certificates = await served();
        expect(certificates).toHaveLength(1);
        const path = ["-CAfile", stack.path("ca.crt"), "-verify_return_error", "-x509_strict"];
        for (const name of ["registry.test", "registry.internal", "localhost"]) {
            const { code, stdout } = await connect(...path, "-verify_hostname", name);
            expect([name, code]).toEqual([name, 0]);
            expect(stdout).toContain("Verify return code: 0 (ok)");
        }
    });

    test("has a certificate for the names that were asked for, to serve with and for nothing else", async () => {
        const [pem = ""] = await served();
        const certificate = new X509Certificate(pem);
        expect(certificate.subjectAltName?.split(", ").sort()).toEqual([
            "DNS:localhost",
            "DNS:registry.internal",
            "DNS:registry.test",
            "IP Address:127.0.0.1",
            "IP Address:192.0.2.7",
        ]);
        const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY;
        expect(days).toBeLessThanOrEqual(200);
        const text = await describeCertificate(pem);
        expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature\n/);
        expect(text).toMatch(/Extended Key Usage: ?\n\s+TLS Web Server Authentication\n/);
        expect(text).toMatch(/Basic Constraints: critical\n\s+CA:FALSE\n/);
        expect(text).toContain("NIST CURVE: P-256");
        expect(text).not.toMatch(/Signature Algorithm: .*(sha1|md5)/i);
    });

    test("the authority's certificate may sign, and every serial number is a random one", async () => {
        const [pem = ""] = await served();
        const authority = outputs.caCertificate;
        const text = await describeCertificate(authority);
        expect(text).toMatch(/Basic Constraints: critical\n\s+CA:TRUE\n/);
        expect(text).toMatch(/Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
        expect(text).not.toContain("Extended Key Usage");
        const id = (of: string, name: string) =>
            new RegExp(`X509v3 ${name} Key Identifier: ?\n\\s+(?:keyid:)?([0-9A-F:]+)`).exec(
                of,
            )?.[1];
        const subject = id(text, "Subject");
        expect(subject).toBeDefined();
        expect(id(await describeCertificate(pem), "Authority")).toBe(subject);
        for (const certificate of [pem, authority]) {
            // 16 hex digits are 64 bits; of a random number a few may be zero at its beginning.
            const { serialNumber } = new X509Certificate(certificate);
            expect(serialNumber.replace(/^0+/, "").length).toBeGreaterThan(24);
        }
    });

    test("is refused under another name: by openssl and curl", async () => {
        const path = ["-CAfile", stack.path("ca.crt"), "-verify_return_error"];
        const { code, stderr } = await connect(...path, "-verify_hostname", "other.test");
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/hostname mismatch/i);
        const curl = await run("curl", [
            ...["--silent", "--show-error", "--cacert", stack.path("ca.crt")],
            ...["--resolve", `other.test:${stack.port}:127.0.0.1`],
            `https://other.test:${stack.port}/v2/`,
        ]);
        expect(curl.code).toBe(60);
    });

    (hasGo ? test : test.skip)("is refused under another name: by Go", async () => {
        const end = (name: string) =>
            must("go", ["run", CLIENT, String(stack.port), stack.path("ca.crt"), name], {
                env: { ...process.env, GOFLAGS: "-mod=mod", GOWORK: "off" },
            });
        expect(await end("registry.test")).toBe("trusted\n");
        expect(await end("other.test")).toMatch(/certificate is valid for .*, not other\.test/);
    });

    test("with an RSA key it takes the same suites, and no key exchange by RSA", async () => {
        stack.configure({ ...NAMES, ...config, keyAlgorithm: "RSA" });
        await stack.up();
        expect(await acceptedSuites()).toEqual(SUITES("RSA"));
        const [pem = ""] = await served();
        const text = await describeCertificate(pem);
        expect(text).toContain("Public-Key: (2048 bit)");
        expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature, Key Encipherment\n/);
    });
});
