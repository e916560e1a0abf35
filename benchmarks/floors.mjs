// @ts-check
// What a machine can do at best with the same bytes.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { seconds } from "./measure.mjs";
import { must } from "./run.mjs";
import { freePort } from "./workspace.mjs";

/**
 * @param {string} host
 * @param {string} certificates
 * @param {string} folder whose files it serves
 */
export async function startTlsServer(host, certificates, folder) {
    const port = await freePort();
    const pair = ["tls.crt", "tls.key"].map((name) => join(certificates, name));
    const [certificate = "", key = ""] = pair;
    const options = ["-accept", `${host}:${port}`, "-cert", certificate, "-key", key];
    const server = spawn(
        "openssl",
        ["s_server", ...options, "-quiet", "-WWW", "-http_server_binmode"],
        { cwd: folder, stdio: "ignore" },
    );
    return { url: `https://${host}:${port}`, stop: () => server.kill() };
}

/**
 * Seconds that it takes to send a file by TLS.
 *
 * @param {string} url
 */
export function send(url) {
    return seconds(() => must("curl", ["-ksSf", "--http1.0", "-o", "/dev/null", url]));
}

/** @param {string} file */
export function copy(file) {
    const to = `${file}.copy`;
    return seconds(() =>
        must("dd", [`if=${file}`, `of=${to}`, "bs=1M", "conv=fdatasync", "status=none"]),
    ).finally(() => rmSync(to, { force: true }));
}

/** @param {string} file */
export function hash(file) {
    return seconds(() => must("sha256sum", [file]));
}
