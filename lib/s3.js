// @ts-check
// The few requests to a bucket that this program makes itself, signed by aws4fetch. JavaScript, because programs that run
// without a compiler need it as well.
"use strict";
const { createHash } = require("node:crypto");
const http = require("node:http");
const https = require("node:https");
const { text } = require("node:stream/consumers");
const { AwsV4Signer } = require("aws4fetch");

const TIMEOUT_MS = 10_000;

/**
 * @typedef {import("./s3").Answer} Answer
 * @typedef {import("./s3").Question} Question
 * @typedef {import("./storage-config").S3Storage} S3Storage
 */

class Bucket {
    /**
     * @param {S3Storage} storage
     * @param {import("node:http").AgentOptions} [agentOptions]
     */
    constructor(storage, agentOptions = {}) {
        this.storage = storage;
        const { endpoint, region, bucket, forcePathStyle, caCertificate } = storage;
        const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
        if (!forcePathStyle) base.hostname = `${bucket}.${base.hostname}`;
        this.base = `${base.origin}${forcePathStyle ? `/${bucket}` : ""}`;
        this.agent =
            base.protocol === "http:"
                ? new http.Agent(agentOptions)
                : new https.Agent({ ...agentOptions, ca: caCertificate });
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
        return this.#send(method, signed.url, signed.headers, content, length);
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
        return new Promise((resolve, reject) => {
            const options = {
                method,
                agent: this.agent,
                headers: {
                    ...Object.fromEntries(headers),
                    ...(length === undefined ? {} : { "content-length": length }),
                },
                timeout: TIMEOUT_MS,
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
                    Object.assign(new Error(`no answer in ${TIMEOUT_MS / 1000} s`), {
                        code: "ETIMEDOUT",
                    }),
                ),
            );
            call.on("error", reject);
            if (body === undefined || Buffer.isBuffer(body) || typeof body === "string") {
                call.end(body);
            } else {
                pour(body, call).then(
                    () => call.end(),
                    (error) => call.destroy(error),
                );
            }
        });
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
            const answer = await this.ask("GET", "", { query });
            if (answer.status !== 200) throw new Refusal(answer);
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

/** An answer that says no. */
class Refusal extends Error {
    /** @param {Answer} answer */
    constructor({ status, code, body }) {
        super(`${code ?? status}: ${element(body, "Message") ?? "no reason given"}`);
        this.status = status;
        this.code = code;
    }
}

/**
 * @param {AsyncIterable<Buffer>} chunks
 * @param {import("node:http").ClientRequest} call
 */
async function pour(chunks, call) {
    for await (const chunk of chunks) {
        if (call.destroyed) return;
        if (!call.write(chunk)) {
            await new Promise((resolve) => {
                call.once("drain", resolve);
                call.once("close", resolve);
            });
        }
    }
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

module.exports = { Bucket, Refusal };
