// @ts-check
// What a preview means for people: who gains or loses access, what restarts, which hosts change, what happens to the images.
import { readFileSync } from "node:fs";
import { EVERYTHING, rightsIn } from "../shared/rights.mjs";

/** @typedef {"create" | "update" | "replace" | "delete"} Operation */
/** @typedef {{ name: string, operation: Operation, isRetained: boolean, rights?: Rights }} Change */
/** @typedef {{ before: Record<string, string>, after: Record<string, string> }} Rights what accounts may do, by name */
/** @typedef {{ [O in Operation]?: string }} Meaning */

/** @type {readonly [RegExp, string, Meaning][]} name of a resource; what it stands for; what each operation on it means */
const MEANINGS = [
    [
        /^registry-accounts-password-(.+)$/,
        "account",
        {
            create: "gains access",
            replace: "gets a new password; the old one is refused",
            delete: "loses access",
        },
    ],
    [
        /^registry-authority-cert-(.+)$/,
        "authority",
        {
            create: "is made, and trusted by the client hosts",
            replace: "gets a new certificate",
            delete: "is trusted no more by the client hosts",
        },
    ],
    [
        /^registry-authority-key-(.+)$/,
        "authority",
        { replace: "GETS A NEW KEY: what it signed before is trusted no more" },
    ],
    [
        /^registry-authority-(server)-cert$/,
        "certificate of the",
        { create: "is issued", replace: "is issued anew", delete: "goes" },
    ],
    [
        /^registry-trust-(.+)$/,
        "client host",
        {
            create: "will trust the registry",
            update: "is set up anew",
            replace: "is cleaned and set up anew",
            delete: "is put back as it was before",
        },
    ],
    [
        /^registry-server-(container)$/,
        "the registry's",
        {
            create: "is started",
            update: "is changed while it runs",
            replace:
                "restarts: running transfers get 60 s to finish, new connections are refused for a moment",
            delete: "is taken down",
        },
    ],
    [
        /^registry-server-(service)$/,
        "the registry's",
        {
            create: "is started, with all its replicas",
            update: "changes one replica after the other; no request fails",
            replace: "IS TAKEN DOWN and started anew",
            delete: "is taken down",
        },
    ],
    [
        /^registry-mirror-(.+)-container$/,
        "the mirror",
        {
            create: "is started",
            update: "is changed while it runs",
            replace: "restarts: for a moment its clients ask the upstream themselves",
            delete: "is taken down, with what it kept",
        },
    ],
    [
        /^registry-server-redis-(container|service)$/,
        "Redis'",
        {
            create: "is started",
            update: "is changed while it runs",
            replace: "restarts, and has forgotten what it knew of blobs; the registry runs on",
            delete: "is taken down",
        },
    ],
    [
        /^registry-gateway-(container|access)$/,
        "the gateway's",
        {
            create: "is started",
            update: "is changed while it runs",
            replace: "restarts: for a moment requests wait or are refused",
            delete: "is taken down",
        },
    ],
    [
        /^registry-server-container-(data)$/,
        "the volume with the images, its",
        {
            create: "is made, or taken over when it is there",
            replace: "IS DELETED, and a new one is made",
            delete: "IS DELETED",
        },
    ],
];

/**
 * One line for each change that means something to somebody.
 *
 * @param {readonly Change[]} changes
 * @returns {string[]}
 */
export function review(changes) {
    const lines = MEANINGS.flatMap(([pattern, what, meaning]) =>
        changes.flatMap(({ name, operation, isRetained }) => {
            const match = pattern.exec(name);
            const said = meaning[operation];
            if (match === null || said === undefined) return [];
            const isKept = isRetained && said.includes("DELETED");
            return [
                `${what} ${match[1] ?? ""} ${isKept ? "stays where it is, and is not used any more" : said}`,
            ];
        }),
    );
    lines.push(...changes.flatMap(({ rights }) => (rights === undefined ? [] : ofRights(rights))));
    const changed = (/** @type {RegExp} */ names) => changes.filter(({ name }) => names.test(name));
    const restarts = (/** @type {RegExp} */ names) =>
        changed(names).some(({ operation }) => operation !== "update");
    if (changed(/^registry-server-loader$/).length > 0 && !restarts(/^registry-server-container$/))
        lines.push("the registry runs on, and reads its accounts anew");
    if (
        changed(/^registry-gateway-loader$/).length > 0 &&
        !restarts(/^registry-gateway-(container|access)$/)
    )
        lines.push(
            "the gateway runs on, and takes accounts, permissions and certificate while it does",
        );
    return lines.length > 0 ? lines : ["nobody gains or loses access, and nothing restarts"];
}

/**
 * @param {Rights} rights
 * @returns {string[]}
 */
function ofRights({ before, after }) {
    const accounts = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    const areNew = Object.keys(before).length === 0;
    const areGone = Object.keys(after).length === 0;
    return accounts.flatMap((account) => {
        const was = before[account] ?? (areNew ? EVERYTHING : undefined);
        const will = after[account] ?? (areGone ? EVERYTHING : undefined);
        if (was === will || will === undefined) return [];
        return [`account ${account} may: ${will}${was === undefined ? "" : ` (now: ${was})`}`];
    });
}

/**
 * @param {string} text the engine's log of events
 * @returns {Change[]} in the order of their names
 */
function changesIn(text) {
    /** @type {Map<string, Change>} */
    const changes = new Map();
    for (const line of text.split("\n").filter((line) => line !== "")) {
        const { op, urn, old, new: next } = JSON.parse(line).resourcePreEvent?.metadata ?? {};
        if (["create", "update", "replace", "delete"].includes(op)) {
            const name = urn.split("::").at(-1);
            const isRetained = old?.retainOnDelete === true;
            const rights =
                name === "registry-gateway-loader" && op !== "delete"
                    ? { before: rightsIn(old?.inputs), after: rightsIn(next?.inputs) }
                    : undefined;
            changes.set(name, { name, operation: op, isRetained, rights });
        }
    }
    return [...changes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const [, , path] = process.argv;
if (path !== undefined) {
    // 0 is standard input.
    const lines = review(changesIn(readFileSync(path === "-" ? 0 : path, "utf8")));
    process.stdout.write(`What it means:\n${lines.map((line) => `  ${line}\n`).join("")}`);
}
