import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "./docker";
import { ask } from "./registry-client";
import type { TestStack } from "./stack";
import { pushBlob, Stream } from "./stream";

/** Kills a container's first process behind Docker's back. */
export async function killContainer(name: string): Promise<void> {
    const { Pid } = (await inspect(name)).State as unknown as { Pid: number };
    // To a signal that would be all of this program's own group.
    if (Pid === 0) throw new Error(`${name} does not run`);
    process.kill(Pid, "SIGKILL");
}

/**
 * Kills a registry's process that many times under pushes, each time after it has run for a while; each push that was accepted
 * must be there. Returns how many were.
 */
export async function killUnderPushes(stack: TestStack, kills: number, runMs = 0): Promise<number> {
    await stack.up();
    const outputs = await stack.outputs();
    const accepted: string[] = [];
    const pushes = Stream.start(2, async () => {
        accepted.push(await pushBlob(outputs, "dev", 4096));
    });
    const more = async (count: number) => {
        const enough = accepted.length + count;
        while (accepted.length < enough) await sleep(20);
    };
    for (let kill = 0; kill < kills; kill++) {
        await more(5);
        await sleep(runMs);
        await killContainer(stack.containerName);
    }
    await more(5);
    await pushes.end();
    for (const digest of accepted) {
        const path = `/v2/stream/blobs/blobs/${digest}`;
        const { status, body } = await ask(outputs, path, { team: "dev" });
        const found = createHash("sha256").update(body).digest("hex");
        expect([status, `sha256:${found}`]).toEqual([200, digest]);
    }
    return accepted.length;
}
