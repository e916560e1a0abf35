// @ts-check
// Client hosts by the hundred: one container, with an sshd and a file system of its own for each address.
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { attempt, must } from "../run.mjs";
import { PROJECT } from "../workspace.mjs";
import { stackFileWith } from "./stack-file.mjs";

/** What a container needs to mount file systems and to add addresses. */
const RIGHTS = [
    ..."SYS_ADMIN NET_ADMIN".split(" ").flatMap((capability) => ["--cap-add", capability]),
    ...["seccomp", "apparmor"].flatMap((kind) => ["--security-opt", `${kind}=unconfined`]),
];
/** Addresses from one container's first to that of the next. */
const BLOCK = 512;

/** A Docker network for client hosts, and what they are logged in to with. */
export class Fleet {
    /** @type {string[]} */
    #containers = [];

    /**
     * @param {string} name
     * @param {string} folder
     * @param {string} image
     * @param {string} gateway
     */
    constructor(name, folder, image, gateway) {
        this.name = name;
        this.folder = folder;
        this.image = image;
        this.gateway = gateway;
        this.privateKeyPath = join(folder, "id");
        this.knownHostsPath = join(folder, "known_hosts");
        const [kind, key] = readFileSync(join(folder, "host-key.pub"), "utf8").split(" ");
        this.hostKey = `${kind} ${key}`;
    }

    /**
     * @param {string} name of the network; it stands before the names of the containers too
     * @param {string} folder a new one, for the keys
     */
    static async create(name, folder) {
        mkdirSync(folder);
        const image = join(PROJECT, "tests/support/client-host/image");
        const made = (await must("sh", [image, "python"])).trim();
        for (const key of ["id", "host-key"]) {
            const args = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(folder, key)];
            await must("ssh-keygen", args);
        }
        await must("docker", ["network", "create", name]);
        const format = "{{(index .IPAM.Config 0).Gateway}}";
        const gateway = await must("docker", ["network", "inspect", "--format", format, name]);
        return new Fleet(name, folder, made, gateway.trim());
    }

    /**
     * Addresses of a number of hosts; those of another set are others.
     *
     * @param {number} set
     * @param {number} count
     */
    addresses(set, count) {
        const first = numberOf(this.gateway) + BLOCK * (set + 1) + 1;
        return Array.from({ length: count }, (_, index) => addressOf(first + index));
    }

    /**
     * The file of a stack that has these hosts as its clients.
     *
     * @param {readonly import("./stack-file.mjs").Place[]} places
     * @param {number} port of the registry
     * @param {Record<string, unknown>} settings more of them
     */
    stackFile(places, port, settings = {}) {
        return stackFileWith(places, this.hostKey, {
            ...{ port, address: this.gateway, bindAddress: this.gateway },
            ssh: { privateKeyPath: this.privateKeyPath },
            ...settings,
        });
    }

    /**
     * Starts hosts as new, and waits until they answer.
     *
     * @param {readonly string[]} addresses
     * @param {Readonly<Record<string, "refuses" | "silent">>} dead those that do not
     * @returns {Promise<string>} the name of their container
     */
    async start(addresses, dead = {}) {
        const container = `${this.name}-${addresses[0]}`;
        this.#containers.push(container);
        const known = addresses.map((address) => `${address} ${this.hostKey}\n`);
        appendFileSync(this.knownHostsPath, known.join(""));
        const publicKey = readFileSync(`${this.privateKeyPath}.pub`, "utf8").trim();
        const files = {
            "/hosts.sh": join(import.meta.dirname, "hosts.sh"),
            "/host-key": join(this.folder, "host-key"),
        };
        await must("docker", [
            ...["run", "--detach", "--name", container, "--network", this.name, ...RIGHTS],
            ...Object.entries(files).flatMap(([to, from]) => ["--volume", `${from}:${to}:ro`]),
            ...["--env", `AUTHORIZED_KEY=${publicKey}`, this.image, "sh", "/hosts.sh"],
            ...addresses.map((address) =>
                address in dead ? `${address}=${dead[address]}` : address,
            ),
        ]);
        for (const address of addresses) {
            for (let tries = 0; !(address in dead) && !(await answers(address)); tries++) {
                if (tries > 300)
                    throw new Error(`${address}: ${await attempt("docker", ["logs", container])}`);
                await sleep(100);
            }
        }
        return container;
    }

    /** @param {string} container */
    async stop(container) {
        await attempt("docker", ["rm", "--force", "--volumes", container]);
    }

    /**
     * Logins there have been on each host, in order.
     *
     * @param {string} container
     * @param {readonly string[]} addresses
     */
    async logins(container, addresses) {
        const script =
            'for address; do grep -c "^Accepted " "/mnt/$address/upper/var/log/sshd.log" || true; done';
        const counts = await must("docker", [
            "exec",
            container,
            "sh",
            "-c",
            script,
            "sh",
            ...addresses,
        ]);
        return counts.trim().split("\n").map(Number);
    }

    async dispose() {
        for (const container of this.#containers) await this.stop(container);
        await attempt("docker", ["network", "rm", this.name]);
    }
}

/**
 * CPU seconds that a container has used. The Docker API knows it, whatever the machine's cgroups are.
 *
 * @param {string} container
 * @returns {Promise<number>}
 */
export async function cpuOf(container) {
    const path = `/containers/${container}/stats?stream=false&one-shot=true`;
    /** @type {string} */
    const text = await new Promise((resolve, reject) => {
        const call = request({ socketPath: "/var/run/docker.sock", path }, (response) => {
            let body = "";
            response.on("data", (data) => (body += data));
            response.on("end", () => resolve(body));
        });
        call.on("error", reject).end();
    });
    return JSON.parse(text).cpu_stats.cpu_usage.total_usage / 1e9;
}

/**
 * Whether an SSH server speaks at an address.
 *
 * @param {string} host
 * @returns {Promise<boolean>}
 */
function answers(host) {
    return new Promise((resolve) => {
        const socket = connect({ host, port: 22, timeout: 1000 });
        const end = (/** @type {boolean} */ answer) => {
            socket.destroy();
            resolve(answer);
        };
        socket.once("data", () => end(true));
        for (const event of ["error", "timeout", "close"]) socket.once(event, () => end(false));
    });
}

/** @param {string} address */
function numberOf(address) {
    return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

/** @param {number} number */
function addressOf(number) {
    return [24, 16, 8, 0].map((bits) => (number >>> bits) & 255).join(".");
}
