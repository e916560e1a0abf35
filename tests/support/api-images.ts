import { createHash, randomBytes } from "node:crypto";
import { type Answer, ask, type Question } from "./registry-client";
import type { Outputs } from "./stack";

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

/** What a client accepts that knows Docker's and OCI's manifests. */
export const MANIFESTS = `application/vnd.docker.distribution.manifest.v2+json, ${IMAGE}`;

interface Descriptor {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
}

interface Manifest {
    readonly config?: Descriptor;
    readonly layers?: readonly Descriptor[];
    readonly manifests?: readonly Descriptor[];
}

/** Images made and pushed by hand through the registry's API, as the team dev unless told otherwise. */
export class ApiImages {
    constructor(
        private readonly outputs: Outputs,
        private readonly as: Question = { team: "dev" },
    ) {}

    public ask(path: string, question: Question = {}): Promise<Answer> {
        return ask(this.outputs, path, { ...this.as, ...question });
    }

    /** Pushes an image under a tag, or only by its digest; as Docker does, without layers that are there. */
    public async image(
        repository: string,
        tag?: string,
        { created = new Date(), layer = randomBytes(20_000) } = {},
    ): Promise<Descriptor> {
        const config = { created: created.toISOString(), salt: randomBytes(8).toString("hex") };
        const manifest = {
            schemaVersion: 2,
            mediaType: IMAGE,
            config: await this.blob(repository, Buffer.from(JSON.stringify(config))),
            layers: [await this.blob(repository, layer)],
        };
        return this.manifest(repository, tag, manifest);
    }

    public index(
        repository: string,
        tag: string | undefined,
        manifests: readonly Descriptor[],
    ): Promise<Descriptor> {
        return this.manifest(repository, tag, { schemaVersion: 2, mediaType: INDEX, manifests });
    }

    public async delete(repository: string, reference: string): Promise<void> {
        await expecting(
            202,
            this.ask(`/v2/${repository}/manifests/${reference}`, { method: "DELETE" }),
        );
    }

    /** Whether a manifest, all that it consists of, and every byte of that is there. */
    public async isIntact(repository: string, reference: string): Promise<boolean> {
        return (await this.pull(repository, reference)) !== undefined;
    }

    /** Fetches all that a tag or digest leads to; returns its digest, or `undefined` when any of it is not there as it should be. */
    public async pull(repository: string, reference: string): Promise<string | undefined> {
        const answer = await this.ask(`/v2/${repository}/manifests/${reference}`, {
            accept: `${MANIFESTS}, ${INDEX}`,
        });
        const own = digestOf(answer.bytes);
        if (answer.status !== 200 || (reference.includes(":") && reference !== own))
            return undefined;
        const { manifests = [], config, layers = [] } = JSON.parse(answer.body) as Manifest;
        const parts = await Promise.all([
            ...manifests.map(
                async ({ digest }) => (await this.pull(repository, digest)) === digest,
            ),
            ...[...(config === undefined ? [] : [config]), ...layers].map(async ({ digest }) => {
                const blob = await this.ask(`/v2/${repository}/blobs/${digest}`);
                return blob.status === 200 && digestOf(blob.bytes) === digest;
            }),
        ]);
        return parts.every((isThere) => isThere) ? own : undefined;
    }

    private async blob(repository: string, content: Buffer): Promise<Descriptor> {
        const digest = digestOf(content);
        const mediaType = "application/octet-stream";
        const descriptor = { mediaType, digest, size: content.length };
        const known = await this.ask(`/v2/${repository}/blobs/${digest}`, { method: "HEAD" });
        if (known.status !== 200) {
            const begun = this.ask(`/v2/${repository}/blobs/uploads/`, { method: "POST" });
            const { pathname, search } = new URL(
                String((await expecting(202, begun)).headers.location),
            );
            await expecting(
                201,
                this.ask(`${pathname}${search}&digest=${digest}`, {
                    method: "PUT",
                    body: content,
                    contentType: mediaType,
                }),
            );
        }
        return descriptor;
    }

    private async manifest(
        repository: string,
        tag: string | undefined,
        manifest: Manifest & { readonly schemaVersion: number; readonly mediaType: string },
    ): Promise<Descriptor> {
        const body = JSON.stringify(manifest);
        const digest = digestOf(body);
        const { mediaType } = manifest;
        await expecting(
            201,
            this.ask(`/v2/${repository}/manifests/${tag ?? digest}`, {
                method: "PUT",
                body,
                contentType: mediaType,
            }),
        );
        return { mediaType, digest, size: body.length };
    }
}

async function expecting(status: number, asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked;
    if (answer.status !== status) {
        throw new Error(`${answer.status} instead of ${status}: ${answer.body}`);
    }
    return answer;
}

function digestOf(content: Buffer | string): string {
    return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
