// @ts-check
// What a status says, in words: sections with facts or a table each, which the terminal and the page show in their own way.
import { counted, day, instant, numeral, size, span } from "./words.mjs";

/** @typedef {import("./model.mjs").Status} Status */
/** @typedef {import("./model.mjs").State} State */

/**
 * What stands in one place of a table.
 *
 * @typedef {object} Cell
 * @property {string} text
 * @property {State} [state] that the text says
 * @property {string[]} [items] of which the text is a summary
 * @property {{ now: number, renewal: number }} [life] how much of a certificate's is over, and when its renewal begins: 0 to 1
 *
 * @typedef {object} Section
 * @property {string} id
 * @property {string} title
 * @property {string[]} columns none where the rows are facts: a name and what is so called
 * @property {(string | Cell)[][]} rows the first cell of a row names it
 * @property {string[]} notes
 */

/** Names that a summary of tags has at most. */
const SUMMARY = 3;

/**
 * @param {Status} status
 * @param {{ rows?: number }} [limit] how many rows a table has at most; what is wrong is never left out
 * @returns {Section[]}
 */
export function sectionsOf(status, { rows = Infinity } = {}) {
    return [
        registry(status),
        certificates(status),
        accounts(status),
        hosts(status, rows),
        repositories(status, rows),
        disks(status),
        containers(status),
        checks(status),
    ];
}

/**
 * @param {Status} status
 * @returns {Section}
 */
function registry({ registry, lookedAt }) {
    const { url, answers, version, image, startedAt, replicas, docker } = registry;
    return {
        id: "registry",
        title: "Registry",
        columns: [],
        rows: [
            ["address", url],
            [
                "answers",
                {
                    text: answers ? "yes" : "not as it should: see the checks",
                    state: answers ? "ok" : "WRONG",
                },
            ],
            ["version", `${version ?? "not known"}${image === null ? "" : ` (image ${image})`}`],
            ...(startedAt === null ? [] : [["runs since", sinceWhen(startedAt, lookedAt)]]),
            ["mode", modeOf(registry)],
            ...(replicas === null
                ? []
                : [
                      [
                          "replicas",
                          `${replicas.running} of ${replicas.wanted} run, as a service of a Swarm`,
                      ],
                  ]),
            ["storage", registry.storage ?? "not known"],
            ...registry.mirrors.map(({ registry: of, address }) => [`mirror of ${of}`, address]),
            [
                "Docker host",
                `${docker.host}, ${docker.version === null ? "does not answer" : `Docker ${docker.version}`}`,
            ],
        ],
        notes:
            replicas === null
                ? []
                : [
                      "Of the replicas, which may be on other machines, only their number is seen from here.",
                  ],
    };
}

/**
 * @param {Status} status
 * @returns {Section}
 */
function containers({ containers, lookedAt }) {
    return {
        id: "containers",
        title: "Containers",
        columns: ["Container", "State", "Docker says", "Runs since", "Name", "Image"],
        rows: containers.map(({ role, state, text, startedAt, name, image }) => [
            role,
            { text: state, state },
            text,
            startedAt === null ? "" : sinceWhen(startedAt, lookedAt),
            name,
            image,
        ]),
        notes: containers.length === 0 ? ["Docker told of none."] : [],
    };
}

/** @param {Status["registry"]} registry */
function modeOf({ hasGateway, isReadOnly, isDeleteEnabled }) {
    return [
        hasGateway ? "behind a gateway" : "without a gateway",
        ...(isReadOnly === null
            ? []
            : [isReadOnly ? "read-only: pushes are refused" : "takes pushes"]),
        ...(isDeleteEnabled === null || isReadOnly
            ? []
            : [`images ${isDeleteEnabled ? "can" : "cannot"} be deleted`]),
    ].join(", ");
}

/**
 * @param {Status} status
 * @returns {Section}
 */
function checks({ checks }) {
    return {
        id: "checks",
        title: "Checks",
        columns: ["What", "State", "Found"],
        rows: checks.map(({ part, state, text }) => [part, { text: state, state }, text]),
        notes: [],
    };
}

/**
 * @param {Status} status
 * @returns {Section}
 */
function certificates({ certificates, lookedAt }) {
    return {
        id: "certificates",
        title: "Certificates",
        columns: [
            "Certificate",
            "State",
            "From",
            "An up renews it from",
            "Until",
            "Days left",
            "Life",
            "SHA-256",
        ],
        rows: certificates.map((certificate) => [
            `${certificate.name}${certificate.isSigning ? " (signs)" : ""}`,
            { text: certificate.state, state: certificate.state },
            day(certificate.from),
            day(certificate.renewedFrom),
            day(certificate.until),
            String(certificate.daysLeft),
            lifeOf(certificate, lookedAt),
            certificate.fingerprint,
        ]),
        notes: [],
    };
}

/**
 * @param {Status["certificates"][number]} certificate
 * @param {string} lookedAt
 * @returns {Cell}
 */
function lifeOf({ from, until, renewedFrom }, lookedAt) {
    const start = Date.parse(from);
    const length = Date.parse(until) - start;
    const part = (/** @type {string} */ time) =>
        Math.min(1, Math.max(0, (Date.parse(time) - start) / length));
    const now = part(lookedAt);
    const renewal = part(renewedFrom);
    const percent = (/** @type {number} */ share) => `${Math.round(share * 100)} %`;
    return {
        text: `${percent(now)} of its life is over; in the last ${percent(1 - renewal)} an up renews it`,
        life: { now, renewal },
    };
}

/**
 * @param {Status} status
 * @returns {Section}
 */
function accounts({ accounts: { list, logsSince, problem } }) {
    const note =
        logsSince === null
            ? "The logs have nothing that would tell of uses."
            : `The logs reach back to ${instant(logsSince)}; a use is a request for a repository, and a login alone is none.`;
    return {
        id: "teams",
        title: "Teams",
        columns: ["Account", "Team", "May do", "Last use"],
        rows: list.map(({ name, team, permissions, lastUse }) => [
            name,
            team ?? "not in the configuration",
            permissions,
            lastUse !== null
                ? `${instant(lastUse.at)} (${lastUse.kind})`
                : logsSince === null
                  ? "not known"
                  : "none in the logs",
        ]),
        notes: [problem === null ? note : `The logs could not be read whole: ${problem}`],
    };
}

/**
 * @param {Status} status
 * @param {number} limit
 * @returns {Section}
 */
function hosts({ hosts }, limit) {
    const shown = first(
        hosts,
        limit,
        (a, b) => Number(b.state !== "ok") - Number(a.state !== "ok"),
    );
    const wrong = hosts.filter(({ state }) => state !== "ok");
    const list = shown.length < wrong.length ? wrong : shown;
    const left = hosts.length - list.length;
    return {
        id: "hosts",
        title: "Client hosts",
        columns: ["Host", "State", "Address", "Name is", "Files", "TLS", "What differs"],
        rows: list.map(({ name, state, address, resolves, files, proof, differs }) => [
            name,
            { text: state, state },
            address,
            resolves,
            files,
            proof,
            differs.join("; "),
        ]),
        notes: [
            ...(hosts.length === 0 ? ["There are no client hosts."] : []),
            ...(left === 0
                ? []
                : [`${counted(left, "host")} more ${left === 1 ? "is" : "are"} ok.`]),
        ],
    };
}

/**
 * @param {Status} status
 * @param {number} limit
 * @returns {Section}
 */
function repositories({ repositories }, limit) {
    const { list, known, isMore, problem } = repositories;
    const shown = first(list, limit, (a, b) => b.bytes - a.bytes);
    const left = list.length - shown.length;
    const unread = known - list.length;
    return {
        id: "repositories",
        title: "Repositories",
        columns: ["Repository", "Size", "Tags"],
        rows: shown.map((repository) => [
            repository.name,
            `${repository.isWhole ? "" : "at least "}${size(repository.bytes)}`,
            tagsOf(repository),
        ]),
        notes: [
            ...(problem === null ? [] : [`Not all could be read: ${problem}`]),
            ...sizeOf(repositories),
            ...(left === 0
                ? []
                : [`The largest are shown; ${numeral(left)} more: --all, --html or --json.`]),
            ...(unread === 0 && !isMore
                ? []
                : [
                      `Tags and sizes of ${numeral(unread)}${isMore ? " or more" : ""} were not read: --all.`,
                  ]),
        ],
    };
}

/**
 * @param {Status["repositories"]} repositories
 * @returns {string[]}
 */
function sizeOf({ known, isMore, bytes, bytesApart, isWhole, problem }) {
    if (known === 0 && problem === null) return ["There are none."];
    if (bytes === null || bytesApart === null) return [];
    const many = `${counted(known, "repository", "repositories")}${isMore ? " or more" : ""}`;
    const least = isWhole ? "" : "at least ";
    return [
        `${many}, together ${least}${size(bytes)} with what they share counted once (${size(bytesApart)} apart), without what no tag names.`,
    ];
}

/**
 * @param {Status["repositories"]["list"][number]} repository
 * @returns {Cell}
 */
function tagsOf({ tags, problem }) {
    if (problem !== null) return { text: problem, state: "WRONG" };
    const names = tags.slice(0, SUMMARY).map(({ name }) => name);
    const rest = tags.length > SUMMARY ? ", …" : "";
    return {
        text: tags.length === 0 ? "none" : `${tags.length}: ${names.join(", ")}${rest}`,
        items: tags.map(
            ({ name, bytes }) => `${name} (${bytes === null ? "size not read" : size(bytes)})`,
        ),
    };
}

/**
 * @param {Status} status
 * @returns {Section}
 */
function disks({ disks }) {
    const isDark = disks.some(({ used }) => used === null);
    return {
        id: "disk",
        title: "Disk",
        columns: ["What", "Where", "Used", "Free", "Size of the file system"],
        rows: disks.map(({ role, where, used, free, size: whole }) => [
            role,
            where,
            size(used),
            size(free),
            size(whole),
        ]),
        notes: isDark
            ? [
                  "How full a bucket is, only the bucket tells, and that of a disk only a container that runs; the sizes of repositories are what their manifests say.",
              ]
            : [],
    };
}

/**
 * All of a list; of one that is too long the first ones in some order, in the order in which they were.
 *
 * @template T
 * @param {readonly T[]} list
 * @param {number} limit
 * @param {(a: T, b: T) => number} order
 * @returns {readonly T[]}
 */
function first(list, limit, order) {
    if (list.length <= limit) return list;
    const chosen = new Set([...list].sort(order).slice(0, limit));
    return list.filter((item) => chosen.has(item));
}

/**
 * @param {string} time
 * @param {string} now
 */
function sinceWhen(time, now) {
    return `${instant(time)} (${span((Date.parse(now) - Date.parse(time)) / 1000)})`;
}
