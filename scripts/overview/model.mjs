// @ts-check
// The status of a registry as plain data, made of what was collected: the same for the terminal, the page and programs. Texts
// of others are made plain here. Nothing of it is secret.
import { X509Certificate } from "node:crypto";
import { ANSWERS, stateOf } from "../check/registry.mjs";
import { sum } from "./holdings.mjs";
import { plain } from "./plain-text.mjs";

/** @typedef {import("./collect.mjs").Facts} Facts */
/** @typedef {import("../check/registry.mjs").State} State */

/**
 * Times are RFC 3339 in UTC, sizes bytes; null is what is not known.
 *
 * @typedef {object} Status
 * @property {string} lookedAt
 * @property {string} stack
 * @property {{ state: State, reasons: string[] }} verdict
 * @property {Registry} registry
 * @property {Container[]} containers
 * @property {{ part: string, state: State, text: string }[]} checks
 * @property {Certificate[]} certificates
 * @property {{ logsSince: string | null, problem: string | null, list: Account[] }} accounts
 * @property {Host[]} hosts
 * @property {Repositories} repositories
 * @property {{ role: string, where: string, used: number | null, free: number | null, size: number | null }[]} disks
 *
 * @typedef {object} Registry
 * @property {string} url
 * @property {boolean} answers whether it does, as it should
 * @property {string | null} image
 * @property {string | null} version
 * @property {string | null} startedAt
 * @property {boolean} hasGateway
 * @property {{ running: number, wanted: number } | null} replicas of a Swarm
 * @property {boolean | null} isReadOnly
 * @property {boolean | null} isDeleteEnabled
 * @property {string | null} storage
 * @property {{ registry: string, address: string }[]} mirrors
 * @property {{ host: string, version: string | null }} docker
 *
 * @typedef {{ role: string, name: string, image: string, state: State, text: string, startedAt: string | null }} Container
 *
 * @typedef {object} Certificate
 * @property {string} name
 * @property {State} state
 * @property {string} from
 * @property {string} until
 * @property {number} daysLeft
 * @property {string} renewedFrom when an `up` begins to renew it
 * @property {boolean} isSigning whether it signed the server's
 * @property {string} fingerprint SHA-256
 *
 * @typedef {{ name: string, team: string | null, permissions: string, lastUse: { at: string, kind: string } | null }} Account
 * @typedef {{ name: string, address: string, state: State, resolves: string, files: string, proof: string, differs: string[] }} Host
 *
 * @typedef {object} Repositories
 * @property {Repository[]} list
 * @property {number} known
 * @property {boolean} isMore whether there may be more than these
 * @property {number | null} bytes what repositories share counted once
 * @property {number | null} bytesApart the sizes of all of them together
 * @property {boolean} isWhole whether these are the sizes of everything
 * @property {string | null} problem
 *
 * @typedef {object} Repository
 * @property {string} name
 * @property {{ name: string, bytes: number | null }[]} tags
 * @property {number} bytes what its tags share counted once
 * @property {boolean} isWhole whether that is the size of all its tags
 * @property {string | null} problem
 */

const HOUR_MS = 3_600_000;

/**
 * @param {Facts} facts
 * @returns {Status}
 */
export function statusOf(facts) {
    const checks = facts.checks.map(({ part, text, ...finding }) => ({
        part: plain(part),
        state: stateOf(finding),
        text: plain(text),
    }));
    const hosts = facts.hosts.map(hostOf);
    const registry = registryOf(facts);
    const containers = facts.containers.map(containerOf);
    return {
        lookedAt: timeOf(facts.now),
        stack: facts.stack,
        verdict: judge(checks, hosts, containers, registry),
        registry,
        containers,
        checks,
        certificates: certificatesOf(facts),
        accounts: accountsOf(facts),
        hosts,
        repositories: repositoriesOf(facts.holdings),
        disks: disksOf(facts),
    };
}

/**
 * @param {Status["checks"]} checks
 * @param {Host[]} hosts
 * @param {Container[]} containers
 * @param {Registry} registry
 * @returns {Status["verdict"]}
 */
function judge(checks, hosts, containers, { replicas }) {
    const differing = hosts.filter(({ state }) => state !== "ok").length;
    const wrong = [
        ...checks
            .filter(({ state }) => state === "WRONG")
            .map(({ part, text }) => `${part}: ${text}`),
        // Of those that do not run the checks tell.
        ...containers.filter(isUnhealthy).map(({ role, text }) => `container ${role}: ${text}`),
        ...(replicas === null || replicas.running >= replicas.wanted
            ? []
            : [`${replicas.running} of ${replicas.wanted} replicas run`]),
        ...(differing === 0 ? [] : [`${differing} of ${hosts.length} client hosts differ`]),
    ];
    const due = checks
        .filter(({ state }) => state === "due")
        .map(({ part, text }) => `${part}: ${text}`);
    return {
        state: stateOf({ isFine: wrong.length === 0, isDue: due.length > 0 }),
        reasons: [...wrong.map((text) => `WRONG: ${text}`), ...due.map((text) => `due: ${text}`)],
    };
}

/** @param {Container} container */
function isUnhealthy({ state, text }) {
    return state === "WRONG" && text.startsWith("running");
}

/**
 * @param {Facts} facts
 * @returns {Registry}
 */
function registryOf({
    url,
    image,
    checks,
    mirrors,
    hasGateway,
    settings,
    docker,
    containers,
    service,
    version,
}) {
    const container = containers.find(({ role }) => role === "registry");
    return {
        url,
        answers: checks.some(({ part, isFine }) => part === ANSWERS && isFine),
        image: service?.image ?? image,
        version: version === null ? null : plain(version),
        startedAt: timeOrNull(container?.startedAt),
        hasGateway,
        replicas:
            service === undefined ? null : { running: service.running, wanted: service.wanted },
        isReadOnly: settings?.isReadOnly ?? null,
        isDeleteEnabled: settings?.isDeleteEnabled ?? null,
        storage: settings === undefined ? null : placeOf(settings),
        mirrors: Object.entries(mirrors).map(([registry, address]) => ({ registry, address })),
        docker: { host: docker.host, version: docker.version && plain(docker.version) },
    };
}

/** @param {NonNullable<Facts["settings"]>} settings */
function placeOf({ bucket, data }) {
    return plain(bucket ?? (data.startsWith("/") ? `folder ${data}` : `volume ${data}`));
}

/**
 * @param {Facts["containers"][number]} container
 * @returns {Container}
 */
function containerOf({ role, name, image, status, health, startedAt }) {
    const isFine = status === "running" && health !== "unhealthy";
    const text = [status ?? "is gone", ...(health === null ? [] : [health])].join(", ");
    return {
        role,
        name,
        image,
        state: stateOf({ isFine }),
        text,
        startedAt: timeOrNull(startedAt),
    };
}

/**
 * @param {Facts} facts
 * @returns {Certificate[]}
 */
function certificatesOf({ certificates, checks, now }) {
    const read = certificates.map((each) => ({ ...each, x509: new X509Certificate(each.certPem) }));
    const server = read.find(({ part }) => part === "certificate")?.x509;
    return read.map(({ part, x509, earlyRenewalHours }) => {
        const until = Date.parse(x509.validTo);
        const { isFine = true, isDue } = checks.find((check) => check.part === part) ?? {};
        return {
            name: x509 === server ? "server" : part,
            state: stateOf({ isFine, isDue }),
            from: timeOf(Date.parse(x509.validFrom)),
            until: timeOf(until),
            daysLeft: Math.floor((until - now) / (24 * HOUR_MS)),
            renewedFrom: timeOf(until - earlyRenewalHours * HOUR_MS),
            isSigning:
                server !== undefined &&
                x509 !== server &&
                server.checkIssued(x509) &&
                server.verify(x509.publicKey),
            fingerprint: x509.fingerprint256,
        };
    });
}

/**
 * @param {Facts} facts
 * @returns {Status["accounts"]}
 */
function accountsOf({ accounts, uses: { since, last, problem } }) {
    return {
        logsSince: since,
        problem: problem === null ? null : plain(problem),
        list: accounts.map((account) => ({ ...account, lastUse: last.get(account.name) ?? null })),
    };
}

/**
 * @param {Facts["hosts"][number]} host
 * @returns {Host}
 */
function hostOf({ name, address, resolves, files, proof, differs }) {
    return {
        name,
        address: plain(address),
        state: stateOf({ isFine: differs.length === 0 }),
        resolves: plain(resolves),
        files: plain(files),
        proof: plain(proof),
        differs: differs.map(plain),
    };
}

/**
 * @param {Facts["holdings"]} holdings
 * @returns {Repositories}
 */
function repositoriesOf({ known, isMore, repositories, problem }) {
    const list = repositories.map(({ name, tags, blobs, ...repository }) => ({
        name: plain(name),
        tags: tags.map((tag) => ({ name: plain(tag.name), bytes: tag.bytes })),
        bytes: sum(blobs.values()),
        isWhole: repository.problem === null && tags.every(({ bytes }) => bytes !== null),
        problem: repository.problem === null ? null : plain(repository.problem),
    }));
    const blobs = new Map(repositories.flatMap((repository) => [...repository.blobs]));
    const isKnown = problem === null || repositories.length > 0;
    return {
        list,
        known,
        isMore,
        bytes: isKnown ? sum(blobs.values()) : null,
        bytesApart: isKnown ? sum(list.map(({ bytes }) => bytes)) : null,
        isWhole:
            problem === null &&
            !isMore &&
            known === list.length &&
            list.every(({ isWhole }) => isWhole),
        problem: problem === null ? null : plain(problem),
    };
}

/**
 * @param {Facts} facts
 * @returns {Status["disks"]}
 */
function disksOf({ disks, settings, docker }) {
    const place = settings === undefined ? "" : placeOf(settings);
    const known = disks.map(({ role, ...disk }) => ({
        role,
        where: role === "images" ? `${place} on ${docker.host}` : `its volume on ${docker.host}`,
        ...disk,
    }));
    return settings?.bucket === undefined
        ? known
        : [{ role: "images", where: place, used: null, free: null, size: null }, ...known];
}

/** @param {number} milliseconds */
function timeOf(milliseconds) {
    return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}

/** @param {string | null | undefined} time */
function timeOrNull(time) {
    return time === null || time === undefined ? null : timeOf(Date.parse(time));
}
