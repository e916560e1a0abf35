import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { DockerUser } from "../support/docker";
import { HeldLine } from "../support/held-line";
import { ask } from "../support/registry-client";
import { type Outputs, withStack } from "../support/stack";
import { pushBlob } from "../support/stream";

/** Settles when a container is asked to stop. */
async function isStopping(container: string): Promise<void> {
    const filters = ["--filter", `container=${container}`, "--filter", "event=kill"];
    const events = spawn("docker", ["events", "--since", "1m", ...filters], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    await once(events.stdout, "data");
    events.kill();
}

test("a push that is under way when the certificate is exchanged ends well", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const before = await stack.outputs();
        const container = (await stack.containerId()) ?? "";
        const { certificate } = await ask(before, "/v2/", { team: "dev" });
        const line = await HeldLine.to(stack.port, 1_000_000);
        const user = new DockerUser();
        try {
            const registry = `localhost:${line.port}`;
            const image = `${registry}/slow/app:1`;
            await user.makeImage(image, 4_000_000);
            await user.login(registry, "dev", before.teams.dev?.password ?? "");
            const push = user.push(image);
            await line.isHeld;

            stack.configure({ subjectAltNames: ["registry.internal"] });
            const up = stack.up();
            await isStopping(container);
            line.release();
            await up;
            expect(await stack.containerId()).not.toBe(container);
            const digest = await push;
            expect(await user.pullAnew(image)).toBe(digest);
            const after = await ask(await stack.outputs(), "/v2/", { team: "dev" });
            expect(after.certificate).not.toBe(certificate);
        } finally {
            line.close();
            await user.dispose();
        }
    }));

/** A pull of a blob that takes the answer's head only, until `read` is called. Ends in the digest of what it got. */
async function pullLate({ url, caCertificate, teams }: Outputs, digest: string) {
    const { hostname, port } = new URL(url);
    const call = get({
        host: "127.0.0.1",
        port,
        path: `/v2/stream/blobs/blobs/${digest}`,
        ca: caCertificate,
        servername: hostname,
        auth: `dev:${teams.dev?.password ?? ""}`,
        agent: false,
    });
    const [response] = (await once(call, "response")) as [IncomingMessage];
    const read = async () => {
        const hash = createHash("sha256");
        // A client with a slow disk, or a slow line.
        let unwritten = 0;
        for await (const chunk of response as AsyncIterable<Buffer>) {
            hash.update(chunk);
            unwritten += chunk.length;
            if (unwritten > 1_000_000) {
                unwritten = 0;
                await sleep(20);
            }
        }
        return `sha256:${hash.digest("hex")}`;
    };
    return { read };
}

test("pulls that are under way when the certificate is exchanged are not cut off", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const container = (await stack.containerId()) ?? "";
        // More than lies between the two in buffers, and what is with Docker's proxy as a whole.
        const long = await pushBlob(outputs, "dev", 32_000_000);
        const short = await pushBlob(outputs, "dev", 2_500_000);
        const pullOfLong = await pullLate(outputs, long);
        const pullOfShort = await pullLate(outputs, short);

        stack.configure({ subjectAltNames: ["registry.internal"] });
        const up = stack.up();
        try {
            await isStopping(container);
            expect(await pullOfLong.read()).toBe(long);
            // The registry itself has nothing left to write.
            await sleep(1000);
            expect(await pullOfShort.read()).toBe(short);
        } finally {
            await up;
        }
        expect(await stack.containerId()).not.toBe(container);
    }));
