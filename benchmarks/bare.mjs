// @ts-check
// A registry as the image is, with TLS and with or without an account: what ours is compared with.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { get } from "./load.mjs";
import { must } from "./run.mjs";

const IMAGE = "registry:3.1.1";
/** Where our configuration looks for its files. */
const SETTINGS = "/etc/private-registry";

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
    const mount = ["-v", `${certificates}:/certificates:ro`];
    const port = await startContainer(name, settings, mount, { host });
    const account = cost === undefined ? undefined : `dev:${password}`;
    await answers(name, () => get(port, account, false, { host }));
    return port;
}

/**
 * Starts a bare registry without TLS and accounts that takes deletions, as ours does, and waits until it answers;
 * returns its port.
 *
 * @param {string} name
 * @param {string} image
 */
export async function startOpenRegistry(name, image = IMAGE) {
    const settings = { REGISTRY_STORAGE_DELETE_ENABLED: "true" };
    const port = await startContainer(name, settings, [], { image });
    await answers(name, async () => (await fetch(`http://127.0.0.1:${port}/v2/`)).status);
    return port;
}

/**
 * Starts a registry with a whole configuration of its own, and waits until it answers; returns its port.
 *
 * @param {string} name
 * @param {string} settings folder that the configuration names its files in, with a configuration NAME.json
 * @param {{ options: readonly string[], host: string, isPlain: boolean }} place options of docker run, and as in a side
 */
export async function startConfigured(name, settings, { options, host, isPlain }) {
    const mount = ["-v", `${settings}:${SETTINGS}:ro`];
    const command = ["serve", `${SETTINGS}/${name}.json`];
    const port = await startContainer(name, {}, [...mount, ...options], { host, command });
    await answers(name, () => get(port, undefined, false, { host, isPlain }));
    return port;
}

/**
 * @param {string} name
 * @param {Readonly<Record<string, string>>} settings
 * @param {readonly string[]} options
 * @param {{ image?: string, host?: string, command?: readonly string[] }} place what to run, and the address of this machine to publish it on
 */
async function startContainer(
    name,
    settings,
    options,
    { image = IMAGE, host = "127.0.0.1", command = [] } = {},
) {
    const variables = Object.entries({ OTEL_TRACES_EXPORTER: "none", ...settings }).flatMap(
        ([key, value]) => ["-e", `${key}=${value}`],
    );
    const publish = ["--name", name, "-p", `${host}::5000`];
    await must("docker", ["run", "-d", ...publish, ...options, ...variables, image, ...command]);
    const published = await must("docker", ["port", name, "5000"]);
    return Number(/:(\d+)\s*$/.exec(published)?.[1]);
}

/**
 * @param {string} name
 * @param {() => Promise<number | undefined>} ask
 */
async function answers(name, ask) {
    const end = Date.now() + 60_000;
    for (;;) {
        const status = await ask().catch(() => 0);
        if (status === 200) return;
        if (Date.now() > end) throw new Error(`${name} does not answer (last status: ${status})`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
