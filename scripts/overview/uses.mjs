// @ts-check
// When each account was last used, as the logs of the stack's containers tell.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { LogReader, logPlaces } from "../check/log-entries.mjs";
import { inParallel } from "../shared/parallel.mjs";
import { mirrorsIn } from "../check/registry.mjs";
import { find } from "../shared/state.mjs";
import { within } from "../shared/within.mjs";
import { PARALLEL } from "./docker-host.mjs";
import { MARK } from "./holdings.mjs";

/** Lines of a log that are read at most, the last ones. Docker keeps fewer of containers of ours. */
const LINES = 200_000;
const PATIENCE_MS = 60_000;
/** Asked for by the proof of each `up` and of the doctor. */
const NOBODYS = "private-registry-proof";

/** @typedef {"pull" | "push" | "delete"} Kind */
/** @typedef {{ at: string, kind: Kind }} Use */
/**
 * @typedef {object} Uses
 * @property {string | null} since when the log of what clients talk to begins, RFC 3339
 * @property {Map<string, Use>} last by account
 * @property {string | null} problem why not all was read
 */

/**
 * @param {import("../shared/state.mjs").Resource[]} resources
 * @returns {Promise<Uses>}
 */
export async function readUses(resources) {
    /** @type {Uses} */
    const uses = { since: null, last: new Map(), problem: null };
    const places = logPlaces(resources);
    if (places === undefined) return uses;
    const mirrors = mirrorsIn(resources).flatMap(
        (mirror) => find(resources, `registry-mirror-${mirror}-container`)?.inputs.name ?? [],
    );
    const first = places.gateway ?? places.registry;
    await inParallel([first, ...mirrors], PARALLEL, async (container) => {
        const reader = new LogReader(container === places.gateway);
        try {
            await readLog(places.host, container, (time, line) => {
                if (container === first && (uses.since === null || time < uses.since))
                    uses.since = time;
                note(uses, reader.read(line));
            });
        } catch (error) {
            uses.problem ??= error instanceof Error ? error.message : String(error);
        }
    });
    return uses;
}

/**
 * Notes a request when an account was used in it: for a repository, with success, and not by this command.
 *
 * @param {Pick<Uses, "last">} uses
 * @param {import("../check/log-entries.mjs").Request | import("../check/log-entries.mjs").Notice | undefined} entry
 */
export function note({ last }, entry) {
    if (entry === undefined || !("status" in entry)) return;
    const { user, repository, status, uri, time, method } = entry;
    if (user === null || repository === null || repository === NOBODYS || status >= 400) return;
    if (new RegExp(`[?&]${MARK}(&|$)`).test(uri)) return;
    const at = new Date(time).toISOString();
    if (at > (last.get(user)?.at ?? "")) last.set(user, { at, kind: kindOf(method) });
}

/**
 * @param {string} method
 * @returns {Kind}
 */
function kindOf(method) {
    if (method === "DELETE") return "delete";
    return method === "GET" || method === "HEAD" ? "pull" : "push";
}

/**
 * @param {string} host
 * @param {string} container
 * @param {(time: string, line: string) => void} take
 */
async function readLog(host, container, take) {
    const options = ["--timestamps", "--tail", String(LINES)];
    const child = spawn("docker", ["--host", host, "logs", ...options, container], {
        stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
            const [, time, rest = ""] = /^(\d{4}-\d\d-\d\dT\S+Z) (.*)$/.exec(line) ?? [];
            // What docker itself says has no time in front.
            if (time === undefined) said = line;
            else take(new Date(time).toISOString(), rest);
        });
    }
    try {
        const [code] = await within(once(child, "close"), PATIENCE_MS);
        if (code !== 0) throw new Error(said || `docker logs: exit ${code}`);
    } finally {
        child.kill();
    }
}
