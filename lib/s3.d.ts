import type { AgentOptions, IncomingHttpHeaders } from "node:http";
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

/** A bucket that answers nothing but what it is asked: no retries, no cache. */
export class Bucket {
    readonly storage: S3Storage;
    constructor(storage: S3Storage, agentOptions?: AgentOptions);
    ask(method: string, key: string, question?: Question): Promise<Answer>;
    /** Objects whose keys begin so. Throws a `Refusal`. */
    list(prefix: string): AsyncGenerator<Listed>;
}

/** An answer that says no, in the service's words. */
export class Refusal extends Error {
    constructor(answer: Answer);
    readonly status: number;
    readonly code: string | undefined;
}
