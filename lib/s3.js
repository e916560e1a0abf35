// @ts-check
// The few requests to a bucket that this program makes itself, signed by aws4fetch. JavaScript, because programs that run
// without a compiler need it as well.
"use strict";
const { createHash } = require("node:crypto");
const http = require("node:http");
const https = require("node:https");
const { once } = require("node:events");
const { Readable } = require("node:stream");
const { text } = require("node:stream/consumers");
const { AwsV4Signer } = require("aws4fetch");

/** Says in a bucket that the images of a volume are being moved there: no `up` takes a bucket with it. */
const MOVE_MARK = ".private-registry-move";
const TIMEOUT_MS = 10_000;
/** What brings bytes is answered when they are kept. */
const WRITE_TIMEOUT_MS = 300_000;
const TRIES = 4;
/** How a connection ends that the other side has closed. */
const ENDED = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);
/** A single request may bring 5 GiB. */
const PART_BYTES = 1 << 30;

/**
 * @typedef {import("./s3").Answer} Answer
 * @typedef {import("./s3").Question} Question
 * @typedef {import("./storage-config").S3Storage} S3Storage
 */

class Bucket {
    /**
     * @param {S3Storage} storage
     * @param {(secure: boolean) => import("node:http").Agent} [agentFor]
     */
    constructor(
        storage,
        agentFor = (secure) =>
            secure ? new https.Agent({ ca: storage.caCertificate }) : new http.Agent(),
    ) {
        this.storage = storage;
        const { endpoint, region, bucket, forcePathStyle } = storage;
        const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
        if (!forcePathStyle) base.hostname = `${bucket}.${base.hostname}`;
        this.base = `${base.origin}${forcePathStyle ? `/${bucket}` : ""}`;
        this.agent = agentFor(base.protocol === "https:");
    }

    /**
     * Asks for an object, or with an empty key for the bucket.
     *
     * @param {string} method
     * @param {string} key
     * @param {Question} [question]
     * @returns {Promise<Answer>}
     */
    async ask(method, key, question = {}) {
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
                return await this.#send(method, signed.url, signed.headers, content, length);
            } catch (error) {
                const { code = "" } = /** @type {NodeJS.ErrnoException} */ (error);
                if (tries === TRIES || !isRepeatable(content) || !ENDED.has(code)) throw error;
            }
        }
    }

    /**
     * @param {string} method
     * @param {URL} url
     * @param {Headers} headers
     * @param {Question["body"]} body
     * @param {number | undefined} length
     * @returns {Promise<Answer>}
     */
    #send(method, url, headers, body, length) {
        const { request } = url.protocol === "http:" ? http : https;
        const timeout = body === undefined ? TIMEOUT_MS : WRITE_TIMEOUT_MS;
        return new Promise((resolve, reject) => {
            const { agent } = this;
            // A connection that was used before may end at any moment, and a stream comes only once.
            const line = isRepeatable(body)
                ? { agent }
                : {
                      createConnection: (/** @type {any} */ where) =>
                          /** @type {any} */ (agent).createConnection({
                              ...agent.options,
                              ...where,
                          }),
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
            call.on("timeout", () =>
                call.destroy(
                    Object.assign(new Error(`no answer in ${timeout / 1000} s`), {
                        code: "ETIMEDOUT",
                    }),
                ),
            );
            call.on("error", reject);
            if (isRepeatable(body)) {
                call.end(body);
            } else {
                pour(body, call).catch((error) => call.destroy(error));
            }
        });
    }

    /**
     * Puts an object there, whole or not at all; the service checks every byte where the digest is known.
     *
     * @param {string} key
     * @param {AsyncIterable<Buffer> | Buffer} body
     * @param {{ length: number, sha256: string, partBytes?: number }} content
     */
    async put(key, body, { length, sha256, partBytes = PART_BYTES }) {
        const headers = this.storage.encrypt ? { "x-amz-server-side-encryption": "AES256" } : {};
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

    /**
     * Objects whose keys begin so, page by page.
     *
     * @param {string} prefix
     * @returns {AsyncGenerator<import("./s3").Listed>}
     */
    async *list(prefix) {
        /** @type {string | undefined} */
        let token = "";
        while (token !== undefined) {
            const query = {
                "list-type": "2",
                prefix,
                ...(token === "" ? {} : { "continuation-token": token }),
            };
            const answer = must(await this.ask("GET", "", { query }));
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

/**
 * @param {Question["body"]} body
 * @returns {body is Buffer | undefined}
 */
function isRepeatable(body) {
    return body === undefined || Buffer.isBuffer(body);
}

/** An answer that says no. */
class Refusal extends Error {
    /** @param {Answer} answer */
    constructor({ status, code, body }) {
        super(`${code ?? status}: ${element(body, "Message") ?? "no reason given"}`);
        this.status = status;
        this.code = code;
    }
}

/** @param {Answer} answer */
function must(answer) {
    if (answer.status !== 200) throw new Refusal(answer);
    return answer;
}

/** A stream in pieces of given lengths. */
class Pieces {
    /** @type {Buffer} */
    #left = Buffer.alloc(0);

    /**
     * @param {AsyncIterable<Buffer>} body
     * @param {(chunk: Buffer) => void} see
     */
    constructor(body, see) {
        this.chunks = body[Symbol.asyncIterator]();
        this.see = see;
    }

    /**
     * @param {number} length
     * @returns {AsyncGenerator<Buffer>}
     */
    async *take(length) {
        for (let rest = length; rest > 0;) {
            if (this.#left.length === 0) {
                const next = await this.chunks.next();
                if (next.done === true) return;
                this.#left = next.value;
                this.see(next.value);
            }
            const chunk = this.#left.subarray(0, rest);
            this.#left = this.#left.subarray(chunk.length);
            rest -= chunk.length;
            yield chunk;
        }
    }
}

/**
 * @param {AsyncIterable<Buffer>} chunks
 * @param {import("node:http").ClientRequest} call
 */
async function pour(chunks, call) {
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

/**
 * @param {string} xml
 * @param {string} name
 */
function element(xml, name) {
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

/** @param {string} text as a path of a signed request has it */
function encode(text) {
    return encodeURIComponent(text).replace(
        /[!'()*]/g,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}

/** @param {Buffer | string} content */
function sha256(content) {
    return createHash("sha256").update(content).digest("hex");
}

module.exports = { Bucket, MOVE_MARK, Refusal };
