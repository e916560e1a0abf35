// @ts-check
import { cpus, totalmem } from "node:os";
import { engineTable, fitEngine, perHost } from "./scale/engine.mjs";
import {
    BYTES_PER_SECOND,
    CHANGED_BYTES,
    IMAGE_BYTES,
    MOST_IN_ENVIRONMENT,
    PATIENCE_SECONDS,
    SEEN_AT_200,
    STORM_SECONDS,
} from "./scale/inputs.mjs";
import model from "./scale/model.js";
import { LAYERS, measureStorms } from "./scale/storm.mjs";
import { costTable, pulls, realRatios, simulateAll, SITE } from "./scale/storms.mjs";
import { measureConfigLimit, measurePreviews, measureUps } from "./scale/sweep.mjs";
import { number } from "./scale/text.mjs";
import { say } from "./measure.mjs";
import { figure } from "./readme.mjs";
import { withWorkspace } from "./workspace.mjs";

/** Numbers of hosts that are set up for real, ascending. */
const MEASURED = (process.env.BENCH_SCALE_HOSTS ?? "10,50,150").split(",").map(Number);
/** Numbers of hosts that the model is asked for. */
const ASKED = [10, 1_000, 100_000];
const CLIENTS = [8, 32];
const CORES = cpus().length;

export const tools = ["curl"];
export const title = "On paper: what 10, 1,000 and 100,000 client hosts cost";
export const about = `
A cost of each host and one of each pair of hosts (the whole state is written at every host) are fitted to ups of
${MEASURED.join(", ")} client hosts (as in fleet, one round), and say what more would take: **only the columns up to ${MEASURED.at(-1)} hosts
are measured**. Seconds are those of the machine as busy as it was; "on a quiet machine" is from the CPU, which hardly depends on that.

In a deploy storm every host pulls an image at once. It is simulated event by event, and computed in closed form (no part
can be busy for more than all of the time), from what one request, connection, check of a password and byte cost the registry's
container; requests and connections of a pull are counted from its log while Docker pulls ${LAYERS} layers. The simulation is held
against real storms of ${CLIENTS.join(" and ")} clients on this machine, which do by curl what Docker does and share the cores with the registry;
"cores left over" are those that other work did not take. [docs/scale.md](../docs/scale.md) says what follows.

Assumed: an image of ${LAYERS} layers and ${IMAGE_BYTES / 1e6} MB, of which a new version changes one layer of ${CHANGED_BYTES / 1e6} MB; a registry on ${CORES} cores
with a network of ${(BYTES_PER_SECOND * 8) / 1e9} Gb/s for itself; a storm may take ${STORM_SECONDS / 60} minutes. "Waited" are the hosts that Docker would have given
up on after ${PATIENCE_SECONDS} s without a first answer. \`BENCH_SCALE_HOSTS=10,100\` chooses the numbers of hosts that are set up.`;

/** Measures, fits, simulates and compares. */
export async function measure() {
    if (MEASURED.length < 2 || MEASURED.some((count) => !(count > 0 && count < 500))) {
        throw new Error("BENCH_SCALE_HOSTS is a list of two or more numbers from 1 to 499");
    }
    MEASURED.sort((a, b) => a - b);
    const limit = await withWorkspace(measureConfigLimit);
    const storms = await withWorkspace((workspace) => measureStorms(workspace, CLIENTS));
    const previews = await withWorkspace((workspace) => measurePreviews(workspace, MEASURED));
    const ups = await withWorkspace((workspace) => measureUps(workspace, MEASURED));
    const engine = fitEngine(ups, previews);
    say("simulating");
    const simulated = simulateAll(storms, ASKED);
    return {
        unit: "s",
        samples: {
            ...Object.fromEntries(
                ups.lines.map((line) => [`${line.name}, ${line.hosts} hosts`, [line.wall]]),
            ),
            ...Object.fromEntries(
                CLIENTS.map((count) => [`${count} clients pull`, storms.samples[count] ?? []]),
            ),
        },
        tables: [
            engineTable(ups, previews, engine, { measured: MEASURED, asked: ASKED }),
            costTable(storms),
            simulated.table,
            limitTable(limit, engine, storms),
        ],
        ratios: [...realRatios(storms), ...simulated.ratios],
        facts: [
            `A pull of ${LAYERS} layers by Docker: ${storms.pull.requests} requests, ${storms.pull.open} of them refused for want of an account, on ` +
                `${storms.pull.connections} connections. A first up grows with the power ${engine.exponent.toFixed(2)} of the hosts, its CPU with ` +
                `${engine.exponentOfCpu.toFixed(2)}; a host takes ${perHost(engine.growths["first up"])} of it, ${perHost(engine.cpu)} of CPU. With 200 hosts, seen once before this release: ` +
                `${Object.entries(SEEN_AT_200)
                    .map(([name, value]) => `${name} ${value} s`)
                    .join(", ")}.`,
        ],
    };
}

/**
 * What gives way at how many hosts.
 *
 * @param {Awaited<ReturnType<typeof measureConfigLimit>>} limit
 * @param {import("./scale/engine.mjs").Engine} engine
 * @param {import("./scale/storms.mjs").Storms} storms
 */
function limitTable(limit, engine, { costs, pull, openFiles }) {
    const [whole, changed] = pulls(pull).map((scenario) => {
        const each = model.storm(1_000_000, scenario.pull, costs, SITE);
        return (STORM_SECONDS * 1_000_000) / Math.max(each.cpu, each.network);
    });
    if (whole === undefined || changed === undefined) throw new Error();
    const first = costs.connection + costs.request;
    /** @type {[string, number, string][]} */
    const rows = [
        [
            `client hosts in the stack's file, each with its pinned key: ${figure(limit.perHost)} characters each, ${number(MOST_IN_ENVIRONMENT)} in all`,
            limit.most,
            "measured",
        ],
        [
            "first up within an hour, on a quiet machine",
            model.hostsWithin(engine.quiet, 3600),
            "fitted",
        ],
        [
            "first up within this machine's memory",
            model.hostsWithin(engine.memory, totalmem() / 1e6),
            "fitted",
        ],
        [`storm within ten minutes, whole image`, whole, "computed"],
        [`storm within ten minutes, one layer`, changed, "computed"],
        [
            `open connections of the registry (${number(openFiles)} files, ${pull.parallel} a host)`,
            openFiles / pull.parallel,
            "limit measured",
        ],
        [
            `a first answer for every host within ${PATIENCE_SECONDS} s, all at once`,
            (PATIENCE_SECONDS * CORES) / first,
            "computed",
        ],
    ];
    return {
        head: ["limit", "hosts", ""],
        rows: rows
            .sort(([, a], [, b]) => a - b)
            .map(([name, hosts, how]) => [name, number(Math.floor(hosts)), how]),
    };
}
