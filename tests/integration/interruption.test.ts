import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, truncateSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pushImage, servesImage } from "../support/images";
import { interrupted, leftProcesses, recover, WRAPPED } from "../support/interrupted";
import { ask } from "../support/registry-client";
import { killUnderPushes } from "../support/registry-kills";
import { type TestStack, withStack } from "../support/stack";

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
            expect(await leftProcesses(stack)).toEqual([]);
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
        expect(await killUnderPushes(stack, 5)).toBeGreaterThan(25);
    }));

test("a container that was half made when Ctrl-C came is made anew by the next run", () =>
    withStack({}, async (stack) => {
        await stack.up();
        for (const [round, said] of ["loader creating", "container creating"].entries()) {
            stack.configure({ subjectAltNames: [`registry-${round}.internal`] });
            const before = await stack.containers();
            // When the container is there and has not done its work.
            const interrupt = async (child: ChildProcess) => {
                const isThere = async () =>
                    (await stack.containers()).some((id) => !before.includes(id));
                while (child.exitCode === null && !(await isThere())) await sleep(20);
                child.kill("SIGTERM");
            };
            const end = await interrupted(stack, "up", said, interrupt, WRAPPED);
            expect([said, end.code]).not.toEqual([said, 0]);
            await stack.up();
        }
        const outputs = await stack.outputs();
        expect(
            await ask(outputs, "/v2/", { team: "dev", hostname: "registry-1.internal" }),
        ).toMatchObject({ status: 200 });
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
        const first = stack.pulumi(["up", "--yes", "--skip-preview"]);
        // Two that begin in the same instant may both be refused.
        const locks = stack.path(".state/.pulumi/locks/organization/private-registry", stack.name);
        while (!existsSync(locks) || readdirSync(locks).length === 0) await sleep(20);
        const second = await stack.pulumi(["up", "--yes", "--skip-preview"]);
        expect([(await first).code, second.code === 0]).toEqual([0, false]);
        // Who holds it, and since when.
        expect(second.printed).toMatch(
            /the stack is currently locked by 1 lock\(s\).*created by .+ \(pid \d+\) at /s,
        );
        expect((await stack.up()).printed).toMatch(/ {4}\d+ unchanged/);
    }));
