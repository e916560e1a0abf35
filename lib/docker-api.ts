import { spawn } from "node:child_process";
import { get, type RequestOptions } from "node:http";
import { buffer, text } from "node:stream/consumers";
import type { DockerEndpoint } from "./docker-endpoint";

/** What Docker's list of containers says of one, as far as it is used here. */
export interface DockerContainer {
    /** Each with a slash in front. */
    readonly Names: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly Ports: readonly PublishedPort[];
    /** created, running, restarting, exited and so on. */
    readonly State: string;
}

export interface PublishedPort {
    readonly IP?: string;
    readonly PublicPort?: number;
    readonly Type: string;
}

const TIMEOUT_SECONDS = 15;

/**
 * All containers of a Docker host, running or not. Throws when the daemon does not answer.
 *
 * @see https://docs.docker.com/reference/api/engine/ (ContainerList)
 */
export async function listContainers(endpoint: DockerEndpoint): Promise<DockerContainer[]> {
    return (await question(endpoint, "/containers/json?all=true")) as DockerContainer[];
}

/**
 * Whether a Docker host can be told what a Swarm shall run. Throws when the daemon does not answer.
 *
 * @see https://docs.docker.com/reference/api/engine/ (SystemInfo)
 */
export async function isSwarmManager(endpoint: DockerEndpoint): Promise<boolean> {
    const info = (await question(endpoint, "/info")) as {
        readonly Swarm?: { readonly ControlAvailable?: boolean };
    };
    return info.Swarm?.ControlAvailable === true;
}

async function question(endpoint: DockerEndpoint, path: string): Promise<unknown> {
    const answer =
        endpoint.scheme === "ssh"
            ? await askOverSsh(endpoint, path)
            : await ask(
                  endpoint.scheme === "unix"
                      ? { socketPath: endpoint.path }
                      : { host: endpoint.host, port: endpoint.port },
                  path,
              );
    if (answer.status !== 200) {
        throw new Error(`it answered ${answer.status}: ${answer.body.trim()}`);
    }
    return JSON.parse(answer.body);
}

interface Answer {
    readonly status: number;
    readonly body: string;
}

function ask(where: RequestOptions, path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const options = { ...where, path, headers: { host: "docker" }, agent: false };
        const call = get(options, (response) => {
            text(response).then(
                (body) => resolve({ status: response.statusCode ?? 0, body }),
                reject,
            );
        });
        call.setTimeout(TIMEOUT_SECONDS * 1000, () =>
            call.destroy(new Error(`no answer in ${TIMEOUT_SECONDS} s`)),
        );
        call.on("error", reject);
    });
}

/** As Docker's own clients do it: the daemon's socket, carried by OpenSSH with the user's settings and keys. */
async function askOverSsh(
    endpoint: DockerEndpoint & { scheme: "ssh" },
    path: string,
): Promise<Answer> {
    const target = endpoint.user === "" ? endpoint.host : `${endpoint.user}@${endpoint.host}`;
    const options = ["-o", "BatchMode=yes", "-o", `ConnectTimeout=${TIMEOUT_SECONDS}`, "-T"];
    const ssh = spawn(
        "ssh",
        [...options, "-p", String(endpoint.port), "--", target, "docker", "system", "dial-stdio"],
        { stdio: ["pipe", "pipe", "pipe"], timeout: 2 * TIMEOUT_SECONDS * 1000, env: process.env },
    );
    // Version 1.0: the daemon ends the connection after its answer and does not cut it into chunks.
    ssh.stdin.on("error", () => undefined);
    ssh.stdin.end(`GET ${path} HTTP/1.0\r\nHost: docker\r\n\r\n`);
    const ended = new Promise<void>((resolve, reject) => {
        ssh.on("error", reject);
        ssh.on("close", () => resolve());
    });
    const [output, complaint] = await Promise.all([buffer(ssh.stdout), text(ssh.stderr), ended]);
    const match = /^HTTP\/1\.\d (\d{3})[^]*?\r\n\r\n([^]*)$/.exec(output.toString("utf8"));
    if (match === null) {
        throw new Error(complaint.trim().split("\n").at(-1) || "ssh ended without an answer");
    }
    return { status: Number(match[1]), body: match[2] ?? "" };
}
