import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../support/docker";
import { pushImage, servesImage } from "../support/images";
import { interruptedAfter, leftProcesses, recover } from "../support/interrupted";
import { killUnderPushes } from "../support/registry-kills";
import { seededRandom } from "../support/random";
import { ask } from "../support/registry-client";
import { secretsOf } from "../support/stack-secrets";
import { type TestStack, withStack } from "../support/stack";

jest.setTimeout(3 * 60 * 60_000);

/** How many times each thing is done, in percent: SOAK_PERCENT=20 takes a fifth of the time. */
const times = (count: number) =>
    Math.max(1, Math.round((count * Number(process.env.SOAK_PERCENT ?? 100)) / 100));
const random = seededRandom();
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Docker starts a container that ran for ten seconds at once, and one that did not ever later. */
const RESTARTED_AT_ONCE_MS = 10_500;

type Command = "up" | "destroy";

/** What no change of these tests takes away or makes anew. */
const ALWAYS_THERE = [
    "registry-authority-key-1",
    "registry-authority-cert-1",
    "registry-accounts-password-dev",
    "registry-server-http-secret",
];

/** Nothing that is there both times is another one; no value of it is shown. */
function expectSame(before: Record<string, string>, after: Record<string, string>): void {
    for (const name of Object.keys(after).filter((name) => name in before))
        expect([name, after[name] === before[name]]).toEqual([name, true]);
}

/** Interrupts runs of a stack, and sees that nothing is lost by it. */
class Interrupter {
    /** Milliseconds that each kind of run took when nothing was done to it. */
    private readonly durations = new Map<string, number>();
    /** Names of the networks and volumes that any run was making, whether it lived to record them or not. */
    private readonly names = new Set<string>();
    public interruptions = 0;

    constructor(
        private readonly stack: TestStack,
        private readonly signal: NodeJS.Signals,
    ) {}

    /** Runs to the end, to know when a run may be interrupted. */
    public async measure(kind: string, command: Command): Promise<void> {
        const start = Date.now();
        await (command === "up" ? this.stack.up() : this.stack.destroy());
        const known = this.durations.get(kind) ?? Infinity;
        this.durations.set(kind, Math.min(known, Date.now() - start));
        this.note();
    }

    /** Interrupts a run at any moment and does what the documentation says; what was recorded is what is recorded then. */
    public async interrupt(kind: string, command: Command): Promise<void> {
        const { stack, signal } = this;
        const before = await secretsOf(stack);
        const moment = Math.round(random() * 0.9 * (this.durations.get(kind) ?? 0));
        const end = await interruptedAfter(stack, command, moment, signal);
        if (end.code !== 0) this.interruptions++;
        say(`${signal} of ${command} (${kind}) after ${moment} ms: ${end.code ?? end.signal}`);
        this.note();
        if (signal === "SIGKILL") {
            await recover(stack);
        } else {
            expect(await stack.exported()).not.toContain("pending_operations");
        }
        expect(await leftProcesses(stack)).toEqual([]);
        const after = await secretsOf(stack);
        expectSame(before, after);
    }

    /** The same command again comes to its end, and what was recorded before is what is there. */
    public async goOn(): Promise<void> {
        const { stack } = this;
        const before = await secretsOf(stack);
        // Docker may have done what the engine was not told any more.
        if ((await stack.pulumi(["up", "--yes", "--skip-preview"])).code !== 0) {
            say("the next run failed, and goes on after recover");
            await recover(stack);
            await stack.up();
        }
        expectSame(before, await secretsOf(stack));
        const outputs = await stack.outputs();
        for (const team of Object.keys(outputs.teams))
            expect(await ask(outputs, "/v2/", { team })).toMatchObject({ status: 200 });
        expect(await stack.containers()).toHaveLength(2);
        await stack.up("--expect-no-changes");
    }

    /** Nothing that any run made is there any more. */
    public async expectNothingLeft(): Promise<void> {
        expect(await this.stack.containers()).toEqual([]);
        expect(this.names.size).toBeGreaterThan(1);
        for (const name of this.names) {
            const kind = name.includes("network") ? "network" : "volume";
            const { code } = await docker(kind, "inspect", name);
            expect([name, code === 0]).toEqual([name, false]);
        }
    }

    private note(): void {
        const { stack } = this;
        const text = stack.read(".state/.pulumi/stacks/private-registry", `${stack.name}.json`);
        const made = /registry-server-(?:settings|container-network)-[0-9a-f]{7,}/g;
        for (const [name] of text.matchAll(made)) this.names.add(name);
    }
}

/** Another configuration than the last time, which a run takes the whole way for: certificate, accounts, container. */
function* configurations() {
    for (let round = 1; ; round++) {
        yield {
            subjectAltNames: [`registry-${round}.internal`],
            teams: round % 2 === 0 ? ["dev"] : ["dev", "web"],
        };
    }
}

/** Interrupts first runs, changes and destructions of one stack, so many of each. */
async function interruptAll(
    signal: NodeJS.Signals,
    counts: { readonly create: number; readonly change: number; readonly destroy: number },
): Promise<void> {
    await withStack({}, async (stack) => {
        const interrupter = new Interrupter(stack, signal);
        const configuration = configurations();
        const configure = () => stack.configure({ ...configuration.next().value });

        await interrupter.measure("create", "up");
        const image = await pushImage(stack);
        configure();
        await interrupter.measure("change", "up");
        await interrupter.measure("destroy", "destroy");
        // The first run of all takes longer than any other.
        await interrupter.measure("create", "up");
        await stack.destroy();

        const rounds = Math.max(...Object.values(counts));
        const isDue = (count: number, round: number) =>
            Math.floor(((round + 1) * count) / rounds) > Math.floor((round * count) / rounds);
        for (let round = 0; round < rounds; round++) {
            if (isDue(counts.create, round)) await interrupter.interrupt("create", "up");
            await interrupter.goOn();
            expect(await servesImage(stack, image)).toBe(true);
            if (isDue(counts.change, round)) {
                const kept = await secretsOf(stack);
                configure();
                await interrupter.interrupt("change", "up");
                await interrupter.goOn();
                expect(await servesImage(stack, image)).toBe(true);
                const now = await secretsOf(stack);
                expect(Object.keys(now)).toEqual(expect.arrayContaining(ALWAYS_THERE));
                expectSame(kept, now);
            }
            if (isDue(counts.destroy, round)) {
                await interrupter.interrupt("destroy", "destroy");
                // Whoever stopped it may have thought better of it.
                if (random() < 0.5) {
                    await interrupter.goOn();
                    expect(await servesImage(stack, image)).toBe(true);
                }
            }
            await stack.destroy();
            await interrupter.expectNothingLeft();
        }
        await stack.up();
        expect(await servesImage(stack, image)).toBe(true);
        await stack.destroy();
        const total = counts.create + counts.change + counts.destroy;
        say(`${signal}: ${interrupter.interruptions} of ${total} runs were interrupted`);
        expect(interrupter.interruptions).toBeGreaterThan(0);
    });
}

test("runs that are killed at any moment lose nothing, and the next one comes to its end", () =>
    interruptAll("SIGKILL", { create: times(30), change: times(40), destroy: times(30) }));

test.each(["SIGTERM", "SIGINT"] as const)(
    "runs that get a %s at any moment leave no lock and nothing unfinished",
    (signal) => interruptAll(signal, { create: times(3), change: times(4), destroy: times(3) }),
);

test("of two runs at the same time one proceeds, and the other one names it", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const configuration = configurations();
        for (let round = 0; round < times(10); round++) {
            stack.configure({ ...configuration.next().value });
            const up = () => stack.pulumi(["up", "--yes", "--skip-preview"]);
            const first = up();
            await sleep(100 + random() * 500);
            const runs = await Promise.all([first, up()]);
            const refused = runs.filter(({ code }) => code !== 0);
            expect(refused).toHaveLength(1);
            expect(refused[0]?.printed).toMatch(
                /currently locked by 1 lock.*created by .+ \(pid \d+\)/s,
            );
            expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
        }
    }));

test("a registry that is killed again and again under pushes has all that it had accepted", () =>
    withStack({}, async (stack) => {
        const accepted = await killUnderPushes(stack, times(50), RESTARTED_AT_ONCE_MS);
        say(`${accepted} pushes were accepted`);
        expect(accepted).toBeGreaterThan(times(50) * 5);
    }));
