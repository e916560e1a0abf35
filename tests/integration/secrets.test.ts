import { docker, inspect } from "../support/docker";
import { commandLinesDuring } from "../support/processes";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { findSecrets, type Secret } from "../support/secrets";
import { type TestStack, withStack } from "../support/stack";
import { filesBelow } from "../support/stack-past";

const CONFIG = { hostname: "registry.test", teams: ["dev", "web"] };
/** From the registry's own accounts to a gateway's, with a new password for one of the teams. */
const CHANGED = { ...CONFIG, gateway: true, teams: { dev: { generation: 2 }, web: {} } };

/** What Docker tells of a stack's containers to everybody who may ask it. */
async function toldByDocker(stack: TestStack): Promise<string> {
    const ids = await stack.containers();
    const told = await Promise.all(
        ids.flatMap((id) => [inspect(id), docker("logs", id), docker("top", id)]),
    );
    return JSON.stringify(told);
}

function expectNone(secrets: readonly Secret[], places: Readonly<Record<string, string>>): void {
    for (const [place, text] of Object.entries(places)) {
        expect(text.length).toBeGreaterThan(100);
        // Names only: a failure must not print what it found.
        expect([place, findSecrets(secrets, text)]).toEqual([place, []]);
    }
}

/** A search that finds nothing anywhere would prove nothing. */
async function expectFindable(stack: TestStack, secrets: readonly Secret[]): Promise<void> {
    const names = secrets.map(({ name }) => name);
    expect(names).toEqual(
        expect.arrayContaining([
            "registry-accounts-password-dev",
            "registry-accounts-password-web",
            "registry-server-http-secret",
            "registry-authority-key-1, line 1 of a key",
            "registry-authority-server-key, line 1 of a key",
        ]),
    );
    expect(names[0]).toBe("passphrase");
    // What the engine shows when it is asked for secrets; not part of what is printed.
    const state = await must("pulumi", ["stack", "export", "--show-secrets"], {
        cwd: stack.folder,
        env: stack.environment,
    });
    expect(findSecrets(secrets, state)).toEqual(names.slice(1));
    const file = ["exec", stack.containerName, "cat", "/etc/private-registry/htpasswd"];
    const hashes = findSecrets(secrets, await must("docker", file));
    expect(hashes.filter((name) => name.endsWith("a hash"))).toHaveLength(2);
}

test("no secret lies in clear in the state, on the screen, in the process list, in docker inspect or in any log", () =>
    withStack(CONFIG, async (stack) => {
        const expectNoneAround = async () =>
            expectNone(await stack.secrets(), {
                state: await stack.exported(),
                docker: await toldByDocker(stack),
            });
        const processes = await commandLinesDuring(async () => {
            await stack.up();
            await expectFindable(stack, await stack.secrets());
            await expectNoneAround();
            await stack.up("--refresh");
            stack.configure(CHANGED);
            await stack.must("preview", "--diff");
            await stack.up("--diff");
            const outputs = await stack.outputs();
            for (const password of [undefined, "wrong"])
                await ask(outputs, "/v2/", { team: "dev", password });
            await expectNoneAround();
            for (const args of [["config"], ["stack"], ["stack", "output", "--json"]])
                await stack.must(...args);
            await stack.destroy();
        });
        expect(processes).toContain("pulumi-language-nodejs");
        const secrets = await stack.secrets();
        // Both that it had.
        expect(secrets.filter(({ name }) => name.endsWith("-password-dev"))).toHaveLength(2);
        expectNone(secrets, { screen: stack.printed, processes });

        const files = filesBelow(stack.folder);
        // The engine closes its logs as soon as it has the stack's key.
        const isClosed = ({ text }: { text: string }) => text.startsWith("PLOG");
        const open = files.filter((file) => !isClosed(file));
        expect(files.filter(isClosed).length).toBeGreaterThan(0);
        expect(open.some(({ path, wasPacked }) => wasPacked && path.includes("/logs/"))).toBe(true);
        expect(open.some(({ path }) => path.includes("/history/"))).toBe(true);
        const holders = open.map(({ path, text }) => [path, findSecrets(secrets, path + text)]);
        expect(holders.filter(([, found]) => found?.length !== 0)).toEqual([]);
    }));

test("a secret that a run prints is noticed, also one that the stack has no longer", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const { dev } = (await stack.outputs()).teams;
        await stack.destroy();
        expect(await stack.printedSecrets()).toEqual([]);
        stack.note({ stdout: "", stderr: `error: Basic ${btoa(`dev:${dev?.password}`)}` });
        expect(await stack.printedSecrets()).toEqual(["registry-accounts-password-dev"]);
        stack.printed = "";
    }));
