// @ts-check
// What the Docker host says of the stack's containers and of the disks that they use.
import { inParallel } from "../shared/parallel.mjs";
import { fileSystemIn, mirrorsIn } from "../check/registry.mjs";
import { run } from "../shared/run.mjs";
import { find } from "../shared/state.mjs";
import { DATA } from "../maintenance/registry.mjs";

const PATIENCE_MS = 20_000;
/** Questions of one kind at the same time: each is a login where the Docker host is reached over SSH, and sshd takes few at once. */
export const PARALLEL = 2;
/** How long a disk's files may take to be counted. Unit: seconds. */
const COUNTING_SECONDS = 60;

/** @typedef {import("../shared/state.mjs").Resource} Resource */
/**
 * @typedef {{ role: string, name: string, image: string, status: string | null, health: string | null, startedAt: string | null }} Container
 *     status and health in Docker's words; null where it knows none
 * @typedef {{ name: string, image: string, running: number, wanted: number }} Service
 * @typedef {{ role: string, used: number | null, size: number | null, free: number | null }} Disk in bytes; null when it cannot be asked
 */

/**
 * @param {string} host
 * @param {readonly string[]} args
 * @param {number} [patienceMs]
 */
function docker(host, args, patienceMs = PATIENCE_MS) {
    return run("docker", ["--host", host, ...args], "", patienceMs);
}

/**
 * Docker's version there, or why it does not tell.
 *
 * @param {string} host
 * @returns {Promise<{ version: string, problem: null } | { version: null, problem: string }>}
 */
export async function askDocker(host) {
    try {
        const format = "{{.Server.Version}}";
        const { code, stdout, stderr } = await docker(host, ["version", "--format", format]);
        if (code === 0) return { version: stdout.trim(), problem: null };
        return { version: null, problem: stderr.trim().split("\n").at(-1) ?? `exit ${code}` };
    } catch (error) {
        return { version: null, problem: error instanceof Error ? error.message : String(error) };
    }
}

/**
 * The containers that shall run.
 *
 * @param {Resource[]} resources
 * @param {string} host
 * @returns {Promise<Container[]>}
 */
export async function readContainers(resources, host) {
    const wanted = resources.filter(
        ({ urn, inputs }) =>
            /docker:index\/container:Container::/.test(urn) && inputs.mustRun !== false,
    );
    if (wanted.length === 0) return [];
    const names = wanted.map(({ inputs }) => inputs.name);
    // Of those that are there, also when others are not.
    const { stdout } = await docker(host, ["container", "inspect", ...names]);
    /** @type {any[]} */
    const found = JSON.parse(stdout || "[]");
    return wanted.map(({ urn, inputs }) => {
        const state = found.find(({ Name }) => Name === `/${inputs.name}`)?.State;
        return {
            role: roleOf(urn),
            name: inputs.name,
            image: imageName(resources, inputs.image),
            status: state?.Status ?? null,
            health: state?.Health?.Status ?? null,
            startedAt: state?.Running ? state.StartedAt : null,
        };
    });
}

/**
 * The registry as a service of a Swarm; undefined when it is none.
 *
 * @param {Resource[]} resources
 * @param {string} host
 * @returns {Promise<Service | undefined>}
 */
export async function readService(resources, host) {
    const inputs = find(resources, "registry-server-service")?.inputs;
    if (inputs === undefined) return undefined;
    const filter = ["--filter", `name=${inputs.name}`, "--format", "{{.Name}} {{.Replicas}}"];
    const { stdout } = await docker(host, ["service", "ls", ...filter]);
    const line = stdout.split("\n").find((each) => each.startsWith(`${inputs.name} `));
    return {
        name: inputs.name,
        image: inputs.taskSpec.containerSpec.image,
        running: Number(/ (\d+)\//.exec(line ?? "")?.[1] ?? 0),
        wanted: inputs.mode.replicated.replicas,
    };
}

/**
 * What the registry's own program says that it is; null when that cannot be asked.
 *
 * @param {string} host
 * @param {string} container
 */
export async function readVersion(host, container) {
    const { stdout } = await docker(host, ["exec", container, "registry", "--version"]);
    return / v?(\d+\.\d+\S*)\s*$/.exec(stdout)?.[1] ?? null;
}

/**
 * The disks that images lie on, of the registry and of its mirrors.
 *
 * @param {Resource[]} resources
 * @param {string} host
 * @returns {Promise<Disk[]>}
 */
export async function readDisks(resources, host) {
    const containers = [
        { role: "images", name: "registry-server-container" },
        ...mirrorsIn(resources).map((mirror) => ({
            role: `mirror ${mirror}`,
            name: `registry-mirror-${mirror}-container`,
        })),
    ];
    const places = containers.flatMap(({ role, name }) => {
        const inputs = find(resources, name)?.inputs;
        const hasDisk = inputs?.volumes?.some(
            (/** @type {any} */ { containerPath }) => containerPath === DATA,
        );
        return hasDisk ? [{ role, container: inputs?.name }] : [];
    });
    /** @type {Disk[]} */
    const disks = new Array(places.length);
    await inParallel(places, PARALLEL, async ({ role, container }, index) => {
        disks[index] = { role, ...(await readDisk(host, container)) };
    });
    return disks;
}

/**
 * @param {string} host
 * @param {string} container
 * @returns {Promise<Omit<Disk, "role">>}
 */
async function readDisk(host, container) {
    // Busybox is in the official image and in ours. What is counted ends by itself, also when nobody waits for it.
    const script = `busybox df -Pk ${DATA}; busybox timeout ${COUNTING_SECONDS} busybox du -sk ${DATA}`;
    try {
        const args = ["exec", container, "sh", "-c", script];
        const { stdout } = await docker(host, args, 1000 * (COUNTING_SECONDS + 20));
        const used = /^(\d+)\s+\/var\/lib\/registry$/m.exec(stdout)?.[1];
        const { size = null, available: free = null } = fileSystemIn(stdout) ?? {};
        return { used: used === undefined ? null : Number(used) * 1024, size, free };
    } catch {
        return { used: null, size: null, free: null };
    }
}

/** @param {string} urn */
function roleOf(urn) {
    const name = urn.split("::").at(-1) ?? urn;
    return name
        .replace(/^registry-/, "")
        .replace(/^server-redis-container$/, "Redis")
        .replace(/^server-container$/, "registry")
        .replace(/^gateway-access$/, "accounts of the gateway")
        .replace(/^mirror-(.*)-container$/, "mirror $1")
        .replace(/-container$/, "");
}

/**
 * @param {Resource[]} resources
 * @param {string} id
 */
function imageName(resources, id) {
    const image = resources.find(
        ({ type, outputs }) =>
            type === "docker:index/remoteImage:RemoteImage" && outputs.imageId === id,
    );
    return image?.inputs.name ?? id;
}
