import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./registry-client";
import type { Outputs } from "./stack";

/** Something that is done again and again, from its start to its end, without a pause for anybody. */
export class Stream {
    private isEnding = false;
    private readonly loops: Promise<void>[];
    private done = 0;
    private readonly failures: string[] = [];

    private constructor(count: number, action: () => Promise<unknown>) {
        this.loops = Array.from({ length: count }, () => this.loop(action));
    }

    /** Starts that many loops of the same action. It throws when it fails. */
    public static start(count: number, action: () => Promise<unknown>): Stream {
        return new Stream(count, action);
    }

    /** Lets every loop finish what it is at; says how often it went well, and what went wrong. */
    public async end(): Promise<{ readonly done: number; readonly failures: readonly string[] }> {
        this.isEnding = true;
        await Promise.all(this.loops);
        return { done: this.done, failures: this.failures };
    }

    private async loop(action: () => Promise<unknown>): Promise<void> {
        while (!this.isEnding) {
            try {
                await action();
                this.done++;
            } catch (error) {
                this.failures.push(error instanceof Error ? error.message : String(error));
            }
            await sleep(20);
        }
    }
}

/** An authenticated request that must be answered with 200, on a connection of its own. */
export async function askOnce(outputs: Outputs, team: string): Promise<void> {
    const { status } = await ask(outputs, "/v2/", { team });
    if (status !== 200) throw new Error(`GET /v2/ as ${team}: ${status}`);
}

/** Uploads a new blob in two requests, as clients do; returns its digest once it is accepted. */
export async function pushBlob(outputs: Outputs, team: string, bytes = 256): Promise<string> {
    const body = randomBytes(bytes).toString("hex");
    const begun = await ask(outputs, "/v2/stream/blobs/blobs/uploads/", { team, method: "POST" });
    if (begun.status !== 202) throw new Error(`POST of an upload as ${team}: ${begun.status}`);
    const location = new URL(String(begun.headers.location), outputs.url);
    const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    location.searchParams.set("digest", digest);
    const path = `${location.pathname}${location.search}`;
    const ended = await ask(outputs, path, { team, method: "PUT", body });
    if (ended.status !== 201) throw new Error(`PUT of an upload as ${team}: ${ended.status}`);
    return digest;
}
