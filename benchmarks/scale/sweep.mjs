// @ts-check
// What the engine takes for more client hosts than the fleet benchmark has, and how many the stack's file may have at all.
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { costOf } from "../fleet/cost.mjs";
import { cpuOf, Fleet } from "../fleet/hosts.mjs";
import { stackFileWith } from "../fleet/stack-file.mjs";
import { say } from "../measure.mjs";
import { run } from "../run.mjs";
import { FLAGS, freePort } from "../workspace.mjs";

/** An ed25519 key, of nobody. */
const SOME_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

/**
 * @typedef {import("../fleet/cost.mjs").Cost & { name: string, hosts: number }} Line
 */

/**
 * A life with each number of client hosts, and how large its state is.
 *
 * @param {import("../workspace.mjs").Workspace} workspace
 * @param {readonly number[]} counts
 */
export async function measureUps(workspace, counts) {
    const fleet = await Fleet.create(`${workspace.name}-scale`, join(workspace.folder, "keys"));
    const port = await freePort();
    const ours = workspace.copyOfProgram("ours", port);
    /** @type {Line[]} */
    const lines = [];
    /** @type {{ hosts: number, stored: number, plain: number }[]} */
    const states = [];
    try {
        await workspace.initialize(ours);
        for (const hosts of counts) {
            say(`${hosts} hosts`);
            const addresses = fleet.addresses(0, hosts + 1);
            const container = await fleet.start(addresses);
            const write = (/** @type {number} */ count) => {
                const places = addresses.slice(0, count).map((host) => ({ host }));
                writeFileSync(workspace.stackFileOf(ours), fleet.stackFile(places, port));
            };
            /** @type {(name: string, command: string, ...more: string[]) => Promise<void>} */
            const pulumi = async (name, command, ...more) => {
                const args = [command, "--yes", "--skip-preview", ...more, ...FLAGS];
                const before = await cpuOf(container);
                const { code, stdout, stderr, ...cost } = await costOf("pulumi", args, {
                    cwd: ours,
                    env: workspace.environment,
                });
                if (code !== 0)
                    throw new Error(`${name}: exit ${code}\n${errors(stdout + stderr)}`);
                const cpu = cost.cpu + (await cpuOf(container)) - before;
                lines.push({ name, hosts, ...cost, cpu });
            };
            write(hosts);
            await pulumi("first up", "up");
            const exported = await workspace.pulumi(ours, ["stack", "export"]);
            const stored = stateFile(join(workspace.folder, "state"));
            states.push({ hosts, stored, plain: Buffer.byteLength(exported) });
            await pulumi("no-op", "up", "--expect-no-changes");
            write(hosts + 1);
            await pulumi("one host more", "up");
            await pulumi("destroy", "destroy");
            await workspace.removeData();
            await fleet.stop(container);
        }
    } finally {
        // With hosts that are gone, a destroy would try for minutes to reach them.
        workspace.abandon(ours);
        await fleet.dispose();
    }
    return { lines, states };
}

/**
 * Previews with client hosts that need not be there, since a preview asks none.
 *
 * @param {import("../workspace.mjs").Workspace} workspace
 * @param {readonly number[]} counts
 */
export async function measurePreviews(workspace, counts) {
    const ours = workspace.copyOfProgram("previewed", 5000);
    await workspace.initialize(ours);
    /** @type {Line[]} */
    const lines = [];
    for (const hosts of counts) {
        say(`preview with ${hosts} hosts`);
        writeFileSync(workspace.stackFileOf(ours), pinned(hosts));
        const options = { cwd: ours, env: workspace.environment };
        const { code, stdout, stderr, ...cost } = await costOf(
            "pulumi",
            ["preview", ...FLAGS],
            options,
        );
        if (code !== 0) throw new Error(`preview: exit ${code}\n${errors(stdout + stderr)}`);
        lines.push({ name: "preview", hosts, ...cost });
    }
    return lines;
}

/**
 * The most client hosts that the engine hands to a program: it does so in one variable of the environment. Tried with a
 * program that only tells its length, on both sides of the limit.
 *
 * @param {import("../workspace.mjs").Workspace} workspace
 */
export async function measureConfigLimit(workspace) {
    const folder = workspace.copyOfProgram("limited", 5000);
    const program = "console.log(`${process.env.PULUMI_CONFIG?.length} characters`);\n";
    writeFileSync(join(folder, "index.ts"), program);
    await workspace.initialize(folder);
    const length = async (/** @type {number} */ hosts) => {
        writeFileSync(workspace.stackFileOf(folder), pinned(hosts));
        const options = { cwd: folder, env: workspace.environment };
        const { code, stdout } = await run("pulumi", ["preview", ...FLAGS], options);
        return code === 0 ? Number(/(\d+) characters/.exec(stdout)?.[1]) : undefined;
    };
    const [ten = NaN, hundred = NaN] = [await length(10), await length(100)];
    const perHost = (hundred - ten) / 90;
    let [good, bad] = [100, Math.ceil((4 * 131_072) / perHost)];
    while (bad - good > 1) {
        const middle = (good + bad) >> 1;
        if ((await length(middle)) === undefined) bad = middle;
        else good = middle;
    }
    return { perHost, fixed: hundred - 100 * perHost, most: good };
}

/**
 * The diagnostics of a run, which stand before as many outputs as there are hosts.
 *
 * @param {string} printed
 */
function errors(printed) {
    return printed.slice(printed.search(/^Diagnostics:|error:/m)).slice(0, 4000);
}

/**
 * A stack's file with hosts that are nowhere.
 *
 * @param {number} count
 */
function pinned(count) {
    const places = Array.from({ length: count }, (_, index) => ({
        host: `10.1.${100 + Math.floor(index / 100)}.${100 + (index % 100)}`,
    }));
    return stackFileWith(places, SOME_KEY, { address: "192.0.2.10", ssh: { password: "none" } });
}

/**
 * Bytes of the largest state in a backend, in the form that it is kept in.
 *
 * @param {string} folder
 */
function stateFile(folder) {
    const stacks = join(folder, ".pulumi/stacks");
    const sizes = readdirSync(stacks, { recursive: true, encoding: "utf8" })
        .filter((path) => /\.json(\.gz)?$/.test(path))
        .map((path) => statSync(join(stacks, path)).size);
    return Math.max(...sizes);
}
