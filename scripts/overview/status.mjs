// @ts-check
// npm run status: what the registry is and how it is, at a glance: on the terminal, as a page, as JSON.
import { resolve } from "node:path";
import { refusal, writeReport } from "../shared/report-file.mjs";
import { readResources } from "../shared/state.mjs";
import { collect } from "./collect.mjs";
import { statusOf } from "./model.mjs";
import { asPage } from "./page.mjs";
import { asText } from "./text.mjs";

const REDRAW_MS = 100;
const STANDARD_OUTPUT = "-";

// The engine leaves a log of its own; a report is for others to read, as far as its user lets them.
const mode = 0o644 & ~process.umask(0o077);
const [, , stack = "", htmlFile = "", jsonFile = "", extent = ""] = process.argv;
const html = placeOf(htmlFile);
const json = placeOf(jsonFile);
const isComplete = extent === "all";
process.stdout.on("error", () => process.exit(0));
const places = [html, json].filter((place) => place !== undefined);
if (html !== undefined && html === json) {
    fail(`--html and --json were given the same place: ${html} (see npm run status -- --help)`, 2);
}
for (const place of places) {
    const reason = place === STANDARD_OUTPUT ? undefined : refusal(place);
    if (reason !== undefined) fail(`${place} is refused: ${reason}`);
}

const resources = readResources(stack);
if (resources.length === 0) {
    process.stderr.write("The stack has no resources: nothing was deployed. Run: npm run up\n");
    process.exit(1);
}
const progress = startProgress();
const status = statusOf(await collect(resources, stack, { isComplete, say: progress.say }));
progress.end();

const written = [
    ...(html === undefined ? [] : [{ place: html, text: asPage(status) }]),
    ...(json === undefined
        ? []
        : [{ place: json, text: `${JSON.stringify(status, undefined, 2)}\n` }]),
];
for (const { place, text } of written.filter(({ place }) => place !== STANDARD_OUTPUT)) {
    try {
        writeReport(place, text, mode);
    } catch (error) {
        fail(`cannot write ${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
}
const printed =
    written.length === 0
        ? asText(status, isComplete ? { rows: Infinity } : undefined)
        : (written.find(({ place }) => place === STANDARD_OUTPUT)?.text ?? "");
// A host that hangs still has its connection.
process.stdout.write(printed, () => process.exit(0));

/** @param {string} file as it was given; empty: none */
function placeOf(file) {
    if (file === "") return undefined;
    return file === STANDARD_OUTPUT ? file : resolve(file);
}

/** On a terminal, one line that says what this is at and goes again. */
function startProgress() {
    /** @type {Map<string, string>} */
    const topics = new Map();
    let next = 0;
    const draw = (/** @type {string} */ line) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
    };
    return {
        say: (/** @type {string} */ topic, /** @type {string} */ text) => {
            topics.set(topic, text);
            if (Date.now() < next) return;
            next = Date.now() + REDRAW_MS;
            const line = `looking at: ${[...topics.values()].join(", ")} …`;
            draw(line.slice(0, (process.stderr.columns || 80) - 1));
        },
        end: () => draw(""),
    };
}

/**
 * @param {string} message
 * @param {number} [code]
 * @returns {never}
 */
function fail(message, code = 1) {
    process.stderr.write(`status: ${message}\n`);
    process.exit(code);
}
