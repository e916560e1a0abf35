// @ts-check
// npm run logs: the log of the registry's container, one line per request. With `-` it reads a log from standard input.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { LogReader, logPlaces } from "./log-entries.mjs";
import { readResources } from "./state.mjs";

/** @typedef {import("./log-entries.mjs").Request} Request */
/** @typedef {import("./log-entries.mjs").Notice} Notice */

// The engine leaves a log of its own.
process.umask(0o077);
const { positionals, values: options } = readOptions();

process.stdout.on("error", () => process.exit(0));
const places = positionals[0] === "-" ? undefined : findPlaces();
const reader = new LogReader(places?.gateway !== undefined);
for (const input of places === undefined ? [process.stdin] : containerLog(places)) {
    createInterface({ input }).on("line", (line) => {
        const entry = reader.read(line);
        if (entry !== undefined && isWanted(entry)) {
            process.stdout.write(`${options.json ? JSON.stringify(entry) : asText(entry)}\n`);
        }
    });
}

function readOptions() {
    try {
        return parseArgs({
            allowPositionals: true,
            options: {
                follow: { type: "boolean", short: "f", default: false },
                since: { type: "string" },
                user: { type: "string" },
                repository: { type: "string" },
                json: { type: "boolean", default: false },
                stack: { type: "string", short: "s", default: "" },
            },
        });
    } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        process.stderr.write(
            `logs: ${cause.replace(/\. To .*$/, "")} (see npm run logs -- --help)\n`,
        );
        process.exit(2);
    }
}

function findPlaces() {
    const found = logPlaces(readResources(options.stack));
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
    const flags = [
        ...(options.follow ? ["--follow"] : []),
        ...(options.since === undefined ? [] : ["--since", options.since]),
    ];
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
    const { user, repository } = options;
    if (!("status" in entry)) return user === undefined && repository === undefined;
    return (
        (user === undefined || entry.user === user) &&
        (repository === undefined || entry.repository === repository)
    );
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
