// @ts-check
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { costOf } from "./fleet/cost.mjs";
import { cpuOf, Fleet } from "./fleet/hosts.mjs";
import { byAnsible, byPyinfra, bySsh, install, PARALLEL, versions } from "./fleet/others.mjs";
import { Sheet } from "./fleet/sheet.mjs";
import { relay } from "./fleet/slow.mjs";
import { HOSTNAME } from "./fleet/stack-file.mjs";
import { say } from "./measure.mjs";
import { FLAGS, freePort, PROJECT, withWorkspace } from "./workspace.mjs";

/** Numbers of hosts, ascending. */
const COUNTS = (process.env.BENCH_FLEET_HOSTS ?? "1,10,50,200").split(",").map(Number);
/** More hosts than this are not given to Ansible and pyinfra: they would take minutes. */
const OTHERS_MOST = 200;
/** Rounds at the most. */
const ROUNDS = Number(process.env.BENCH_FLEET_ROUNDS ?? 3);
/** Hosts where two are dead. */
const WITH_DEAD = Math.min(40, Math.max(4, ...COUNTS));
/** Hosts of the slow network. */
const SLOW = Math.min(100, Math.max(...COUNTS));
/** Milliseconds one way. */
const DELAY = 25;

export const title = "Many client hosts, and the same work by Ansible, pyinfra and plain ssh";
export const about = `
Each client host has an address, an sshd and a file system of its own, all of them in one container; their host key is one and
the same, and verified. "First up" makes the registry too, with 0 hosts nothing else; it ends when each host has its line in
\`/etc/hosts\` and the certificates for Docker, and has proved by curl that it trusts the registry. A new authority is three ups:
trust it too, have it sign (nothing changes on the hosts), forget the old one. The doctor looks at every host and changes nothing.
"All hosts out" and "all hosts in" are ups of a registry that is there, which is all that the others do.

The floor is \`ssh HOST true\` for each host, ${PARALLEL} at a time by xargs; "our script" and "our check" are that with the script that an
up and the doctor run. Ansible and pyinfra (${versions}) do the same with modules of their own, ${PARALLEL} hosts
or more at a time; Ansible with pipelining, kept connections, no facts and the strategy \`free\`, and once more with our script as
its only task. A second pass finds all as it should be and looks at every host; an up that changes nothing does not look, the
doctor does. They are given ${OTHERS_MOST} hosts at the most, and one round; nothing is warmed up but the program.
\`BENCH_FLEET_HOSTS=1,10\` chooses the numbers of hosts.

The slow network has ${2 * DELAY} ms from a host and back, by a relay in front of each host; without delay it is the same relay.

CPU is user and system time of what was run, with all that it starts, and of all hosts together. Growth is the exponent of the
power of the number of hosts that fits best from 10 hosts on: 1 is linear. From ours is taken what the same does with 0 hosts, or
an up that changes nothing where it needs hosts.`;

/**
 * What is there for one number of hosts.
 *
 * @typedef {object} Rig
 * @property {import("./workspace.mjs").Workspace} workspace
 * @property {Fleet} fleet
 * @property {string} ours folder of the program
 * @property {number} port
 * @property {string | undefined} others folder of Ansible's and pyinfra's programs
 * @property {Sheet} sheet
 */

/** Measures all of it. */
export function measure() {
    if (COUNTS.some((count) => !(Number.isInteger(count) && count > 0 && count < 500))) {
        throw new Error(
            `BENCH_FLEET_HOSTS: ${process.env.BENCH_FLEET_HOSTS}; it is a list of numbers from 1 to 499, for example 1,10,50`,
        );
    }
    COUNTS.sort((a, b) => a - b);
    return withWorkspace(async (workspace) => {
        const fleet = await Fleet.create(`${workspace.name}-hosts`, join(workspace.folder, "keys"));
        const port = await freePort();
        const ours = workspace.copyOfProgram("ours", port);
        try {
            const others = await install(join(workspace.folder, "others"));
            const sheet = new Sheet([0, ...COUNTS]);
            const rig = { workspace, fleet, ours, port, others, sheet };
            await workspace.initialize(ours);
            for (let round = -1; round < ROUNDS; round++) {
                for (const count of [0, ...COUNTS]) {
                    // What is compiled and cached is so before the first sample.
                    if (round < 0 ? count > 0 : round >= roundsFor(count)) continue;
                    say(
                        round < 0
                            ? "warm-up"
                            : `${count} hosts, round ${round + 1} of ${roundsFor(count)}`,
                    );
                    await measureFor(count, round, rig);
                }
            }
            const dead = await measureDead(rig);
            const slow = (await addSlowly(rig, DELAY)) / (await addSlowly(rig, 0));
            return report(sheet, dead, slow, others !== undefined);
        } finally {
            // With hosts that are gone, a destroy would try for minutes to reach them.
            workspace.abandon(ours);
            await fleet.dispose();
        }
    });
}

/** @param {number} count */
function roundsFor(count) {
    return Math.min(ROUNDS, count <= 10 ? 3 : count <= 50 ? 2 : 1);
}

/**
 * A whole life with a number of hosts, and the same work by others meanwhile.
 *
 * @param {number} count
 * @param {number} round
 * @param {Rig} rig
 */
async function measureFor(count, round, rig) {
    const { workspace, fleet, ours, sheet } = rig;
    const addresses = fleet.addresses(0, count + 1);
    const hosts = addresses.slice(0, count);
    const container = count === 0 ? undefined : await fleet.start(addresses);
    /** @type {(name: string, command: string, args: string[], touched: readonly string[]) => Promise<void>} */
    const measure = async (name, command, args, touched) => {
        const options = { cwd: ours, env: workspace.environment };
        const { logins, ...cost } = await costWithHosts(
            rig,
            { command, args, options },
            container,
            addresses,
        );
        if (round < 0) return;
        sheet.add(`ours: ${name}`, count, cost);
        addresses.forEach((address, index) => {
            const kind = name === "doctor" ? "looked at" : "changed";
            sheet.addConnections(
                touched.includes(address) ? kind : "left alone",
                logins[index] ?? 0,
            );
        });
    };
    /** @type {(name: string, changed: readonly string[], ...more: string[]) => Promise<void>} */
    const up = (name, changed, ...more) =>
        measure(name, "pulumi", ["up", "--yes", "--skip-preview", ...more, ...FLAGS], changed);

    configure(rig, hosts);
    await up("first up", hosts);
    sheet.addState(count, {
        file: stateSize(join(workspace.folder, "state")),
        exported: (await workspace.pulumi(ours, ["stack", "export"])).length,
    });
    await up("no-op", [], "--expect-no-changes");
    const doctor = join(PROJECT, "scripts/check/doctor.mjs");
    await measure("doctor", "node", [doctor, workspace.name], hosts);
    if (container !== undefined) {
        await measureOthers(hosts, round, rig);
        configure(rig, addresses);
        await up("one host more", addresses.slice(-1));
        // The second changes what the registry shows, and nothing on the hosts.
        /** @type {[string, string[], string[]][]} */
        const steps = [
            ["1st", ["1", "2"], addresses],
            ["2nd", ["2", "1"], []],
            ["3rd", ["2"], addresses],
        ];
        for (const [name, authorities, changed] of steps) {
            configure(rig, addresses, { authorities });
            await up(`new authority, ${name} up`, changed);
        }
        configure(rig, [], { authorities: ["2"] });
        await up("all hosts out", addresses);
        configure(rig, addresses, { authorities: ["2"] });
        await up("all hosts in", addresses);
    }
    await measure(
        "destroy",
        "pulumi",
        ["destroy", "--yes", "--skip-preview", ...FLAGS],
        count === 0 ? [] : addresses,
    );
    await workspace.removeData();
    if (container !== undefined) await fleet.stop(container);
}

/**
 * The others, each on hosts as new. The registry is that of ours.
 *
 * @param {readonly string[]} hosts
 * @param {number} round
 * @param {Rig} rig
 */
async function measureOthers(hosts, round, rig) {
    const { workspace, fleet, ours, port, others, sheet } = rig;
    const exported = JSON.parse(await workspace.pulumi(ours, ["stack", "export"]));
    /** @type {{ urn: string, inputs?: { stdin: string } }[]} */
    const resources = exported.deployment.resources;
    const script = resources.find(({ urn }) => urn.includes("command:remote:Command::"))?.inputs
        ?.stdin;
    if (script === undefined) throw new Error("the state has no client host");
    const bundle = await workspace.pulumi(ours, ["stack", "output", "caCertificate"]);
    const folder = join(workspace.folder, "work");
    const work = {
        ...{ hostname: HOSTNAME, address: fleet.gateway, registry: `${HOSTNAME}:${port}` },
        ...{ ca: `${folder}-ca.crt`, script: `${folder}-script.sh` },
    };
    writeFileSync(work.ca, bundle);
    writeFileSync(work.script, script);

    const addresses = fleet.addresses(1, hosts.length);
    /** @type {[string, import("./fleet/others.mjs").Command][][]} */
    const sets = [
        [
            ["ssh true", bySsh(fleet, addresses, "true")],
            ["our script by ssh", bySsh(fleet, addresses, "sh -s apply", work.script)],
            ["our check by ssh", bySsh(fleet, addresses, "sh -s check", work.script)],
        ],
    ];
    if (others !== undefined && round === 0 && hosts.length <= OTHERS_MOST) {
        const byScript = byAnsible(others, fleet, addresses, "playbook-script.yml", work, folder);
        const ansible = byAnsible(others, fleet, addresses, "playbook.yml", work, folder);
        const pyinfra = byPyinfra(others, fleet, addresses, work, folder);
        sets.push(
            [["Ansible, our script", byScript]],
            [
                ["Ansible", ansible],
                ["Ansible, second pass", ansible],
            ],
            [
                ["pyinfra", pyinfra],
                ["pyinfra, second pass", pyinfra],
            ],
        );
    }
    for (const set of sets) {
        const container = await fleet.start(addresses);
        for (const [name, command] of set) {
            sheet.add(name, hosts.length, await costWithHosts(rig, command, container, addresses));
        }
        await fleet.stop(container);
    }
}

/**
 * The cost of a command with its part on the hosts, and how often it logged in to each.
 *
 * @param {Rig} rig
 * @param {import("./fleet/others.mjs").Command} command
 * @param {string | undefined} container
 * @param {readonly string[]} addresses
 */
async function costWithHosts({ fleet }, { command, args, options }, container, addresses) {
    const look = async () =>
        container === undefined
            ? { cpu: 0, logins: [] }
            : { cpu: await cpuOf(container), logins: await fleet.logins(container, addresses) };
    const before = await look();
    const { code, stdout, stderr, ...cost } = await costOf(command, args, options);
    const after = await look();
    if (code !== 0)
        throw new Error(`${command}: exit ${code}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
    return {
        ...cost,
        cpu: cost.cpu + after.cpu - before.cpu,
        logins: after.logins.map((count, index) => count - (before.logins[index] ?? 0)),
    };
}

/**
 * Adds hosts to a registry: all alive, and then with one that refuses connections and one that answers nothing.
 *
 * @param {Rig} rig
 */
async function measureDead(rig) {
    const { workspace, fleet, ours } = rig;
    const options = { cwd: ours, env: workspace.environment };
    const args = ["up", "--yes", "--skip-preview", "--continue-on-error", ...FLAGS];
    const addresses = fleet.addresses(0, WITH_DEAD);
    const alive = addresses.slice(0, -2);
    const [refusing = "", silent = ""] = addresses.slice(-2);
    say(`${WITH_DEAD} hosts, two of them dead`);

    /** @type {(kinds: Readonly<Record<string, "refuses" | "silent">>) => Promise<any>} */
    const addAll = async (kinds) => {
        configure(rig, []);
        await workspace.up(ours);
        const container = await fleet.start(addresses, kinds);
        configure(rig, addresses);
        const cost = await costOf("pulumi", args, options);
        const logins = await fleet.logins(container, alive);
        // Those that are dead are not in the state.
        await workspace.destroy(ours);
        await workspace.removeData();
        await fleet.stop(container);
        return { ...cost, logins };
    };
    const good = await addAll({});
    const bad = await addAll({ [refusing]: "refuses", [silent]: "silent" });
    // What comes before is about resources, and the outputs name every host.
    const said = (bad.stdout + bad.stderr).split("Diagnostics:")[1]?.split("Outputs:")[0] ?? "";
    return {
        added: bad.wall - good.wall,
        done: bad.logins.filter((/** @type {number} */ count) => count === 1).length,
        alive: alive.length,
        named: [refusing, silent].filter((address) => said.includes(`${address}:22`)).length,
        isGreen: bad.code === 0,
    };
}

/**
 * Wall time of adding hosts to a registry over a network with a delay.
 *
 * @param {Rig} rig
 * @param {number} delay milliseconds one way
 */
async function addSlowly(rig, delay) {
    const { workspace, fleet, ours } = rig;
    const addresses = fleet.addresses(0, SLOW);
    say(`${SLOW} hosts, ${2 * delay} ms there and back`);
    configure(rig, []);
    await workspace.up(ours);
    const container = await fleet.start(addresses);
    const { hosts, end } = await relay(addresses, delay);
    try {
        configure(rig, hosts);
        const options = { cwd: ours, env: workspace.environment };
        const args = ["up", "--yes", "--skip-preview", ...FLAGS];
        const { wall, code, stdout } = await costOf("pulumi", args, options);
        if (code !== 0) throw new Error(`pulumi up: exit ${code}\n${stdout.slice(-4000)}`);
        await workspace.destroy(ours);
        return wall;
    } finally {
        end();
        await workspace.removeData();
        await fleet.stop(container);
    }
}

/**
 * @param {Rig} rig
 * @param {readonly (string | { host: string, port: number })[]} places
 * @param {Record<string, unknown>} more
 */
function configure({ workspace, fleet, ours, port }, places, more = {}) {
    const all = places.map((place) => (typeof place === "string" ? { host: place } : place));
    writeFileSync(workspace.stackFileOf(ours), fleet.stackFile(all, port, more));
}

/**
 * Bytes of the stack's state, in the form that the backend keeps it in.
 *
 * @param {string} folder of the backend
 */
function stateSize(folder) {
    const stacks = join(folder, ".pulumi/stacks");
    const [state] = readdirSync(stacks, { recursive: true, encoding: "utf8" }).filter((path) =>
        /\.json(\.gz)?$/.test(path),
    );
    if (state === undefined) throw new Error(`no state in ${stacks}`);
    return statSync(join(stacks, state)).size;
}

/**
 * @param {Sheet} sheet
 * @param {Awaited<ReturnType<typeof measureDead>>} dead
 * @param {number} slow
 * @param {boolean} hasOthers
 */
function report(sheet, dead, slow, hasOthers) {
    const most = COUNTS.at(-1) ?? 0;
    const many = COUNTS.filter((count) => count >= 10);
    /** @type {(name: string, other: string, count: number, aims?: { wall?: string, cpu?: string }) => { name: string, value: number, aim?: string }[]} */
    const ratios = (name, other, count, aims = {}) =>
        /** @type {const} */ (["wall", "cpu"]).map((what) => ({
            name: `${count} hosts, ${what === "cpu" ? "CPU" : what}: ${name} / ${other}`,
            value: sheet.median(name, count, what) / sheet.median(other, count, what),
            aim: aims[what],
        }));
    const faster = ">= 1";
    const others = (hasOthers ? many : [])
        .filter((count) => count <= OTHERS_MOST)
        .flatMap((count) => [
            ...ratios("Ansible", "ours: first up", count, { wall: faster, cpu: ">= 10" }),
            ...ratios("Ansible, our script", "ours: first up", count, { wall: faster }),
            ...ratios("Ansible, our script", "ours: all hosts in", count, { wall: faster }),
            ...ratios("pyinfra", "ours: first up", count, { cpu: ">= 5" }),
            ...ratios("pyinfra", "ours: all hosts in", count),
            ...ratios("Ansible, second pass", "ours: no-op", count, { wall: faster }),
            ...ratios("pyinfra, second pass", "ours: no-op", count, { wall: faster }),
        ]);
    const growing = [
        "first up",
        "all hosts in",
        "all hosts out",
        "new authority, 1st up",
        "destroy",
    ];
    const growth =
        many.length < 2
            ? []
            : [
                  ...growing.map((name) => ({
                      name: `growth, wall: ${name}`,
                      value: sheet.growth(`ours: ${name}`, "wall"),
                      aim: "<= 1.2",
                  })),
                  {
                      name: "growth, CPU: first up",
                      value: sheet.growth("ours: first up", "cpu"),
                      aim: "<= 1.2",
                  },
              ];
    const floor = { wall: "<= 1.25", cpu: "<= 1.25" };
    return {
        unit: "s",
        samples: sheet.samples(),
        tables: sheet.tables(),
        ratios: [
            ...ratios("ours: first up", "ssh true", most, floor),
            ...ratios("ours: first up", "our script by ssh", most),
            ...ratios("ours: doctor", "ssh true", most, floor),
            ...ratios("ours: doctor", "our check by ssh", most),
            ...others,
            ...sheet.connectionRatios(),
            ...Object.entries(sheet.statePerHost(most)).map(([form, value]) => ({
                name: `${most} hosts: state per host, KB, ${form}`,
                value,
                aim: "<= 8",
            })),
            ...growth.filter(({ value }) => !Number.isNaN(value)),
            {
                name: `${SLOW} hosts, ${2 * DELAY} ms there and back / without delay, wall`,
                value: slow,
                aim: "<= 3",
            },
            {
                name: `two dead of ${WITH_DEAD} hosts: added wall, s`,
                value: dead.added,
                aim: "<= 25",
            },
            { name: "others done", value: dead.done, aim: `= ${dead.alive}` },
            { name: "dead hosts named", value: dead.named, aim: "= 2" },
        ],
        facts: [
            `The up with two dead hosts was ${dead.isGreen ? "**green**" : "red"}. Of ours and the floor there is the median of ${sheet.rounds("ours: no-op")} samples (0, ${COUNTS.join(", ")} hosts), of the rest one. A state's file is compressed.`,
            ...(hasOthers ? [] : ["Ansible and pyinfra could not be installed, and are left out."]),
        ],
    };
}
