import { cpSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { DockerUser } from "../support/docker";
import { pushImage, servesImage } from "../support/images";
import { must, run } from "../support/run";
import { withStack } from "../support/stack";

/** Calls with a folder in memory that holds so much and no more. */
async function withSmallDisk(folder: string, size: string, test: () => Promise<void>) {
    await must("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
    try {
        await test();
    } finally {
        await run("umount", ["--lazy", folder]);
    }
}

/** Only root may mount. */
const testAsRoot = process.getuid?.() === 0 && process.platform === "linux" ? test : test.skip;

testAsRoot("a full disk below the images refuses pushes, and loses nothing", () =>
    withStack({}, async (stack) => {
        const dataPath = stack.path("images");
        mkdirSync(dataPath);
        await withSmallDisk(dataPath, "8m", async () => {
            stack.configure({ dataPath });
            await stack.up();
            const image = await pushImage(stack);
            const { registry, teams } = await stack.outputs();
            const user = new DockerUser();
            try {
                const large = `${registry}/large/app:1`;
                await user.makeImage(large, 8_000_000);
                await user.login(registry, "dev", teams.dev?.password ?? "");
                await expect(user.push(large)).rejects.toThrow(/docker push/);
                expect(await servesImage(stack, image)).toBe(true);

                await must("mount", ["-o", "remount,size=64m", dataPath]);
                const digest = await user.push(large);
                expect(await user.pullAnew(large)).toBe(digest);
            } finally {
                await user.dispose();
            }
            await stack.destroy();
        });
    }),
);

testAsRoot("a state that cannot be written is named, and the next up goes on from there", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const before = await stack.outputs();
        const state = stack.path(".state");
        renameSync(state, `${state}.before`);
        mkdirSync(state);
        await withSmallDisk(state, "8m", async () => {
            cpSync(`${state}.before`, state, { recursive: true });
            const filler = stack.path(".state", "filler");
            await run("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"]);

            stack.configure({ teams: ["dev", "web"] });
            const full = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            expect(full.code).not.toBe(0);
            expect(full.printed).toContain("no space left on device");

            rmSync(filler);
            await stack.pulumi(["cancel", "--yes"]);
            await stack.up();
            const after = await stack.outputs();
            expect(after.teams.dev).toEqual(before.teams.dev);
            expect(after.caCertificate).toBe(before.caCertificate);
            await stack.up("--expect-no-changes");

            stack.configure({ teams: ["dev"] });
            await must("mount", ["-o", "remount,ro", state]);
            const readOnly = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            expect(readOnly.code).not.toBe(0);
            expect(readOnly.printed).toContain("read-only file system");
            await must("mount", ["-o", "remount,rw", state]);
            expect(await stack.outputs()).toEqual(after);
            await stack.up();
            expect(Object.keys((await stack.outputs()).teams)).toEqual(["dev"]);
            await stack.destroy();
        });
    }),
);
