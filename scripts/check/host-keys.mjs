// @ts-check
// Shows the host keys that the client hosts of the configuration answer with, beside those that are pinned.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { pulumi } from "./state.mjs";

// The engine leaves a log of its own.
process.umask(0o077);
const [, , stack = "", mode = "", ...names] = process.argv;
const option = stack === "" ? "" : ` --stack ${stack}`;

/** @type {Record<string, { value?: string, objectValue?: any }>} */
const config = JSON.parse(pulumi(["config", "--json"], stack));
const read = (/** @type {string} */ key) => {
    const entry = Object.entries(config).find(([name]) => name.endsWith(`:${key}`))?.[1];
    return entry?.objectValue ?? JSON.parse(entry?.value || "{}");
};
const ssh = read("ssh");
const clients = Object.entries(read("clients")).filter(
    ([name, { local }]) => String(local) !== "true" && (names.length === 0 || names.includes(name)),
);
const unknown = names.filter((name) => !clients.some(([known]) => known === name));
if (clients.length === 0 || unknown.length > 0) {
    process.stderr.write(
        unknown.length > 0
            ? `host-keys: no such client: ${unknown.join(", ")}\n`
            : "host-keys: the configuration has no client hosts; add one: pulumi config set --path clients.build1.host 192.0.2.21\n",
    );
    process.exit(1);
}

const rows = await Promise.all(
    clients.map(async ([name, fields]) => ({ name, fields, key: await scan(fields) })),
);
let areAllPinned = true;
for (const { name, fields, key } of rows) {
    const { host, hostKey: pinned } = fields;
    const where = `${name} (${host})`;
    const set = `pulumi config set${option} --path clients.${name}.hostKey`;
    if (key === undefined) {
        areAllPinned = false;
        print(`${where}: shows no ed25519 or ecdsa host key${behind(fields)}`);
    } else if (pinned !== undefined && key.startsWith(pinned.split(" ").slice(0, 2).join(" "))) {
        print(`${where}: ${fingerprint(key)}, the one that is pinned`);
    } else if (pinned !== undefined) {
        areAllPinned = false;
        print(`${where}: ${fingerprint(key)}, NOT the one that is pinned (${fingerprint(pinned)})`);
        print(`  if it was installed anew, and its console shows the same: ${set} '${key}'`);
    } else if (mode === "write") {
        pulumi(["config", "set", "--path", `clients.${name}.hostKey`, key], stack);
        print(`${where}: ${fingerprint(key)}, pinned now`);
    } else {
        areAllPinned = false;
        print(`${where}: ${fingerprint(key)}, not pinned`);
        print(`  ${set} '${key}'`);
    }
}
process.exitCode = areAllPinned ? 0 : 1;

/** @param {string} line */
function print(line) {
    process.stdout.write(`${line}\n`);
}

/** @param {any} fields */
function behind(fields) {
    return (fields.jumpHost ?? ssh.jumpHost) === undefined
        ? ""
        : "; it is behind a jump host: ask from there, with ssh-keyscan";
}

/**
 * The host's key, ed25519 before ecdsa, as `type key`.
 *
 * @param {any} fields
 * @returns {Promise<string | undefined>}
 */
async function scan({ host, port = ssh.port ?? 22 }) {
    const child = spawn(
        "ssh-keyscan",
        ["-T", "7", "-p", String(port), "-t", "ed25519,ecdsa", host],
        {
            stdio: ["ignore", "pipe", "ignore"],
        },
    );
    const failed = new Promise((resolve) => child.once("error", resolve)).then((error) => {
        process.stderr.write(
            `host-keys: ssh-keyscan: ${error.message}; install the OpenSSH client\n`,
        );
        process.exit(1);
    });
    const lines = await Promise.race([text(child.stdout), failed]);
    const keys = lines
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.split(" ").slice(1, 3).join(" "));
    return keys.find((key) => key.startsWith("ssh-ed25519")) ?? keys[0];
}

/** @param {string} key */
function fingerprint(key) {
    const [type, body = ""] = key.split(" ");
    const digest = createHash("sha256").update(Buffer.from(body, "base64")).digest("base64");
    return `${type} SHA256:${digest.replace(/=+$/, "")}`;
}
