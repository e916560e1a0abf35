import { spawn } from "node:child_process";
import { once } from "node:events";
import { DockerUser } from "../support/docker";
import { HeldLine } from "../support/held-line";
import { ask } from "../support/registry-client";
import { withStack } from "../support/stack";

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
