import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { Everybody } from "../support/everybody";
import { maintain } from "../support/maintenance";
import { type Footprint, footprint } from "../support/processes";
import { seededRandom } from "../support/random";
import { killContainer } from "../support/registry-kills";
import { sortFailures } from "../support/restart-failures";
import { withStack } from "../support/stack";

/**
 * How long each of the two registries is used: both together an hour. SOAK_MINUTES=3 shows in some minutes whether this test
 * works, and jest's -t '"gateway":true' chooses one of the two.
 */
const MINUTES = Number(process.env.SOAK_MINUTES ?? 30);
/** File for what was found, for the page of the benchmarks: npm run bench -- soak. */
const RESULT = process.env.SOAK_RESULT;
/** What a process has at the same work may differ by this, and more between two processes of the same age. */
const FLAT = { sameProcess: 1.1, newProcess: 1.25 };
/**
 * The gateway keeps idle connections to the registry and to the access container open for some minutes: one more or one less for
 * each of the five loops. What is not closed at all grows with the operations, of which there are thousands.
 */
const KEPT_CONNECTIONS = 5;

jest.setTimeout((2 * MINUTES + 60) * 60_000);

const random = seededRandom();
const say = (line: string) => process.stdout.write(`${line}\n`);

/** What containers have at one time of a run, by what they are. */
interface Look {
    readonly minute: number;
    readonly footprints: Readonly<Record<string, Footprint>>;
}

/** What is known of one run at its end, or when it fails. */
interface Found {
    readonly gateway: boolean;
    readonly minutes: number;
    readonly events: { ups: number; renewals: number; collections: number; kills: number };
    readonly done: Everybody["done"];
    /** Operations that failed, by kind. */
    readonly failures: Record<string, number>;
    images:
        { readonly there: number; readonly deleted: number; readonly wrong: number } | undefined;
    /** After the warm-up, after the changes of accounts, and as long after the last restart as the warm-up took. */
    readonly looks: Look[];
    /** All through. */
    readonly course: Look[];
}

const everything: Found[] = [];

test.each([{ gateway: false }, { gateway: true }])(
    "everything at once, for long: what was acknowledged is there, and nothing grows (%j)",
    (variant) =>
        withStack({ ...variant, teams: { dev: {}, web: {} } }, async (stack) => {
            // Sixty of them are the time that this one has.
            const step = (MINUTES / 60) * 60_000;
            const began = Date.now();
            const events = { ups: 0, renewals: 0, collections: 0, kills: 0 };
            let names = 0;
            const up = async () => {
                stack.configure({
                    ...variant,
                    teams: { dev: {}, web: { generation: ++events.ups } },
                    subjectAltNames: [`name-${names}.internal`],
                });
                await stack.up();
            };
            await up();
            const everybody = new Everybody(new ApiImages(await stack.outputs()), random);
            const roles = ["registry", ...(variant.gateway ? ["gateway", "access"] : [])];
            const lookAt = async (look: (container: string) => Promise<Footprint>) => {
                const footprints: Record<string, Footprint> = {};
                for (const role of roles) {
                    const end = role === "registry" ? "" : `-${role}`;
                    footprints[role] = await look(`${stack.containerName}${end}`);
                }
                return { minute: (Date.now() - began) / 60_000, footprints };
            };
            const found: Found = {
                ...{ ...variant, minutes: MINUTES, events, done: everybody.done },
                ...{ failures: {}, images: undefined, looks: [], course: [] },
            };
            everything.push(found);

            /** Ends a part in which no request may fail. */
            const stopUnharmed = async () => {
                const failures = await everybody.stop();
                const kind = "while nothing restarts";
                found.failures[kind] = (found.failures[kind] ?? 0) + failures.length;
                expect(failures).toEqual([]);
            };
            /** Memory in the middle of what it is in a while, and what is open when nobody asks for anything. */
            const measure = async (container: string) => {
                await stopUnharmed();
                await sleep(3000);
                const idle = await footprint(container);
                everybody.start();
                const samples: number[] = [];
                for (let sample = 0; sample < 15; sample++) {
                    await sleep(1000);
                    samples.push((await footprint(container)).memory);
                }
                return { ...idle, memory: samples.sort((a, b) => a - b)[7] ?? 0 };
            };
            const watch = setInterval(() => {
                // One that restarts has nothing to look at.
                lookAt(footprint).then(
                    (look) => found.course.push(look),
                    () => undefined,
                );
            }, 5 * step);

            try {
                // Accounts change, and nothing else happens to the registry: no request may fail.
                everybody.start();
                await sleep(10 * step);
                found.looks.push(await lookAt(measure));
                const quiet = Date.now() + 20 * step;
                while (Date.now() < quiet) {
                    await up();
                    await sleep(step / 2);
                }
                found.looks.push(await lookAt(measure));
                await stopUnharmed();
                say(`${events.ups} ups; ${JSON.stringify(everybody.done)}, none failed`);

                // Now all that restarts it. Who asks at the wrong moment fails; what was acknowledged stays.
                everybody.start();
                const end = Date.now() + 15 * step;
                do {
                    names = ++events.renewals;
                    await up();
                    await sleep(step);
                    const { code, stderr } = await maintain(stack, "gc", []);
                    expect([code, stderr]).toEqual([0, expect.anything()]);
                    events.collections++;
                    await sleep(step);
                    await killContainer(stack.containerName);
                    events.kills++;
                    await sleep(step);
                } while (Date.now() < end);
                const { allowed, others } = sortFailures(await everybody.stop());
                Object.assign(found.failures, allowed, { "in another way": others.length });
                say(JSON.stringify({ ...events, ...everybody.done, ...found.failures }));
                expect(others).toEqual([]);

                // As long after the last restart as the first look was after the start.
                everybody.start();
                await sleep(10 * step);
                found.looks.push(await lookAt(measure));
                await stopUnharmed();
                const wrong = await everybody.wrong();
                found.images = { ...everybody.count, wrong: wrong.length };
                say(JSON.stringify(found.images));
                expect(wrong).toEqual([]);

                const [first, ...later] = found.looks;
                for (const role of roles) {
                    const was = first?.footprints[role];
                    for (const { footprints } of later) {
                        const is = footprints[role];
                        if (was === undefined || is === undefined) throw new Error(role);
                        const megabytes = [was, is].map(({ memory }) => Math.round(memory / 1e6));
                        say(
                            `${role}: ${megabytes.join(" to ")} MB, ${was.descriptors} to ${is.descriptors} descriptors`,
                        );
                        const most = is.pid === was.pid ? FLAT.sameProcess : FLAT.newProcess;
                        expect([role, is.memory / was.memory < most]).toEqual([role, true]);
                        expect(is.descriptors - was.descriptors).toBeLessThanOrEqual(
                            KEPT_CONNECTIONS,
                        );
                    }
                }
            } finally {
                clearInterval(watch);
                await everybody.stop();
                if (RESULT !== undefined) writeFileSync(RESULT, JSON.stringify(everything));
            }
        }),
);
