// @ts-check
// A registry as the image is, with TLS and with or without an account: what ours is compared with.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { get } from "./load.mjs";
import { must } from "./run.mjs";

const IMAGE = "registry:3.1.1";

/** @param {string} folder */
export async function makeCertificate(folder) {
    const key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "tls.key",
    ];
    const certificate = ["-x509", "-days", "2", "-subj", "/CN=localhost", "-out", "tls.crt"];
    const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    await must("openssl", ["req", ...certificate, ...key, ...names], { cwd: folder });
}

/**
 * Starts a bare registry and waits until it answers; returns its port.
 *
 * @param {string} name
 * @param {string} certificates
 * @param {string} password
 * @param {number | undefined} cost of the account's hash; undefined: no accounts
 * @param {string} host address of this machine that it is published on
 */
export async function startRegistry(name, certificates, password, cost, host = "127.0.0.1") {
    /** @type {Record<string, string>} */
    const settings = {
        OTEL_TRACES_EXPORTER: "none",
        REGISTRY_HTTP_TLS_CERTIFICATE: "/certificates/tls.crt",
        REGISTRY_HTTP_TLS_KEY: "/certificates/tls.key",
    };
    if (cost !== undefined) {
        const file = `htpasswd-${cost}`;
        writeFileSync(join(certificates, file), `dev:${hashSync(password, cost)}\n`);
        settings.REGISTRY_AUTH = "htpasswd";
        settings.REGISTRY_AUTH_HTPASSWD_REALM = "registry";
        settings.REGISTRY_AUTH_HTPASSWD_PATH = `/certificates/${file}`;
    }
    const variables = Object.entries(settings).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
    const mount = `${certificates}:/certificates:ro`;
    const options = ["--name", name, "-p", `${host}::5000`, "-v", mount, ...variables];
    await must("docker", ["run", "-d", ...options, IMAGE]);
    const published = await must("docker", ["port", name, "5000"]);
    const port = Number(/:(\d+)\s*$/.exec(published)?.[1]);
    const account = cost === undefined ? undefined : `dev:${password}`;
    for (let tries = 0; ; tries++) {
        const status = await get(port, account, false, { host }).catch(() => 0);
        if (status === 200) return port;
        if (tries >= 100) throw new Error(`${name} does not answer (last status: ${status})`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
