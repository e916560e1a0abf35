import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { bcryptHash, htpasswdText } from "../../lib/htpasswd";
import { changeAccounts } from "../support/account-changes";
import { inspect } from "../support/docker";
import { ask } from "../support/registry-client";
import { must } from "../support/run";
import { type TestStack, withStack } from "../support/stack";

test("changes of accounts lose no request and no push of another team", () =>
    withStack({}, async (stack) => {
        const { requests, pushes } = await changeAccounts(stack, 6);
        expect([requests.failures, pushes.failures]).toEqual([[], []]);
        expect(requests.done).toBeGreaterThan(100);
        expect(pushes.done).toBeGreaterThan(20);
    }));

test("an account is exchanged while both work, and a team that is removed is refused within a second", () =>
    withStack({ teams: { dev: {}, web: {} } }, async (stack) => {
        await stack.up();
        const container = await stack.containerId();
        const first = await stack.outputs();

        stack.configure({ teams: { dev: {}, web: { accounts: ["web-2", "web"] } } });
        await stack.up();
        const both = await stack.outputs();
        expect(both.teams.web?.username).toBe("web-2");
        expect(both.teams.web?.dockerConfigJson).not.toBe(first.teams.web?.dockerConfigJson);
        expect(await ask(both, "/v2/", { team: "web" })).toMatchObject({ status: 200 });
        expect(await ask(first, "/v2/", { team: "web" })).toMatchObject({ status: 200 });

        stack.configure({ teams: { dev: {}, web: { accounts: ["web-2"] } } });
        await stack.up();
        expect(await ask(first, "/v2/", { team: "web" })).toMatchObject({ status: 401 });
        expect(await ask(both, "/v2/", { team: "web" })).toMatchObject({ status: 200 });
        expect(await stack.outputs()).toEqual(both);

        stack.configure({ teams: { dev: {} } });
        await stack.up();
        await sleep(1000);
        expect(await ask(both, "/v2/", { team: "web" })).toMatchObject({ status: 401 });
        expect(await ask(first, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
        expect(await stack.containerId()).toBe(container);
    }));

/** As the loader does it, without the seconds that an `up` lies between two loads. */
const LOAD_TWICE = `for number in 1 2; do
    cp /load/htpasswd.$number /load/htpasswd
    sh -c "$0" >/dev/null
    busybox stat -c %Y /settings/htpasswd
    read -r _
done`;
/** Without its wait for the disk, which may take longer than a second. */
const LOAD = readFileSync(join(__dirname, "../../components/load-settings.sh"), "utf8").replace(
    /^ *sync\n/m,
    "",
);

/** Loads two files of accounts one after the other; returns in which seconds, and whether each was what counted. */
async function loadTwice(stack: TestStack): Promise<{ seconds: string[]; statuses: number[] }> {
    const outputs = await stack.outputs();
    const { Image, Mounts } = (await inspect(stack.containerName)) as unknown as {
        Image: string;
        Mounts: { Name: string; Destination: string }[];
    };
    const settings = Mounts.find(({ Destination }) => Destination === "/etc/private-registry");
    const volumes = [`${settings?.Name ?? ""}:/settings`, `${stack.path("load")}:/load`];
    const child = spawn("docker", [
        ...["run", "--rm", "--interactive", "--network", "none", "--entrypoint", "sh"],
        ...volumes.flatMap((volume) => ["--volume", volume]),
        ...[Image, "-c", LOAD_TWICE, LOAD],
    ]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const seconds: string[] = [];
    const statuses: number[] = [];
    for (const password of ["first", "second"]) {
        seconds.push((await lines.next()).value ?? "");
        for (const tried of ["first", "second"]) {
            const { status } = await ask(outputs, "/v2/", { team: "dev", password: tried });
            statuses.push(tried === password ? status : -status);
        }
        child.stdin.write("\n");
    }
    await once(child, "close");
    return { seconds, statuses };
}

test("accounts that change twice within the same second are read twice", () =>
    withStack({}, async (stack) => {
        await stack.up();
        const registry = await stack.containerId();
        const ids = await stack.containers();
        const loader = ids.find((id) => !registry?.startsWith(id)) ?? "";
        await must("docker", ["cp", `${loader}:/load`, stack.path("load")]);
        for (const [index, password] of ["first", "second"].entries()) {
            const hash = await bcryptHash(password, Buffer.alloc(16, index).toString("base64"));
            const text = htpasswdText([{ username: "dev", hash }]);
            writeFileSync(stack.path("load", `htpasswd.${index + 1}`), text);
        }
        for (let tries = 0; ; tries++) {
            const { seconds, statuses } = await loadTwice(stack);
            expect(statuses).toEqual([200, -401, -401, 200]);
            if (seconds[0] === seconds[1]) break;
            expect(tries).toBeLessThan(20);
        }
    }));
