import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { inspect } from "../support/docker";
import { maintain } from "../support/maintenance";
import { type Footprint, footprint } from "../support/processes";
import { seededRandom } from "../support/random";
import { type TestStack, withStack } from "../support/stack";
import { Stream } from "../support/stream";

jest.setTimeout(3 * 60 * 60_000);

/** How long both registries are used, together. SOAK_MINUTES=6 shows in six minutes whether this test works. */
const MINUTES = Number(process.env.SOAK_MINUTES ?? 60);
/** More images than this are not kept: the oldest are deleted. */
const KEPT_IMAGES = 2000;

const random = seededRandom();
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Everybody at once: who pushes, who pulls, who deletes. Knows what was acknowledged. */
class Everybody {
    /** Digest of each image that was acknowledged and that nobody has asked to delete, and its repository. */
    private readonly images = new Map<string, string>();
    private readonly deleted = new Map<string, string>();
    private streams: Stream[] = [];
    public done = 0;
    private number = 0;

    constructor(private readonly registry: ApiImages) {}

    public start(): void {
        this.streams = [
            Stream.start(2, () => this.push()),
            Stream.start(2, () => this.pull()),
            Stream.start(1, () => this.delete()),
        ];
    }

    /** Lets everybody finish; returns what went wrong. */
    public async stop(): Promise<string[]> {
        const ends = await Promise.all(this.streams.map((stream) => stream.end()));
        this.done += ends.reduce((sum, { done }) => sum + done, 0);
        return ends.flatMap(({ failures }) => failures);
    }

    /** Digests of images that are not as they were acknowledged, or are there after they were deleted. */
    public async wrong(): Promise<string[]> {
        const wrong: string[] = [];
        const all = [
            ...[...this.images].map((image) => ({ image, isWanted: true })),
            ...[...this.deleted].map((image) => ({ image, isWanted: false })),
        ];
        say(`${this.images.size} images must be there, and ${this.deleted.size} not`);
        for (const {
            image: [digest, repository],
            isWanted,
        } of all) {
            if ((await this.registry.isIntact(repository, digest)) !== isWanted) wrong.push(digest);
        }
        return wrong;
    }

    private async push(): Promise<void> {
        const number = ++this.number;
        const repository = `team-${number % 20}/app`;
        const { digest } = await this.registry.image(repository, `v${number}`);
        this.images.set(digest, repository);
    }

    private async pull(): Promise<void> {
        const [digest, repository] = this.any() ?? [];
        if (digest === undefined || repository === undefined) return;
        const isIntact = await this.registry.isIntact(repository, digest);
        if (!isIntact && this.images.has(digest)) throw new Error(`${digest} is not intact`);
    }

    private async delete(): Promise<void> {
        const [oldest] = this.images;
        if (oldest === undefined || (this.images.size < KEPT_IMAGES && random() < 0.95)) return;
        const [digest, repository] = oldest;
        this.images.delete(digest);
        await this.registry.delete(repository, digest);
        this.deleted.set(digest, repository);
    }

    private any(): [string, string] | undefined {
        return [...this.images][Math.floor(random() * this.images.size)];
    }
}

/** Median memory over a while, and what is open when nobody asks for anything. */
async function measure(everybody: Everybody, container: string): Promise<Footprint> {
    expect(await everybody.stop()).toEqual([]);
    await sleep(3000);
    const { descriptors } = await footprint(container);
    everybody.start();
    const samples: number[] = [];
    for (let sample = 0; sample < 15; sample++) {
        await sleep(1000);
        samples.push((await footprint(container)).memory);
    }
    return { memory: samples.sort((a, b) => a - b)[7] ?? 0, descriptors };
}

async function kill(stack: TestStack): Promise<void> {
    const { Pid } = (await inspect(stack.containerName)).State as unknown as { Pid: number };
    process.kill(Pid, "SIGKILL");
}

test.each([{ gateway: false }, { gateway: true }])(
    "everything at once, for long: what was acknowledged is there, and nothing grows (%j)",
    (variant) =>
        withStack({ ...variant, teams: { dev: {}, web: {} } }, async (stack) => {
            // Sixty of them are the time that one of the two has.
            const step = (MINUTES / 2 / 60) * 60_000;
            const configure = (generation: number, names = 0) =>
                stack.configure({
                    ...variant,
                    teams: { dev: {}, web: { generation } },
                    subjectAltNames: [`name-${names}.internal`],
                });
            configure(1);
            await stack.up();
            const everybody = new Everybody(new ApiImages(await stack.outputs()));
            const containers = [
                stack.containerName,
                ...(variant.gateway
                    ? [`${stack.containerName}-gateway`, `${stack.containerName}-access`]
                    : []),
            ];
            const measureAll = async () => {
                const all: Footprint[] = [];
                for (const container of containers) all.push(await measure(everybody, container));
                return all;
            };

            // Accounts change, and nothing else happens to the registry: no request may fail.
            everybody.start();
            await sleep(10 * step);
            const before = await measureAll();
            const quiet = Date.now() + 25 * step;
            let changes = 0;
            while (Date.now() < quiet) {
                configure(2 + changes++);
                await stack.up();
                await sleep(step / 2);
            }
            const after = await measureAll();
            expect(await everybody.stop()).toEqual([]);
            say(`${changes} changes of accounts; ${everybody.done} operations, none failed`);
            for (const [index, container] of containers.entries()) {
                const [was, is] = [before[index], after[index]] as [Footprint, Footprint];
                const megabytes = [was, is].map(({ memory }) => Math.round(memory / 1e6));
                say(
                    `${container}: ${megabytes.join(" to ")} MB, ${was.descriptors} to ${is.descriptors} descriptors`,
                );
                expect(is.memory / was.memory).toBeLessThan(1.25);
                expect(is.descriptors - was.descriptors).toBeLessThan(10);
            }

            // Now all that restarts it. Who asks at the wrong moment fails; what was acknowledged stays.
            everybody.start();
            const end = Date.now() + 20 * step;
            const events = { renewals: 0, collections: 0, kills: 0 };
            do {
                configure(2 + changes, ++events.renewals);
                await stack.up();
                await sleep(step);
                const { code, stderr } = await maintain(stack, "gc", []);
                expect([code, stderr]).toEqual([0, expect.anything()]);
                events.collections++;
                await sleep(step);
                await kill(stack);
                events.kills++;
                await sleep(step);
            } while (Date.now() < end);
            const failures = await everybody.stop();
            say(
                `${JSON.stringify(events)}; ${everybody.done} operations, ${failures.length} failed`,
            );
            expect(failures.filter((failure) => failure.includes("not intact"))).toEqual([]);
            expect(await everybody.wrong()).toEqual([]);
        }),
);
