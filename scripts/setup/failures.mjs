// @ts-check
// Says what kept a deployment, where the engine's words do not say what to do: that the configuration is too long for the program,
// and in one line for each client host that failed what kept it. From the engine's own log of events.
import { readFileSync } from "node:fs";
import { load } from "../shared/typescript.mjs";
import { explain } from "./causes.mjs";

/** @type {typeof import("../../lib/trust-script.js")} */
const { TARGETS } = load("lib/trust-script.ts");
/** @type {typeof import("../../lib/property-path.js")} */
const { propertyPath, quotePath } = load("lib/property-path.ts");

const [, , path = "", command = "up", stack = ""] = process.argv;

/**
 * What the script says of each thing that it did (`tell` and `warn` in components/trust-host/base.sh). It comes on another stream than
 * what kept it, and so sometimes after that.
 */
const DONE = new RegExp(`^(?:hosts|${TARGETS.join("|")}|proof|trust|left|warning): `);

/** @typedef {{ urn: string, address: string, text: string, operation: string }} Failure */

const option = stack === "" ? "" : ` --stack ${stack}`;
const events = readFileSync(path, "utf8").split("\n").map(parse);
if (events.some(isTooLong)) {
    process.stderr.write(
        [
            "",
            "The stack's configuration is too long, and nothing was changed. The engine hands it to the program in one variable of the",
            "environment, and Linux takes 131,072 characters in one: about 950 client hosts with pinned keys. Either",
            "  make a stack for each fleet of some hundred hosts, with a registry of its own: ./pulumiw stack init NAME",
            "  or leave in clients the hosts whose trust is to be proved, and give the others ca.crt and trust-and-login.sh with",
            "  their image, or by what manages their configuration: npm run handover",
            "See docs/scale.md, What breaks first.",
            "",
        ].join("\n"),
    );
}
const failures = readFailures();
if (failures.length > 0) {
    const many = failures.length === 1 ? "One client host" : `${failures.length} client hosts`;
    const lines = failures.map(
        ({ urn, address, text }) =>
            `  ${clientOf(urn)}${address === "" ? "" : ` (${address})`}: ${text}`,
    );
    const unwanted = failures.filter(({ operation }) => operation === "delete");
    const wanted = failures.filter(({ operation }) => operation === "update");
    process.stderr.write(
        [
            "",
            command === "destroy"
                ? `${many} could not be cleaned, so the registry stays for now; the other hosts are done:`
                : `${many} could not be set up or cleaned; the others are done:`,
            ...lines,
            ...advice(
                "A host that will not come back is taken out of the configuration, before the next run, with:",
                wanted.map(({ urn }) => {
                    const path = propertyPath("clients", clientOf(urn));
                    return `config rm${option} --path ${quotePath(path)}`;
                }),
            ),
            ...advice(
                "A host that will not come back is dropped from the state, and its files are left as they are, with:",
                unwanted.map(({ urn }) => `state delete --yes${option} '${urn}'`),
            ),
            "",
        ].join("\n"),
    );
}

/**
 * @param {string} text
 * @param {string[]} commands
 */
function advice(text, commands) {
    return commands.length === 0 ? [] : [text, ...commands.map((line) => `  ./pulumiw ${line}`)];
}

/** @returns {Failure[]} */
function readFailures() {
    /** @type {Map<string, string>} */
    const messages = new Map();
    /** @type {Map<string, string>} */
    const operations = new Map();
    for (const event of events) {
        const { diagnosticEvent: said, resOpFailedEvent: failed } = event ?? {};
        if (isClient(said?.urn) && said.severity === "error") messages.set(said.urn, said.message);
        if (isClient(failed?.metadata?.urn)) {
            operations.set(failed.metadata.urn, failed.metadata.op);
        }
    }
    return [...messages].sort().map(([urn, message]) => ({
        urn,
        ...read(message),
        operation: operations.get(urn) ?? "",
    }));
}

/** @param {string} line */
function parse(line) {
    try {
        return JSON.parse(line);
    } catch {
        // The last line of a run that was killed.
        return undefined;
    }
}

/**
 * Whether the program could not be started with it. A command that cannot be run is an error of its own resource.
 *
 * @param {{ diagnosticEvent?: { urn?: string, severity: string, message: string } } | undefined} event
 */
function isTooLong(event) {
    const { urn = "", severity, message = "" } = event?.diagnosticEvent ?? {};
    const isOfStack = urn === "" || urn.includes("::pulumi:pulumi:Stack::");
    return isOfStack && severity === "error" && message.includes("argument list too long");
}

/** @param {unknown} urn */
function isClient(urn) {
    return typeof urn === "string" && /ClientTrust\$command:(remote|local):Command::/.test(urn);
}

/** @param {string} urn */
function clientOf(urn) {
    return (
        urn
            .split("::")
            .at(-1)
            ?.replace(/^registry-trust-/, "") ?? urn
    );
}

/** @param {string} message */
function read(message) {
    const text = message.trim();
    const [, address = ""] =
        /dial(?: proxy| through proxy)? (\S+): (?:after|context)/.exec(text) ??
        /script on (\S+): /.exec(text) ??
        [];
    // One that was given up had no last word.
    const [given = ""] = /^.*: context deadline exceeded/.exec(text) ?? [];
    // A script that ran says by itself, in a last line, what to do. The official provider quotes the script before that.
    const output = /(?:its last output|running "(?:[^"\\]|\\.)*"):\n([^]*)$/.exec(text)?.[1] ?? "";
    const lines = output.trim().split("\n");
    const said = lines.findLast((line) => !DONE.test(line)) ?? lines.at(-1);
    return {
        address: text.startsWith("dial proxy") ? `on the way, at ${address}` : address,
        text: given !== "" ? explain(given) : said || explain(text),
    };
}
