// @ts-check
// npm run status: what the registry is and how it is, at a glance: on the terminal, as a page, as JSON.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { refusal, writeReport } from "../check/report-file.mjs";
import { readResources } from "../check/state.mjs";
import { collect } from "./collect.mjs";
import { statusOf } from "./model.mjs";
import { asPage } from "./page.mjs";
import { asText } from "./text.mjs";

const REDRAW_MS = 100;
const STANDARD_OUTPUT = "-";

// The engine leaves a log of its own; a report is for others to read, as far as its user lets them.
const mode = 0o644 & ~process.umask(0o077);
const { stack, all: isComplete, html, json } = readOptions();
process.stdout.on("error", () => process.exit(0));
const places = [html, json].filter((place) => place !== undefined);
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

function readOptions() {
    try {
        const { values } = parseArgs({
            options: {
                stack: { type: "string", short: "s", default: "" },
                all: { type: "boolean", default: false },
                html: { type: "string" },
                json: { type: "string" },
            },
        });
        if (values.html === "" || values.json === "")
            fail("--html and --json want a file, or -", 2);
        const [html, json] = [values.html, values.json].map((file) =>
            file === undefined || file === STANDARD_OUTPUT
                ? file
                : resolve(process.env.INIT_CWD ?? ".", file),
        );
        if (html !== undefined && html === json)
            fail(`--html and --json were given the same place: ${html}`, 2);
        return { ...values, html, json };
    } catch (error) {
        // Its second sentence is about arguments that start with a dash.
        return fail(error instanceof Error ? (error.message.split(". ")[0] ?? "") : "", 2);
    }
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
    const help = code === 2 ? "; see npm run status -- --help" : "";
    process.stderr.write(`status: ${message}${help}\n`);
    process.exit(code);
}
