// @ts-check
// The stack's registry for maintenance runs: where it is, commands inside its container, and one run at a time.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { hostname, userInfo } from "node:os";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { run } from "../shared/run.mjs";
import { EVERYTHING, rightsIn } from "../shared/rights.mjs";
import { find, readResources } from "../shared/state.mjs";

/** Where the settings are inside the registry's container. */
export const SETTINGS = "/etc/private-registry";
/** And the images. */
export const DATA = "/var/lib/registry";
/** Exit code of hold.sh when another maintenance run has the lock. */
const BUSY = 75;

/**
 * @typedef {object} Registry
 * @property {string} stack as it was given; empty for the selected one
 * @property {string} container name
 * @property {string} host of Docker, as its --host option has it
 * @property {string} image id
 * @property {string} settingsVolume name
 * @property {string} data name of the volume with the images, or the folder on the Docker host; empty where it is a bucket
 * @property {string | undefined} bucket that holds the images, as messages call it
 * @property {boolean} isCacheKept whether what it knows of blobs outlives a restart: in a Redis that it cannot empty
 * @property {boolean} isReadOnly by its configuration
 * @property {boolean} isDeleteEnabled
 * @property {string} hostname that its certificate is for
 * @property {string} address at which this machine reaches it
 * @property {number} port
 * @property {string} caBundle PEM
 * @property {readonly [string, string] | undefined} account that may do everything, with its password; secret
 */

/** @typedef {{ code: number, stdout: string, stderr: string }} Result */

/** Says what is wrong and what to do, and ends this program. */
export class MaintenanceError extends Error {}

/**
 * What the last `up` made, from the stack's state. Does not ask Docker.
 *
 * @param {string} stack
 * @param {{ mayBeService?: boolean }} [options] mayBeService: replicas of a Swarm will do, which have no container to hold
 * @returns {Registry}
 */
export function findRegistry(stack, options) {
    return registryIn(readResources(stack), stack, options);
}

/**
 * The same from resources that were read already.
 *
 * @param {import("../shared/state.mjs").Resource[]} resources
 * @param {string} stack
 * @param {{ mayBeService?: boolean }} [options]
 * @returns {Registry}
 */
export function registryIn(resources, stack, { mayBeService = false } = {}) {
    const service = find(resources, "registry-server-service");
    if (service !== undefined && !mayBeService) {
        const { name, mode } = service.inputs;
        throw new MaintenanceError(
            `${name} is a service of a Swarm with ${mode.replicated.replicas} replicas, and this needs one container that it can hold. The bucket serves one as well: set swarm to false, take replicas out, run: npm run up, this, and then the same way back`,
        );
    }
    const container = service ?? find(resources, "registry-server-container");
    const loader = find(resources, "registry-server-loader");
    const proof = find(resources, "registry-proof-command");
    const upload = (/** @type {string} */ name) =>
        loader?.inputs.uploads.find((/** @type {any} */ { file }) => file === `/load/${name}`)
            ?.content;
    const answer = /\nprove\((.*)\);\n$/s.exec(proof?.inputs.stdin ?? "")?.[1];
    const up = `npm run up${stack === "" ? "" : ` -- --stack ${stack}`}`;
    if (container === undefined || answer === undefined) {
        throw new MaintenanceError(`the stack has no registry; run: ${up}`);
    }
    if (service === undefined && upload("hold.sh") === undefined) {
        throw new MaintenanceError(
            `the registry was made by a version without maintenance runs; run: ${up}`,
        );
    }
    const config = find(resources, "registry-server-config-yml")?.inputs.data;
    const { storage } = JSON.parse(
        config === undefined ? upload("config.yml") : Buffer.from(config, "base64").toString(),
    );
    const { hostname: name, address, port, caBundle, passwords } = JSON.parse(answer);
    /** @type {{ containerPath: string, readOnly?: boolean, volumeName?: string, hostPath?: string }[]} */
    const volumes = container.inputs.volumes ?? [];
    const settings = volumes.find(({ readOnly }) => readOnly);
    const data = volumes.find(({ containerPath }) => containerPath === DATA);
    const rights = rightsIn(find(resources, "registry-gateway-loader")?.inputs);
    return {
        stack,
        container: container.inputs.name,
        host: find(resources, "registry-docker")?.inputs.host ?? "",
        image: container.inputs.image ?? container.inputs.taskSpec.containerSpec.image,
        settingsVolume: settings?.volumeName ?? "",
        data: data?.volumeName ?? data?.hostPath ?? "",
        bucket: storage.s3 && bucketName({ ...storage.s3, endpoint: storage.s3.regionendpoint }),
        isCacheKept:
            storage.cache.blobdescriptor === "redis" && upload("redis-forget") === undefined,
        isReadOnly: storage.maintenance.readonly.enabled,
        isDeleteEnabled: storage.delete.enabled,
        hostname: name,
        address,
        port,
        caBundle,
        account: Object.entries(passwords).find(
            ([name]) => Object.keys(rights).length === 0 || rights[name] === EVERYTHING,
        ),
    };
}

/**
 * What messages call a bucket; as in lib/storage-config.ts, which takes a second to load.
 *
 * @param {{ bucket: string, region: string, endpoint?: string }} storage
 */
export function bucketName({ bucket, region, endpoint }) {
    return `the bucket ${bucket} at ${endpoint ?? `Amazon's S3 in ${region}`}`;
}

/**
 * Runs docker for this registry's host, without a shell.
 *
 * @param {{ host: string }} registry
 * @param {readonly string[]} args
 * @param {string} [input]
 * @returns {Promise<Result>}
 */
export function docker({ host }, args, input = "") {
    return run("docker", ["--host", host, ...args], input);
}

/**
 * A maintenance run: one command inside the registry's container that has its lock, and with it the read-only
 * registry when it asked for that. The registry is as it was again when the command and all that it started are gone.
 *
 * @typedef {object} Hold
 * @property {AsyncIterable<string>} lines that the command prints
 * @property {Promise<string>} complaint what it says on its standard error
 * @property {(line: string) => void} say writes a line to the command's input
 * @property {() => void} letGo closes the command's input
 * @property {() => Promise<void>} abort ends the command and all that it started
 * @property {Promise<number>} ended with the command's exit code
 */

/**
 * Waits until running transfers have ended, when the registry has to be read-only.
 *
 * @param {Registry} registry
 * @param {string} what the run is called
 * @param {readonly string[]} command
 * @param {{ isReadOnly?: boolean }} [options]
 * @returns {Promise<Hold>}
 */
export async function hold(registry, what, command, { isReadOnly = false } = {}) {
    const mode = isReadOnly ? "read-only" : "as-it-is";
    const script = `${SETTINGS}/hold.sh`;
    const args = ["--host", registry.host, "exec", "--interactive", registry.container];
    const child = spawn("docker", [...args, "sh", script, mode, describe(what), ...command], {
        // A Ctrl-C is for this program, which knows what has to be done about it.
        detached: true,
    });
    child.stdin.on("error", () => undefined);
    const ended = once(child, "close").then(([code]) => code ?? 1);
    const errors = text(child.stderr);
    const reader = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = (await reader.next()).value ?? "";
    const holder = /^held (\d+)$/.exec(first)?.[1];
    if (holder === undefined) {
        const code = await ended;
        throw new MaintenanceError(refusal(registry, code, first, (await errors).trim()));
    }
    return {
        lines: { [Symbol.asyncIterator]: () => reader },
        complaint: errors,
        say: (line) => void child.stdin.write(`${line}\n`),
        letGo: () => void child.stdin.end(),
        abort: async () => {
            const kill = `kill -TERM -${holder}`;
            await docker(registry, ["exec", registry.container, "sh", "-c", kill]);
        },
        ended,
    };
}

/**
 * Does some work while no other maintenance run is at work on this registry. When this program dies, its lock is gone.
 *
 * @template T
 * @param {Registry} registry
 * @param {string} what the run is called, as another one that is refused shows it
 * @param {() => Promise<T>} work
 * @param {{ isReadOnly?: boolean }} [options] isReadOnly: the registry refuses pushes meanwhile
 * @returns {Promise<T>}
 */
export async function withLock(registry, what, work, options) {
    // Ends with its input, and that ends with this program, however it ends.
    const lock = await hold(registry, what, ["cat"], options);
    try {
        return await work();
    } finally {
        lock.letGo();
        await lock.ended;
    }
}

/** @param {string} what */
function describe(what) {
    const since = new Date().toISOString().replace(/\.\d+/, "");
    return `${what}, started ${since} by ${userInfo().username} on ${hostname()} (process ${process.pid})`;
}

/**
 * @param {Registry} registry
 * @param {number} code
 * @param {string} said
 * @param {string} complaint
 */
function refusal({ container, stack }, code, said, complaint) {
    const option = stack === "" ? "" : ` -- --stack ${stack}`;
    if (code === BUSY) {
        return `another maintenance run is at work on ${container}: ${said.replace(/^busy /, "")}\n  Run this again when that one has ended. Nothing was changed.`;
    }
    if (said === "refused") {
        return `${container} does not do as it is told; what is wrong with it: npm run doctor${option}`;
    }
    return `no maintenance run in ${container}: ${complaint || said || `exit ${code}`}\n  What is wrong with it: npm run doctor${option}`;
}
