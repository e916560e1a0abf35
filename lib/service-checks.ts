import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { text } from "node:stream/consumers";
import type { Advice } from "./advice";
import { noAnswer } from "./no-answer";
import { redisCommands } from "./registry-config";
import { type Answer, Bucket, MOVE_MARK, Refusal } from "./s3";
import { bucketName, type RedisCache, type S3Storage } from "./storage-config";

const WRITE_TEST = ".private-registry-write-test";

/** What a look at a service came to; neither: it can be used. */
export interface Look {
    /** Why it cannot be used. */
    readonly problem?: string;
    /** Why it cannot be seen from here. */
    readonly unseen?: string;
}

const TIMEOUT_MS = 10_000;
/** Where nothing was reached, the registry's container may still reach it. */
const NO_WAY = new Set([
    "ENOTFOUND",
    "EAI_AGAIN",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "EHOSTUNREACH",
    "ENETUNREACH",
]);

/**
 * Asks a bucket whether it is there, takes the keys, and shows nothing to anybody without.
 *
 * @param say how to tell what to change
 * @param isMove whether this is the move of images itself, which may find its own mark there
 * @param isWritten whether to put a small object there and take it away again
 */
export async function lookAtBucket(
    storage: S3Storage,
    say: Advice,
    { isMove = false, isWritten = false } = {},
): Promise<Look> {
    const bucket = new Bucket(storage);
    const root = storage.rootDirectory === "" ? "" : `${storage.rootDirectory}/`;
    const query = { "list-type": "2", "max-keys": "1", prefix: root };
    try {
        const answer = await bucket.ask("GET", "", { query });
        if (answer.status !== 200) return { problem: refusal(storage, answer.code, answer, say) };
        const open = await openness(bucket, query, /<Key>([^<]+)<\/Key>/.exec(answer.body)?.[1]);
        if (open !== undefined) return { problem: open };
        const mark = await bucket.ask("HEAD", root + MOVE_MARK);
        const refused = isWritten ? await writeTo(bucket, root) : undefined;
        if (refused !== undefined) return { problem: refusal(storage, refused.code, refused, say) };
        return mark.status === 200 && !isMove
            ? {
                  problem: `a move of images to ${bucketName(storage)} has not come to its end: it holds only a part of them. Go on with it: npm run move-to-s3. Or to give it up: delete the object ${root}${MOVE_MARK}`,
              }
            : {};
    } catch (error) {
        return failure(error, bucketName(storage), "storage.s3.endpoint", say);
    }
}

/** Returns the answer that says no. */
async function writeTo(bucket: Bucket, root: string): Promise<Answer | undefined> {
    const put = await bucket.ask("PUT", root + WRITE_TEST, { body: "may be deleted" });
    if (put.status !== 200) return put;
    const deleted = await bucket.ask("DELETE", root + WRITE_TEST);
    return deleted.status < 300 ? undefined : deleted;
}

/** What anybody may see. */
async function openness(
    bucket: Bucket,
    query: Readonly<Record<string, string>>,
    key: string | undefined,
): Promise<string | undefined> {
    const { storage } = bucket;
    const close =
        "Take that right away from everybody (the bucket's policy and access control list; at Amazon: Block Public Access)";
    const list = await bucket.ask("GET", "", { query, isAnonymous: true });
    if (list.status === 200) {
        return `anybody can list ${bucketName(storage)} without keys: every image would be open to the network. ${close}, or take another bucket`;
    }
    if (key === undefined) return undefined;
    const object = await bucket.ask("HEAD", key, { isAnonymous: true });
    return object.status === 200
        ? `anybody can read objects of ${bucketName(storage)} without keys. ${close}, or take another bucket`
        : undefined;
}

function refusal(
    storage: S3Storage,
    code: string | undefined,
    { status, body }: { readonly status: number; readonly body: string },
    say: Advice,
): string {
    const place = bucketName(storage);
    const set = (field: string) =>
        say.set(`storage.s3.${field}`, field === "bucket" ? "<name>" : "<region>");
    const keys = `Set them anew: ${say.set("storage.s3.accessKey", "", true)}, and the same for secretKey`;
    switch (code) {
        case "NoSuchBucket":
            return `${place} is not there. Make it, or name another one: ${set("bucket")}`;
        case "InvalidAccessKeyId":
        case "SignatureDoesNotMatch":
            return `the keys are not known to ${place} (${code}). ${keys}`;
        case "AccessDenied":
            return `${place} refuses these keys (AccessDenied). They need ListBucket, GetObject, PutObject, DeleteObject, ListBucketMultipartUploads, ListMultipartUploadParts and AbortMultipartUpload; or set other ones: ${keys}`;
        case "PermanentRedirect":
        case "AuthorizationHeaderMalformed":
            return `${place} is in another region than ${storage.region}. Name it: ${set("region")}`;
        default:
            return `${place} answers ${status}${body === "" ? "" : ` (${new Refusal({ status, code, body, headers: {} }).message})`}. See that storage.s3 in the configuration names bucket, region and keys of that service`;
    }
}

/** Asks a Redis whether it takes the login and has the database. */
export async function lookAtRedis(redis: RedisCache, say: Advice): Promise<Look> {
    const place = `${redis.host}:${redis.port}`;
    try {
        const answer = await sayToRedis(redis, redisCommands(redis, ["PING"]));
        const complaint = /^-(.*)\r$/m.exec(answer)?.[1];
        if (complaint !== undefined) {
            return {
                problem: `Redis at ${place} refuses: ${complaint}. Set the login anew: ${say.set("redis.password", "", true)}, or another database: ${say.set("redis.db", "0")}`,
            };
        }
        return answer.includes("+PONG\r\n")
            ? {}
            : {
                  problem: `what answers at ${place} is not Redis. Name it: ${say.set("redis.address", "<host:port>")}`,
              };
    } catch (error) {
        return failure(error, `Redis at ${place}`, "redis.address", say);
    }
}

async function sayToRedis(redis: RedisCache, said: string): Promise<string> {
    const { host, port, caCertificate } = redis;
    const socket =
        caCertificate === undefined
            ? connectTcp({ host, port })
            : connectTls({
                  host,
                  port,
                  ca: caCertificate,
                  servername: isIP(host) === 0 ? host : undefined,
              });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(noAnswer(TIMEOUT_MS)));
    socket.write(said);
    return text(socket);
}

/**
 * What to say of a service that could not be asked.
 *
 * @param key where its address is in the configuration
 */
export function failure(error: unknown, what: string, key: string, say: Advice): Look {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const said = message === "" ? code : message;
    return NO_WAY.has(code)
        ? { unseen: `${what} cannot be reached from this machine (${said})` }
        : {
              problem: `${what} cannot be used (${said}). See that address and certificate are right: ${say.show(key)}`,
          };
}
