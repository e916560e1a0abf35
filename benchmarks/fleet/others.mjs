// @ts-check
// The same work by others: Ansible and pyinfra from PyPI, and ssh under xargs as the floor.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "../measure.mjs";
import { run } from "../run.mjs";

const PINNED = ["ansible-core==2.19.4", "pyinfra==3.10.0"];
/** Hosts that are worked on at the same time. */
export const PARALLEL = 32;

/** @typedef {import("./hosts.mjs").Fleet} Fleet */
/** @typedef {{ hostname: string, address: string, registry: string, ca: string, script: string }} Work */
/** @typedef {{ command: string, args: string[], options: import("../run.mjs").RunOptions }} Command */

/**
 * Installs both tools below a folder; undefined when that cannot be.
 *
 * @param {string} folder
 */
export async function install(folder) {
    const python = await run("python3", ["-m", "venv", folder]).catch(() => ({ code: 127 }));
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PINNED];
    const { code, stderr } =
        python.code === 0
            ? await run(join(folder, "bin/python"), pip)
            : { code: python.code, stderr: "python3 has no venv here" };
    if (code === 0) return join(folder, "bin");
    say(`Ansible and pyinfra are left out: ${stderr.trim().split("\n").at(-1)}`);
    return undefined;
}

/** The versions that are measured, for the page. */
export const versions = PINNED.map((pin) => pin.replace("==", " ")).join(" and ");

/**
 * A command on each host by plain ssh: a shell's loop, as fast as it goes.
 *
 * @param {Fleet} fleet
 * @param {readonly string[]} addresses
 * @param {string} command
 * @param {string} script what it gets on standard input
 * @returns {Command}
 */
export function bySsh(fleet, addresses, command, script = "/dev/null") {
    const ssh = ["ssh", "-F", "none", "-i", fleet.privateKeyPath, ...sshOptions(fleet)];
    const each = 'exec <"$1"; host=$2; shift 2; exec "$@" "root@$host" "$COMMAND"';
    return {
        command: "xargs",
        args: ["-P", String(PARALLEL), "-I{}", "sh", "-c", each, "sh", script, "{}", ...ssh],
        options: {
            input: `${addresses.join("\n")}\n`,
            env: { ...process.env, COMMAND: command },
        },
    };
}

/**
 * @param {string} bin
 * @param {Fleet} fleet
 * @param {readonly string[]} addresses
 * @param {"playbook.yml" | "playbook-script.yml"} playbook
 * @param {Work} work
 * @param {string} folder
 * @returns {Command}
 */
export function byAnsible(bin, fleet, addresses, playbook, work, folder) {
    mkdirSync(folder, { recursive: true });
    const inventory = join(folder, "hosts");
    writeFileSync(inventory, `${addresses.join("\n")}\n`);
    const args = ["-i", inventory, "-e", JSON.stringify(work), join(import.meta.dirname, playbook)];
    return {
        command: join(bin, "ansible-playbook"),
        args,
        options: {
            env: {
                ...process.env,
                ANSIBLE_HOME: folder,
                ANSIBLE_FORKS: String(PARALLEL),
                ANSIBLE_PIPELINING: "True",
                ANSIBLE_REMOTE_USER: "root",
                ANSIBLE_PRIVATE_KEY_FILE: fleet.privateKeyPath,
                ANSIBLE_SSH_ARGS: [
                    ...["-F", "none", "-o", "ControlMaster=auto", "-o", "ControlPersist=60s"],
                    ...sshOptions(fleet),
                ].join(" "),
                ANSIBLE_PYTHON_INTERPRETER: "/usr/bin/python3",
                ANSIBLE_INTERPRETER_PYTHON: "/usr/bin/python3",
                ANSIBLE_RETRY_FILES_ENABLED: "False",
            },
        },
    };
}

/**
 * @param {string} bin
 * @param {Fleet} fleet
 * @param {readonly string[]} addresses
 * @param {Work} work
 * @param {string} folder
 * @returns {Command}
 */
export function byPyinfra(bin, fleet, addresses, work, folder) {
    mkdirSync(folder, { recursive: true });
    const data = {
        ...work,
        ssh_user: "root",
        ssh_key: fleet.privateKeyPath,
        ssh_known_hosts_file: fleet.knownHostsPath,
        ssh_strict_host_key_checking: "yes",
    };
    const inventory = join(folder, "inventory.py");
    writeFileSync(inventory, `hosts = (${JSON.stringify(addresses)}, ${JSON.stringify(data)})\n`);
    return {
        command: join(bin, "pyinfra"),
        args: ["-y", inventory, join(import.meta.dirname, "deploy.py")],
        options: { cwd: folder },
    };
}

/** @param {Fleet} fleet */
function sshOptions(fleet) {
    const options = {
        BatchMode: "yes",
        IdentitiesOnly: "yes",
        StrictHostKeyChecking: "yes",
        UserKnownHostsFile: fleet.knownHostsPath,
        GlobalKnownHostsFile: "none",
    };
    return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}
