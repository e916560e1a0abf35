import type { Agent, IncomingHttpHeaders } from "node:http";
import type { S3Storage } from "./storage-config";

export interface Answer {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
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

/** Key of the object that says that the images of a volume are being moved into the bucket. */
export const MOVE_MARK: string;

/** A bucket of S3 or of a service that speaks as it does. */
export class Bucket {
    readonly storage: S3Storage;
    readonly agent: Agent;
    /** @param agentFor what opens the connections, with or without TLS; by default this machine does */
    constructor(storage: S3Storage, agentFor?: (isSecure: boolean) => Agent);
    /** One request; again when the connection had just been closed, and the body is none or a buffer. */
    ask(method: string, key: string, question?: Question): Promise<Answer>;
    /** Puts an object there, whole or not at all. Throws a `Refusal`, also when it has not this SHA-256 (hex). */
    put(
        key: string,
        body: AsyncIterable<Buffer> | Buffer,
        content: { readonly length: number; readonly sha256: string; readonly partBytes?: number },
    ): Promise<void>;
    /** Objects whose keys begin so. Throws a `Refusal`. */
    list(prefix: string): AsyncGenerator<Listed>;
}

/** An answer that says no, in the service's words. */
export class Refusal extends Error {
    constructor(answer: Answer);
    readonly status: number;
    readonly code: string | undefined;
}
