import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { truncateSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "../support/docker";
import { pushImage, servesImage } from "../support/images";
import { interrupted, recover } from "../support/interrupted";
import { ask } from "../support/registry-client";
import { type TestStack, withStack } from "../support/stack";
import { pushBlob, Stream } from "../support/stream";

/** Kills the engine, and nothing else, when it says something. */
async function killAt(stack: TestStack, command: string, said: string): Promise<void> {
    const end = await interrupted(stack, command, said, (child) => child.kill("SIGKILL"));
    expect([said, end.signal]).toEqual([said, "SIGKILL"]);
}

test("a run that is killed, wherever it is, is gone on with: no authority, account or image is lost", () =>
    withStack({}, async (stack) => {
        // Whatever was recorded before must be what is there in the end.
        for (const said of [
            "password-dev created",
            "loader creating",
            "container creating",
            "proof-command creating",
        ]) {
            await killAt(stack, "up", said);
            await recover(stack);
        }
        const state = await stack.exported();
        await stack.up();
        const first = await stack.outputs();
        const key = /registry-authority-key-1".*?"id":"([0-9a-f]{40})"/s;
        expect(key.exec(await stack.exported())?.[1]).toBe(key.exec(state)?.[1]);
        const image = await pushImage(stack);

        stack.configure({ subjectAltNames: ["registry.internal"], teams: ["dev", "web"] });
        for (const said of ["server-cert created", "container deleting", "container creating"]) {
            await killAt(stack, "up", said);
            await recover(stack);
        }
        await stack.up();
        const second = await stack.outputs();
        expect(second.caCertificate).toBe(first.caCertificate);
        expect(second.teams.dev).toEqual(first.teams.dev);
        expect(await servesImage(stack, image)).toBe(true);
        expect(await ask(second, "/v2/", { team: "web" })).toMatchObject({ status: 200 });
        await stack.up("--expect-no-changes");

        for (const said of ["proof-command deleting", "container deleting", "settings deleting"]) {
            await killAt(stack, "destroy", said);
            await recover(stack);
        }
        await stack.destroy();
        expect(await stack.containers()).toEqual([]);
        await stack.up();
        expect(await servesImage(stack, image)).toBe(true);
        expect(stack.printedPasswords()).toBe(0);
    }));

test("a provider that is killed fails the run, and the next one goes on", () =>
    withStack({}, async (stack) => {
        const { code } = await interrupted(stack, "up", "loader creating", (child) => {
            const provider = ["--parent", String(child.pid), "--full", "resource-docker"];
            spawn("pkill", ["-KILL", ...provider], { stdio: "inherit" });
        });
        expect(code).not.toBe(0);
        await recover(stack);
        await stack.up();
        const outputs = await stack.outputs();
        expect(await ask(outputs, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
        expect(await stack.containers()).toHaveLength(2);
    }));

test("a registry whose process is killed under pushes comes back, with all that it had accepted", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const accepted: string[] = [];
        const pushes = Stream.start(2, async () => {
            accepted.push(await pushBlob(outputs, "dev", 4096));
        });
        for (let round = 0; round < 5; round++) {
            const count = accepted.length;
            while (accepted.length < count + 5) await sleep(20);
            const { Pid } = (await inspect(stack.containerName)).State as unknown as {
                Pid: number;
            };
            process.kill(Pid, "SIGKILL");
        }
        const count = accepted.length;
        while (accepted.length < count + 5) await sleep(20);
        await pushes.end();
        for (const digest of accepted) {
            const path = `/v2/stream/blobs/blobs/${digest}`;
            const { status, body } = await ask(outputs, path, { team: "dev" });
            const found = createHash("sha256").update(body).digest("hex");
            expect([status, `sha256:${found}`]).toEqual([200, digest]);
        }
    }));

test("a state that a killed run left unreadable is read again", () =>
    withStack({}, async (stack) => {
        await stack.up();
        // The engine makes this file empty before it writes it, and may be killed in between.
        const state = `${stack.name}.json.attrs`;
        truncateSync(stack.path(".state/.pulumi/stacks/private-registry", state));
        const unreadable = await stack.pulumi(["up", "--yes", "--skip-preview"]);
        expect(unreadable.printed).toContain("failed to load checkpoint: EOF");
        await recover(stack);
        expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
    }));

test("a wrong passphrase and a second run at the same time are refused, and change nothing", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const before = await stack.exported();
        const wrong = await stack.pulumi(["up", "--yes"], { PULUMI_CONFIG_PASSPHRASE: "wrong" });
        expect(wrong.code).not.toBe(0);
        expect(wrong.printed).toContain("incorrect passphrase");
        expect(await stack.exported()).toBe(before);

        stack.configure({ teams: ["dev", "web"] });
        const [one, other] = await Promise.all([
            stack.pulumi(["up", "--yes", "--skip-preview"]),
            stack.pulumi(["up", "--yes", "--skip-preview"]),
        ]);
        const printed = one.printed + other.printed;
        expect([one.code, other.code].filter((code) => code === 0)).toHaveLength(1);
        expect(printed).toContain("the stack is currently locked by 1 lock(s)");
        expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
    }));
