// @ts-check
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { costOf } from "./fleet/cost.mjs";
import { cpuOf, Fleet } from "./fleet/hosts.mjs";
import { byAnsible, byPyinfra, bySsh, install, PARALLEL, versions } from "./fleet/others.mjs";
import { Sheet } from "./fleet/sheet.mjs";
import { say } from "./measure.mjs";
import { FLAGS, freePort, PROJECT, withWorkspace } from "./workspace.mjs";

/** Numbers of hosts, ascending. */
const COUNTS = (process.env.BENCH_FLEET_HOSTS ?? "1,10,50,200").split(",").map(Number);
/** More hosts than this are not given to Ansible and pyinfra: they would take minutes. */
const OTHERS_MOST = 50;
/** Rounds at the most. */
const ROUNDS = Number(process.env.BENCH_FLEET_ROUNDS ?? 3);
/** Hosts where two are dead. */
const WITH_DEAD = Math.min(40, Math.max(4, ...COUNTS));
const HOSTNAME = "registry.example.test";

export const title = "Many client hosts, and the same work by Ansible, pyinfra and plain ssh";
export const about = `
Each client host has an address, an sshd and a file system of its own, all of them in one container; their host key is one and
the same, and verified. "First up" makes the registry too, with 0 hosts nothing else; it ends when each host has its line in
\`/etc/hosts\` and the certificates for Docker, and has proved by curl that it trusts the registry. A new authority is three ups:
trust it too, have it sign (nothing changes on the hosts), forget the old one. The doctor looks at every host and changes nothing.

The floor is \`ssh HOST true\` for each host, ${PARALLEL} at a time by xargs; "our script" and "our check" are that with the script that an
up and the doctor run. Ansible and pyinfra (${versions}) do the same with modules of their own, ${PARALLEL} hosts
or more at a time; Ansible with pipelining, kept connections, no facts and the strategy \`free\`, and once more with our script as
its only task. A second pass finds all as it should be and looks at every host; an up that changes nothing does not look, the
doctor does. They are given ${OTHERS_MOST} hosts at the most, and one round. Ours and the floor are medians of 3 rounds up to 10 hosts, of 2
up to 50, above that one sample; nothing is warmed up but the program. \`BENCH_FLEET_HOSTS=1,10\` chooses the numbers of hosts.

CPU is user and system time of what was run, with all that it starts, and of all hosts together. Growth is the exponent of the
power of the number of hosts that fits best from 10 hosts on, of ours without what 0 hosts take: 1 is linear.`;

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
            return report(sheet, dead, others !== undefined);
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
    sheet.addState(count, stateSize(join(workspace.folder, "state")));
    await up("no-op", [], "--expect-no-changes");
    if (container !== undefined) {
        await measureOthers(hosts, round, rig);
        const doctor = join(PROJECT, "scripts/check/doctor.mjs");
        await measure("doctor", "node", [doctor, workspace.name], hosts);
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
    const printed = bad.stdout + bad.stderr;
    return {
        added: bad.wall - good.wall,
        done: bad.logins.filter((/** @type {number} */ count) => count === 1).length,
        alive: alive.length,
        named: [refusing, silent].filter((address) => printed.includes(address)).length,
        isGreen: bad.code === 0,
    };
}

/**
 * @param {Rig} rig
 * @param {readonly string[]} addresses
 * @param {Record<string, unknown>} more
 */
function configure({ workspace, fleet, ours, port }, addresses, more = {}) {
    const clients = addresses.map((host, index) => [
        `host${index + 1}`,
        { host, hostKey: fleet.hostKey },
    ]);
    const values = {
        ...{ hostname: HOSTNAME, port, address: fleet.gateway, bindAddress: fleet.gateway },
        ssh: { privateKeyPath: fleet.privateKeyPath },
        clients: Object.fromEntries(clients),
        ...more,
    };
    const config = Object.entries(values).map(([key, value]) => [`private-registry:${key}`, value]);
    // JSON is YAML too.
    writeFileSync(
        workspace.stackFileOf(ours),
        JSON.stringify({ config: Object.fromEntries(config) }),
    );
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
 * @param {boolean} hasOthers
 */
function report(sheet, dead, hasOthers) {
    const most = COUNTS.at(-1) ?? 0;
    const mostOfOthers = COUNTS.filter((count) => count <= OTHERS_MOST).at(-1);
    /** @type {(name: string, other: string, count: number, aim?: string) => { name: string, value: number, aim?: string }[]} */
    const ratios = (name, other, count, aim) =>
        /** @type {const} */ (["wall", "cpu"]).map((what) => ({
            name: `${count} hosts, ${what === "cpu" ? "CPU" : what}: ${name} / ${other}`,
            value: sheet.median(name, count, what) / sheet.median(other, count, what),
            aim,
        }));
    const others =
        hasOthers && mostOfOthers !== undefined
            ? [
                  ...ratios("Ansible", "ours: first up", mostOfOthers, ">= 10"),
                  ...ratios("Ansible, our script", "ours: first up", mostOfOthers),
                  ...ratios("pyinfra", "ours: first up", mostOfOthers, ">= 5"),
              ].map((ratio) => (ratio.name.includes("wall") ? { ...ratio, aim: undefined } : ratio))
            : [];
    return {
        unit: "s",
        samples: sheet.samples(),
        tables: sheet.tables(),
        ratios: [
            ...ratios("ours: first up", "ssh true", most, "<= 1.25"),
            ...ratios("ours: first up", "our script by ssh", most),
            ...others,
            ...ratios("ours: doctor", "ssh true", most, "<= 1.25"),
            ...ratios("ours: doctor", "our check by ssh", most),
            ...sheet.connectionRatios(),
            {
                name: `${most} hosts: state per host, KB`,
                value: sheet.statePerHost(most),
                aim: "<= 8",
            },
            ...(COUNTS.filter((count) => count >= 10).length > 1
                ? [
                      {
                          name: "growth of the first up, wall",
                          value: sheet.growth("ours: first up", "wall"),
                          aim: "<= 1.2",
                      },
                      {
                          name: "growth of the first up, CPU",
                          value: sheet.growth("ours: first up", "cpu"),
                          aim: "<= 1.2",
                      },
                  ]
                : []),
            {
                name: `two dead of ${WITH_DEAD} hosts: added wall, s`,
                value: dead.added,
                aim: "<= 25",
            },
            { name: "others done", value: dead.done, aim: `= ${dead.alive}` },
            { name: "dead hosts named", value: dead.named, aim: "= 2" },
        ],
        facts: [
            `The up with two dead hosts was ${dead.isGreen ? "**green**" : "red"}. The state's size is that of its file.`,
            ...(hasOthers ? [] : ["Ansible and pyinfra could not be installed, and are left out."]),
        ],
    };
}
