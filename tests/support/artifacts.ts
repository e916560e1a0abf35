import { createHash, randomBytes } from "node:crypto";
import { type Answer, ask, type Question } from "./registry-client";
import type { Outputs } from "./stack";

const OCI = "application/vnd.oci.image";
const MANIFEST = `${OCI}.manifest.v1+json`;
const INDEX = `${OCI}.index.v1+json`;

interface Descriptor {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
}

/** Pushes and pulls without a Docker client, as the team dev: also where Docker would not trust the registry. */
export class ArtifactClient {
    constructor(
        private readonly outputs: Outputs,
        private readonly where: Pick<Question, "address" | "hostname"> = {},
    ) {}

    /** Pushes an image, never seen before, under this tag; returns its digest. */
    public async pushImage(repository: string, tag: string): Promise<string> {
        const config = await this.pushBlob(repository, `${OCI}.config.v1+json`, "{}");
        const content = randomBytes(50_000).toString("base64");
        const layer = await this.pushBlob(repository, `${OCI}.layer.v1.tar`, content);
        const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] };
        return (await this.putManifest(repository, tag, MANIFEST, manifest)).digest;
    }

    /** Pushes an image for two architectures under this tag; returns the digest of its index. */
    public async pushIndex(repository: string, tag: string): Promise<string> {
        const manifests = [];
        for (const architecture of ["amd64", "arm64"]) {
            const digest = await this.pushImage(repository, `${tag}-${architecture}`);
            const { body } = await this.get(repository, `manifests/${digest}`);
            manifests.push({
                ...descriptor(MANIFEST, body),
                platform: { architecture, os: "linux" },
            });
        }
        const index = { schemaVersion: 2, mediaType: INDEX, manifests };
        return (await this.putManifest(repository, tag, INDEX, index)).digest;
    }

    /** Fetches everything that a tag or digest leads to, each checked against its digest; returns its own. */
    public async pull(repository: string, reference: string): Promise<string> {
        const { body } = await this.get(repository, `manifests/${reference}`);
        const parts = JSON.parse(body) as {
            manifests?: Descriptor[];
            layers?: Descriptor[];
            config?: Descriptor;
        };
        for (const { digest } of parts.manifests ?? []) {
            expect(await this.pull(repository, digest)).toBe(digest);
        }
        for (const { digest } of [
            ...(parts.layers ?? []),
            ...(parts.config ? [parts.config] : []),
        ]) {
            const blob = await this.get(repository, `blobs/${digest}`);
            expect(descriptor("", blob.body).digest).toBe(digest);
        }
        return descriptor("", body).digest;
    }

    private async pushBlob(
        repository: string,
        mediaType: string,
        content: string,
    ): Promise<Descriptor> {
        const blob = descriptor(mediaType, content);
        const start = await this.ask(`/v2/${repository}/blobs/uploads/`, { method: "POST" });
        const location = new URL(String(start.headers.location), this.outputs.url);
        location.searchParams.set("digest", blob.digest);
        const contentType = "application/octet-stream";
        const path = `${location.pathname}${location.search}`;
        const end = await this.ask(path, { method: "PUT", body: content, contentType });
        expect([end.status, end.body]).toEqual([201, ""]);
        return blob;
    }

    private async putManifest(
        repository: string,
        tag: string,
        contentType: string,
        value: object,
    ): Promise<Descriptor> {
        const body = JSON.stringify(value);
        const path = `/v2/${repository}/manifests/${tag}`;
        const { status } = await this.ask(path, { method: "PUT", body, contentType });
        expect(status).toBe(201);
        return descriptor(contentType, body);
    }

    private async get(repository: string, path: string): Promise<Answer> {
        const accept = `${MANIFEST}, ${INDEX}`;
        const answer = await this.ask(`/v2/${repository}/${path}`, { accept });
        expect([path, answer.status]).toEqual([path, 200]);
        return answer;
    }

    private ask(path: string, question: Question): Promise<Answer> {
        return ask(this.outputs, path, { team: "dev", ...this.where, ...question });
    }
}

function descriptor(mediaType: string, content: string): Descriptor {
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    return { mediaType, digest, size: Buffer.byteLength(content) };
}
