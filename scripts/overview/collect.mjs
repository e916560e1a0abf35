// @ts-check
// Asks everybody who knows something of the registry. What cannot be asked is left out, and said.
import { checkClients, clientsOf } from "../check/clients.mjs";
import {
    certificatesIn,
    checkAnswers,
    checkCertificates,
    checkDockerHost,
} from "../check/registry.mjs";
import { find } from "../shared/state.mjs";
import { within } from "../shared/within.mjs";
import { Images } from "../maintenance/images.mjs";
import { registryIn } from "../maintenance/registry.mjs";
import { accountsIn } from "./accounts.mjs";
import { askDocker, readContainers, readDisks, readService, readVersion } from "./docker-host.mjs";
import { API_LIMITS, FILE_LIMITS, MARK, NO_LIMITS, readHoldings } from "./holdings.mjs";
import { StoredImages } from "./stored-images.mjs";
import { readUses } from "./uses.mjs";

/** @typedef {import("../shared/state.mjs").Resource} Resource */
/** @typedef {import("./holdings.mjs").Holdings} Holdings */
/** @typedef {import("./uses.mjs").Uses} Uses */
/** @typedef {Awaited<ReturnType<typeof collect>>} Facts nothing in them is secret */
/** @typedef {(topic: string, text: string) => void} Say tells what this is at */

/** How long the repositories may take, unless all of them are asked for. */
const PATIENCE_MS = 300_000;

/**
 * @param {Resource[]} resources of a stack that was deployed
 * @param {string} stack as it was given; empty for the selected one
 * @param {{ isComplete: boolean, say: Say }} options isComplete: whether all repositories and tags are read
 */
export async function collect(resources, stack, { isComplete, say }) {
    const host = find(resources, "registry-docker")?.inputs.host ?? "";
    say("", "Docker host and certificates");
    const docker = await askDocker(host);
    const hasDocker = docker.problem === null;
    // These keep this program from doing anything else, so nothing that has a time limit runs beside them.
    const checks = [
        ...(hasDocker
            ? checkDockerHost(resources, stack)
            : [{ part: "Docker", text: `does not answer: ${docker.problem}`, isFine: false }]),
        ...checkAnswers(resources),
        ...checkCertificates(resources),
    ];
    const accounts = accountsIn(resources, stack);
    const containers = hasDocker ? await orElse(readContainers(resources, host), []) : [];
    // Looking at a volume that is gone would make it anew; that of a container is not.
    const hasFiles = containers.some(({ role, status }) => role === "registry" && status !== null);
    const [hosts, { settings, holdings }, onDockerHost] = await Promise.all([
        readHosts(resources, say),
        readRegistry(resources, stack, { hasFiles, isComplete, say }),
        hasDocker ? readDockerHost(resources, host) : UNKNOWN,
    ]);
    const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
    return {
        now: Date.now(),
        stack: /^urn:pulumi:([^:]+)::/.exec(resources[0]?.urn ?? "")?.[1] ?? stack,
        url: String(outputs?.url ?? ""),
        mirrors: /** @type {Record<string, string>} */ (outputs?.mirrors ?? {}),
        image: find(resources, "registry-server-image")?.inputs.name ?? null,
        hasGateway: find(resources, "registry-gateway-container") !== undefined,
        settings,
        docker: { host, ...docker },
        checks,
        certificates: certificatesIn(resources),
        accounts,
        hosts,
        holdings,
        containers,
        ...onDockerHost,
    };
}

/**
 * @param {Resource[]} resources
 * @param {Say} say
 */
async function readHosts(resources, say) {
    const clients = clientsOf(resources);
    let looked = 0;
    const findings = await checkClients(clients, false, () =>
        say("hosts", `${++looked} of ${clients.length} client hosts`),
    );
    return findings.map(({ client: { name, address }, resolves, files, proof, differs }) => ({
        name,
        address,
        resolves,
        files,
        proof,
        differs,
    }));
}

/**
 * What the registry was set up to do, and what it holds. The account that asks it stays in here.
 *
 * @param {Resource[]} resources
 * @param {string} stack
 * @param {{ hasFiles: boolean, isComplete: boolean, say: Say }} options hasFiles: whether its volume or folder is there to be read
 */
async function readRegistry(resources, stack, { hasFiles, isComplete, say }) {
    try {
        const registry = registryIn(resources, stack, { mayBeService: true });
        const { isReadOnly, isDeleteEnabled, bucket, data } = registry;
        const settings = { isReadOnly, isDeleteEnabled, bucket, data };
        const isInFiles = bucket === undefined && hasFiles;
        const images = isInFiles ? new StoredImages(registry) : new Images(registry, MARK);
        const limits = isComplete ? NO_LIMITS : isInFiles ? FILE_LIMITS : API_LIMITS;
        const reading = readHoldings(images, limits, (text) => say("repositories", text));
        return {
            settings,
            holdings: await (isComplete ? reading : within(reading, PATIENCE_MS).catch(unread)),
        };
    } catch (error) {
        return { settings: undefined, holdings: unread(error) };
    }
}

/**
 * @param {unknown} error
 * @returns {Holdings}
 */
function unread(error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { known: 0, isMore: false, repositories: [], problem };
}

/**
 * @typedef {object} OnDockerHost
 * @property {import("./docker-host.mjs").Service | undefined} service
 * @property {string | null} version of the registry
 * @property {import("./docker-host.mjs").Disk[]} disks
 * @property {Uses} uses
 */

/** @type {OnDockerHost} */
const UNKNOWN = {
    service: undefined,
    version: null,
    disks: [],
    uses: { since: null, last: new Map(), problem: "Docker does not answer" },
};

/**
 * @param {Resource[]} resources
 * @param {string} host
 * @returns {Promise<OnDockerHost>}
 */
async function readDockerHost(resources, host) {
    const container = find(resources, "registry-server-container")?.inputs.name;
    const service = await orElse(readService(resources, host), UNKNOWN.service);
    const version =
        container === undefined ? null : await orElse(readVersion(host, container), null);
    const [disks, uses] = await Promise.all([readDisks(resources, host), readUses(resources)]);
    return { service, version, disks, uses };
}

/**
 * What Docker did not tell in time is not known; that there is something wrong with it, the checks say.
 *
 * @template T
 * @param {Promise<T>} asked
 * @param {T} unknown
 * @returns {Promise<T>}
 */
function orElse(asked, unknown) {
    return asked.catch(() => unknown);
}
