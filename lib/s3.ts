import { createHash } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { AwsV4Signer } from "aws4fetch";
import { noAnswer } from "./no-answer";
import type { S3Storage } from "./storage-config";

/** Says in a bucket that the images of a volume are being moved there: no `up` takes a bucket with it. */
export const MOVE_MARK = ".private-registry-move";
const TIMEOUT_MS = 10_000;
/** What brings bytes is answered when they are kept. */
const WRITE_TIMEOUT_MS = 300_000;
const TRIES = 4;
/** How a connection ends that the other side has closed. */
const ENDED = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);
/** A single request may bring 5 GiB. */
const PART_BYTES = 1 << 30;

export interface Answer {
    readonly status: number;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
    /** What the service calls the error, such as NoSuchBucket. */
    readonly code: string | undefined;
}

export interface Question {
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Buffer | string | AsyncIterable<Buffer>;
    /** Of a body that comes in pieces. Unit: bytes. */
    readonly length?: number;
    /** Of a body that comes in pieces, in hex: the service takes the object only if it has it. */
    readonly sha256?: string;
    /** Asks without keys. */
    readonly isAnonymous?: boolean;
}

export interface Listed {
    readonly key: string;
    /** Unit: bytes. */
    readonly size: number;
}

type Content = Buffer | AsyncIterable<Buffer> | undefined;

/** A bucket of S3 or of a service that speaks as it does: the few requests that this program makes itself. */
export class Bucket {
    public readonly agent: http.Agent;
    private readonly base: string;

    /** @param agentFor what opens the connections, with or without TLS; by default this machine does */
    constructor(
        public readonly storage: S3Storage,
        agentFor: (isSecure: boolean) => http.Agent = (isSecure) =>
            isSecure ? new https.Agent({ ca: storage.caCertificate }) : new http.Agent(),
    ) {
        const { endpoint, region, bucket, forcePathStyle } = storage;
        const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
        if (!forcePathStyle) base.hostname = `${bucket}.${base.hostname}`;
        this.base = `${base.origin}${forcePathStyle ? `/${bucket}` : ""}`;
        this.agent = agentFor(base.protocol === "https:");
    }

    /**
     * Asks for an object, or with an empty key for the bucket; again when the connection had just been closed, and the body is
     * none or a buffer.
     */
    public async ask(method: string, key: string, question: Question = {}): Promise<Answer> {
        const { query = {}, headers = {}, body, isAnonymous = false } = question;
        const { accessKey, secretKey, region } = this.storage;
        const url = new URL(`${this.base}/${key.split("/").map(encode).join("/")}`);
        for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
        const content = typeof body === "string" ? Buffer.from(body) : body;
        const length = Buffer.isBuffer(content) ? content.length : question.length;
        const hash = question.sha256 ?? (Buffer.isBuffer(content) ? sha256(content) : undefined);
        const signed = isAnonymous
            ? { url, headers: new Headers(headers) }
            : await new AwsV4Signer({
                  method,
                  url: url.href,
                  headers: {
                      ...headers,
                      "x-amz-content-sha256": hash ?? sha256(""),
                  },
                  accessKeyId: accessKey,
                  secretAccessKey: secretKey,
                  service: "s3",
                  region,
              }).sign();
        for (let tries = 1; ; tries++) {
            try {
                return await this.send(method, signed.url, signed.headers, content, length);
            } catch (error) {
                const { code = "" } = error as NodeJS.ErrnoException;
                if (tries === TRIES || !isRepeatable(content) || !ENDED.has(code)) throw error;
            }
        }
    }

    private send(
        method: string,
        url: URL,
        headers: Headers,
        body: Content,
        length: number | undefined,
    ): Promise<Answer> {
        const { request } = url.protocol === "http:" ? http : https;
        const timeout = body === undefined ? TIMEOUT_MS : WRITE_TIMEOUT_MS;
        return new Promise((resolve, reject) => {
            const agent = this.agent as http.Agent & { readonly options: http.AgentOptions };
            // A connection that was used before may end at any moment, and a stream comes only once.
            const line = isRepeatable(body)
                ? { agent }
                : {
                      createConnection: (where: http.ClientRequestArgs) =>
                          agent.createConnection({ ...agent.options, ...where }),
                  };
            const options = {
                method,
                ...line,
                headers: {
                    ...Object.fromEntries(headers),
                    ...(length === undefined ? {} : { "content-length": length }),
                },
                timeout,
            };
            const call = request(url, options, (response) => {
                text(response).then(
                    (body) =>
                        resolve({
                            status: response.statusCode ?? 0,
                            headers: response.headers,
                            body,
                            code: element(body, "Code"),
                        }),
                    reject,
                );
            });
            call.on("timeout", () => call.destroy(noAnswer(timeout)));
            call.on("error", reject);
            if (isRepeatable(body)) {
                call.end(body);
            } else {
                pour(body, call).catch((error: unknown) => call.destroy(error as Error));
            }
        });
    }

    /**
     * Puts an object there, whole or not at all; the service checks every byte where the digest is known. Throws a `Refusal`,
     * also when it has not this SHA-256 (hex).
     */
    public async put(
        key: string,
        body: AsyncIterable<Buffer> | Buffer,
        content: { readonly length: number; readonly sha256: string; readonly partBytes?: number },
    ): Promise<void> {
        const { length, sha256, partBytes = PART_BYTES } = content;
        const headers: Record<string, string> = this.storage.encrypt
            ? { "x-amz-server-side-encryption": "AES256" }
            : {};
        if (length <= 4 * partBytes) {
            must(await this.ask("PUT", key, { body, length, sha256, headers }));
            return;
        }
        const begun = must(await this.ask("POST", key, { query: { uploads: "" }, headers }));
        const uploadId = element(begun.body, "UploadId") ?? "";
        try {
            const parts = [];
            const hash = createHash("sha256");
            const chunks = Buffer.isBuffer(body) ? Readable.from([body]) : body;
            const pieces = new Pieces(chunks, (chunk) => hash.update(chunk));
            for (let rest = length; rest > 0; rest -= partBytes) {
                const size = Math.min(rest, partBytes);
                const part = must(
                    await this.ask("PUT", key, {
                        query: { partNumber: String(parts.length + 1), uploadId },
                        body: pieces.take(size),
                        length: size,
                        sha256: "UNSIGNED-PAYLOAD",
                    }),
                );
                parts.push(
                    `<Part><PartNumber>${parts.length + 1}</PartNumber><ETag>${part.headers.etag}</ETag></Part>`,
                );
            }
            if (hash.digest("hex") !== sha256) throw new Error("it is not what its digest says");
            const complete = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
            const done = must(await this.ask("POST", key, { query: { uploadId }, body: complete }));
            // It may fail after it has begun to say that it worked.
            if (done.code !== undefined) throw new Refusal(done);
        } catch (error) {
            await this.ask("DELETE", key, { query: { uploadId } }).catch(() => undefined);
            throw error;
        }
    }

    /** Objects whose keys begin so, page by page. Throws a `Refusal`. */
    public async *list(prefix: string): AsyncGenerator<Listed> {
        let token: string | undefined = "";
        while (token !== undefined) {
            const query = {
                "list-type": "2",
                prefix,
                ...(token === "" ? {} : { "continuation-token": token }),
            };
            const answer: Answer = must(await this.ask("GET", "", { query }));
            for (const [, item = ""] of answer.body.matchAll(/<Contents>([^]*?)<\/Contents>/g)) {
                yield {
                    key: element(item, "Key") ?? "",
                    size: Number(element(item, "Size")),
                };
            }
            token = element(answer.body, "NextContinuationToken");
        }
    }
}

function isRepeatable(body: Content): body is Buffer | undefined {
    return body === undefined || Buffer.isBuffer(body);
}

/** An answer that says no, in the service's words. */
export class Refusal extends Error {
    public readonly status: number;
    public readonly code: string | undefined;

    constructor({ status, code, body }: Answer) {
        super(`${code ?? status}: ${element(body, "Message") ?? "no reason given"}`);
        this.status = status;
        this.code = code;
    }
}

function must(answer: Answer): Answer {
    if (answer.status !== 200) throw new Refusal(answer);
    return answer;
}

/** A stream in pieces of given lengths. */
class Pieces {
    private left: Buffer = Buffer.alloc(0);
    private readonly chunks: AsyncIterator<Buffer>;

    constructor(
        body: AsyncIterable<Buffer>,
        private readonly see: (chunk: Buffer) => void,
    ) {
        this.chunks = body[Symbol.asyncIterator]();
    }

    public async *take(length: number): AsyncGenerator<Buffer> {
        for (let rest = length; rest > 0;) {
            if (this.left.length === 0) {
                const next = await this.chunks.next();
                if (next.done === true) return;
                this.left = next.value;
                this.see(next.value);
            }
            const chunk = this.left.subarray(0, rest);
            this.left = this.left.subarray(chunk.length);
            rest -= chunk.length;
            yield chunk;
        }
    }
}

async function pour(chunks: AsyncIterable<Buffer>, call: http.ClientRequest): Promise<void> {
    for await (const chunk of chunks) {
        if (call.destroyed) return;
        if (call.write(chunk)) continue;
        const waiting = new AbortController();
        const { signal } = waiting;
        await Promise.race([once(call, "drain", { signal }), once(call, "close", { signal })]);
        waiting.abort();
    }
    call.end();
}

function element(xml: string, name: string): string | undefined {
    const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
    return found
        ?.replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&quot;", '"')
        .replaceAll("&#34;", '"')
        .replaceAll("&apos;", "'")
        .replaceAll("&#39;", "'")
        .replaceAll("&amp;", "&");
}

/** As a path of a signed request has it. */
function encode(text: string): string {
    return encodeURIComponent(text).replace(
        /[!'()*]/g,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}

function sha256(content: Buffer | string): string {
    return createHash("sha256").update(content).digest("hex");
}
