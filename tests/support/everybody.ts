import type { ApiImages } from "./api-images";
import { Stream } from "./stream";

/** More images than this are not kept: the oldest are deleted. */
const KEPT_IMAGES = 2000;
/** How many push, pull and delete at a time. */
const LOOPS = { push: 2, pull: 2, delete: 1 };

/** Everybody at once: who pushes, who pulls, who deletes. Knows what was acknowledged. */
export class Everybody {
    /** Digest of each image that was acknowledged and that nobody has asked to delete, and its repository. */
    private readonly images = new Map<string, string>();
    private readonly deleted = new Map<string, string>();
    private streams: Stream[] = [];
    private number = 0;
    /** What was done well. */
    public readonly done = { pushes: 0, pulls: 0, deletions: 0 };

    constructor(
        private readonly registry: ApiImages,
        private readonly random: () => number,
    ) {}

    public start(): void {
        this.streams = [
            Stream.start(LOOPS.push, () => this.push()),
            Stream.start(LOOPS.pull, () => this.pull()),
            Stream.start(LOOPS.delete, () => this.delete()),
        ];
    }

    /** Lets everybody finish; returns what went wrong. */
    public async stop(): Promise<string[]> {
        const ends = await Promise.all(this.streams.map((stream) => stream.end()));
        this.streams = [];
        return ends.flatMap(({ failures }) => failures);
    }

    /** How many images were acknowledged and not deleted, and how many deleted. */
    public get count(): { readonly there: number; readonly deleted: number } {
        return { there: this.images.size, deleted: this.deleted.size };
    }

    /** Digests of images that are not as they were acknowledged, or are there after they were deleted. */
    public async wrong(): Promise<string[]> {
        const wrong: string[] = [];
        const all = [
            ...[...this.images].map((image) => ({ image, isWanted: true })),
            ...[...this.deleted].map((image) => ({ image, isWanted: false })),
        ];
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
        this.done.pushes++;
    }

    private async pull(): Promise<void> {
        const [digest, repository] = this.any() ?? [];
        if (digest === undefined || repository === undefined) return;
        const isIntact = await this.registry.isIntact(repository, digest);
        if (!isIntact && this.images.has(digest)) throw new Error(`${digest} is not intact`);
        this.done.pulls++;
    }

    private async delete(): Promise<void> {
        const [oldest] = this.images;
        if (oldest === undefined || (this.images.size < KEPT_IMAGES && this.random() < 0.95))
            return;
        const [digest, repository] = oldest;
        this.images.delete(digest);
        await this.registry.delete(repository, digest);
        this.deleted.set(digest, repository);
        this.done.deletions++;
    }

    private any(): [string, string] | undefined {
        return [...this.images][Math.floor(this.random() * this.images.size)];
    }
}
