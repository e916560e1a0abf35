// @ts-check
// What is really on each client host, against what the last `up` left there.
import { explain } from "../setup/causes.mjs";
import { inParallel } from "../shared/parallel.mjs";
import { runOn } from "./ssh.mjs";

/** Hosts that are looked at at the same time. */
const PARALLEL = 32;
/** How long looking at one may take. Its proof alone may wait 15 s for each of the registry and its mirrors. */
const PATIENCE_MS = 120_000;
/** How long putting one right may take: what an up gives it. */
const MEND_PATIENCE_MS = 300_000;

/** @typedef {import("../shared/state.mjs").Resource} Resource */
/** @typedef {{ name: string, address: string, connection: any, create: string, stdin: string }} Client */
/** @typedef {{ client: Client, resolves: string, files: string, proof: string, differs: string[], isReached: boolean }} Finding */

/**
 * @param {Resource[]} resources
 * @returns {Client[]}
 */
export function clientsOf(resources) {
    return resources
        .filter(({ urn }) => /ClientTrust\$command:(remote|local):Command::/.test(urn))
        .map(({ urn, inputs: { connection, create, stdin } }) => ({
            name:
                urn
                    .split("::")
                    .at(-1)
                    ?.replace(/^.*?-trust-/, "") ?? urn,
            address: connection?.host ?? "this machine",
            connection,
            create,
            stdin,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Looks at all of them; with `repair`, also puts right what differs, and looks again.
 *
 * @param {Client[]} clients
 * @param {boolean} repair
 * @param {() => void} [onLook] called after each
 * @returns {Promise<Finding[]>}
 */
export async function checkClients(clients, repair, onLook = () => undefined) {
    /** @type {Finding[]} */
    const findings = new Array(clients.length);
    await inParallel(clients, PARALLEL, async (client, index) => {
        let finding = await check(client);
        if (repair && finding.isReached && finding.differs.length > 0) {
            finding = await mend(client);
        }
        findings[index] = finding;
        onLook();
    });
    return findings;
}

/**
 * @param {Client} client
 * @returns {Promise<Finding>}
 */
async function check(client) {
    /** @type {Finding} */
    const finding = {
        client,
        resolves: "?",
        files: "?",
        proof: "?",
        differs: [],
        isReached: false,
    };
    try {
        const { code, stdout, stderr } = await runOn(
            client.connection,
            client.create.replaceAll("sh -s apply", "sh -s check"),
            client.stdin,
            PATIENCE_MS,
        );
        finding.isReached = true;
        read(finding, stdout);
        if (code !== 0) finding.differs.push(stderr.trim().split("\n").at(-1) ?? `exit ${code}`);
    } catch (error) {
        finding.differs.push(explain(error instanceof Error ? error.message : String(error)));
    }
    return finding;
}

/**
 * @param {Finding} finding
 * @param {string} stdout lines of target, state and detail
 */
function read(finding, stdout) {
    const lines = stdout
        .trim()
        .split("\n")
        .map((line) => line.split("\t"));
    const states = new Set();
    for (const [target = "", state = "", detail = ""] of lines) {
        const isFine = state === "ours";
        if (target === "resolve") finding.resolves = isFine ? detail : detail || "not found";
        else if (target === "proof")
            finding.proof = worse(
                finding.proof,
                isFine ? "proved" : state === "unproved" ? "not proved" : "failed",
            );
        else states.add(state);
        if (!isFine)
            finding.differs.push(
                `${target} ${state === "other" && target === "proof" ? "" : `${state}: `}${detail}`,
            );
    }
    finding.files = [...states].every((state) => state === "ours")
        ? "ours"
        : [...states]
              .filter((state) => state !== "ours")
              .sort()
              .join(", ");
}

/**
 * One word for the proofs of the registry and its mirrors.
 *
 * @param {string} one
 * @param {string} other
 */
function worse(one, other) {
    const order = ["?", "proved", "not proved", "failed"];
    return order.indexOf(one) > order.indexOf(other) ? one : other;
}

/**
 * @param {Client} client
 * @returns {Promise<Finding>}
 */
async function mend(client) {
    const { create, stdin, connection } = client;
    const { code, stderr } = await runOn(connection, create, stdin, MEND_PATIENCE_MS).catch(
        (/** @type {Error} */ error) => ({ code: 1, stderr: explain(error.message) }),
    );
    const finding = await check(client);
    if (code !== 0) finding.differs.unshift(stderr.trim().split("\n").at(-1) ?? `exit ${code}`);
    return finding;
}
