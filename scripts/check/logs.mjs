// @ts-check
// npm run logs: the log of the registry's container, one line per request. With `-` it reads a log from standard input.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { LogReader, logPlaces } from "./log-entries.mjs";
import { readResources } from "../shared/state.mjs";

/** @typedef {import("./log-entries.mjs").Request} Request */
/** @typedef {import("./log-entries.mjs").Notice} Notice */

// The engine leaves a log of its own.
process.umask(0o077);
const [, , stack, follow, since, user, repository, form, source] = process.argv;

process.stdout.on("error", () => process.exit(0));
const places = source === "-" ? undefined : findPlaces();
const reader = new LogReader(places?.gateway !== undefined);
for (const input of places === undefined ? [process.stdin] : containerLog(places)) {
    createInterface({ input }).on("line", (line) => {
        const entry = reader.read(line);
        if (entry !== undefined && isWanted(entry)) {
            process.stdout.write(`${form === "json" ? JSON.stringify(entry) : asText(entry)}\n`);
        }
    });
}

function findPlaces() {
    const found = logPlaces(readResources(stack ?? ""));
    if (found !== undefined) return found;
    process.stderr.write("The stack has no registry: nothing was deployed. Run: npm run up\n");
    process.exit(1);
}

/**
 * Of each request the one that clients talk to knows most; the other one has its own to say.
 *
 * @param {import("./log-entries.mjs").LogPlaces} places
 */
function containerLog({ host, gateway, registry, isService }) {
    const flags = [...(follow ? ["--follow"] : []), ...(since ? ["--since", since] : [])];
    return [gateway, registry]
        .filter((place) => place !== undefined)
        .flatMap((place) => {
            const command =
                isService && place === registry ? ["service", "logs", "--raw"] : ["logs"];
            const child = spawn("docker", ["--host", host, ...command, ...flags, place], {
                stdio: ["ignore", "pipe", "pipe"],
            });
            child.once("error", ({ message }) => {
                process.stderr.write(`logs: docker: ${message}\n`);
                process.exitCode = 1;
            });
            child.once("exit", (code) => (process.exitCode ||= code ?? 1));
            return [child.stdout, child.stderr];
        });
}

/** @param {Request | Notice} entry */
function isWanted(entry) {
    if (!("status" in entry)) return !user && !repository;
    return (!user || entry.user === user) && (!repository || entry.repository === repository);
}

/** @param {Request | Notice} entry */
function asText(entry) {
    const words =
        "status" in entry
            ? [
                  entry.time,
                  entry.status,
                  entry.method,
                  entry.user ?? "-",
                  entry.address,
                  entry.uri,
                  ...(entry.bytes === null ? [] : [`${entry.bytes} B`]),
                  ...(entry.duration === null ? [] : [entry.duration]),
                  ...(entry.error === null ? [] : [`(${entry.error})`]),
              ]
            : [...(entry.time === null ? [] : [entry.time]), entry.level, entry.message];
    // Names and paths come from strangers: no control character of theirs reaches the terminal.
    return words.join(" ").replace(/\p{Cc}/gu, "?");
}
