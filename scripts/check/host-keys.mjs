// @ts-check
// Shows the host keys that the client hosts of the configuration answer with, beside those that are pinned.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { load } from "../shared/typescript.mjs";
import { valuesIn } from "../shared/configuration.mjs";
import { pulumi } from "../shared/state.mjs";

/** @type {typeof import("../../lib/property-path.js")} */
const { propertyPath, quotePath } = load("lib/property-path.ts");

// The engine leaves a log of its own.
process.umask(0o077);
const [, , stack = "", mode = "", ...names] = process.argv;
const option = stack === "" ? "" : ` --stack ${stack}`;

// A secret in one client makes a secret of all of them; none is printed.
const config = valuesIn(pulumi(["config", "--json", "--show-secrets"], stack));

/** @typedef {{ label: string, path: string, host: string, port: number, pinned?: string, via?: string }} Host */

const ssh = config.ssh ?? {};
const clients = Object.entries(config.clients ?? {})
    .map(([name, fields]) => ({ name, ...fields }))
    .filter(
        ({ name, local, host }) =>
            String(local) !== "true" &&
            host !== undefined &&
            (names.length === 0 || names.includes(name)),
    );
const unknown = names.filter((name) => !clients.some((client) => client.name === name));
if (clients.length === 0 || unknown.length > 0) {
    process.stderr.write(
        unknown.length > 0
            ? `host-keys: no such client: ${unknown.join(", ")}\n`
            : "host-keys: the configuration has no client hosts; add one: ./pulumiw config set --path clients.build1.host 192.0.2.21\n",
    );
    process.exit(1);
}

const hosts = hostsOf();
const keys = await Promise.all(hosts.map((host) => (host.via === undefined ? scan(host) : [])));
let areAllPinned = true;
hosts.forEach((host, index) => {
    areAllPinned = show(host, keys[index] ?? []) && areAllPinned;
});
process.exitCode = areAllPinned ? 0 : 1;

/**
 * The clients, each after the host on the way to it.
 *
 * @returns {Host[]}
 */
function hostsOf() {
    /** @type {Map<string, Host>} */
    const found = new Map();
    for (const { name, jumpHost, ...fields } of clients) {
        const root = propertyPath("clients", name);
        const jump = jumpHost ?? ssh.jumpHost;
        if (jump?.host !== undefined) {
            const path = `${jumpHost === undefined ? "ssh" : root}.jumpHost`;
            found.set(path, hostOf(jumpHost === undefined ? path : name, path, jump, 22));
        }
        const client = hostOf(name, root, fields, ssh.port ?? 22);
        found.set(root, { ...client, ...(jump?.host === undefined ? {} : { via: jump.host }) });
    }
    return [...found.values()];
}

/**
 * @param {string} name
 * @param {string} path
 * @param {any} fields
 * @param {number} otherwise its port when it names none
 * @returns {Host}
 */
function hostOf(name, path, { host, hostKey, port }, otherwise) {
    const label = `${name} (${host})`;
    return { label, path: `${path}.hostKey`, host, port: port ?? otherwise, pinned: hostKey };
}

/**
 * Whether the host shows the key that is pinned, which may be pinned just now.
 *
 * @param {Host} host
 * @param {string[]} shown its keys, the best one first
 */
function show({ label, path, host, pinned, via }, shown) {
    const set = `./pulumiw config set${option} --path ${quotePath(path)}`;
    const [key] = shown;
    if (via !== undefined) {
        const state = pinned === undefined ? "not pinned" : `${fingerprint(pinned)} is pinned`;
        print(`${label}: ${state}; it is behind ${via}: ask from there, with ssh-keyscan ${host}`);
        return pinned !== undefined;
    }
    if (key === undefined) {
        print(`${label}: shows no ed25519 or ecdsa host key`);
        return false;
    }
    if (pinned === undefined && mode === "write") {
        pulumi(["config", "set", "--path", path, key], stack);
        print(`${label}: ${fingerprint(key)}, pinned now`);
        return true;
    }
    if (pinned === undefined) {
        print(`${label}: ${fingerprint(key)}, not pinned`);
        print(`  ${set} '${key}'`);
        return false;
    }
    const same = shown.find((other) => other === pinned.split(" ").slice(0, 2).join(" "));
    if (same !== undefined) {
        print(`${label}: ${fingerprint(same)}, the one that is pinned`);
        return true;
    }
    print(`${label}: ${fingerprint(key)}, NOT the one that is pinned (${fingerprint(pinned)})`);
    print(`  if it was installed anew, and its console shows the same: ${set} '${key}'`);
    return false;
}

/** @param {string} line */
function print(line) {
    process.stdout.write(`${line}\n`);
}

/**
 * The keys that a host shows, ed25519 before ecdsa, each as `type key`.
 *
 * @param {Host} host
 * @returns {Promise<string[]>}
 */
async function scan({ host, port }) {
    const child = spawn(
        "ssh-keyscan",
        ["-T", "7", "-p", String(port), "-t", "ed25519,ecdsa", host],
        { stdio: ["ignore", "pipe", "ignore"] },
    );
    const failed = new Promise((resolve) => child.once("error", resolve)).then((error) => {
        process.stderr.write(
            `host-keys: ssh-keyscan: ${error.message}; install the OpenSSH client\n`,
        );
        process.exit(1);
    });
    const lines = await Promise.race([text(child.stdout), failed]);
    return lines
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.split(" ").slice(1, 3).join(" "))
        .sort((a) => (a.startsWith("ssh-ed25519") ? -1 : 1));
}

/** @param {string} key */
function fingerprint(key) {
    const [type, body = ""] = key.split(" ");
    const digest = createHash("sha256").update(Buffer.from(body, "base64")).digest("base64");
    return `${type} SHA256:${digest.replace(/=+$/, "")}`;
}
