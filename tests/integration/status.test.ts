import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ApiImages } from "../support/api-images";
import { expectReadable, testWithBrowser, withBrowser } from "../support/browser";
import { ClientNetwork } from "../support/client-host";
import { docker } from "../support/docker";
import { client, fleet } from "../support/fleet";
import { ask } from "../support/registry-client";
import { type Outputs, TestStack } from "../support/stack";
import { secretsOf } from "../support/stack-secrets";
import { status } from "../support/status";
import type { Status } from "../support/status-example";

/** One stack with a gateway, permissions, images, and a client host that is dead. */
let network: ClientNetwork;
let stack: TestStack;
let outputs: Outputs;
/** Whatever any of these tests was shown. */
let shown = "";

beforeAll(async () => {
    network = await ClientNetwork.create();
    const hosts = Promise.all([network.addHost("light"), network.addHost("light")]);
    const [alive, dead] = await hosts;
    const targets = ["docker"];
    stack = await TestStack.create(
        fleet(
            network,
            { alive: client(alive, { targets }), dead: client(dead, { targets }) },
            {
                teams: {
                    ops: { admin: true },
                    web: { accounts: ["web", "web-2"], push: ["web/*"] },
                },
            },
        ),
    );
    await stack.up();
    outputs = await stack.outputs();
    const images = new ApiImages(outputs, { team: "web", address: network.gateway });
    const layer = Buffer.alloc(50_000, "layer");
    const parts = [
        await images.image("web/shop", "1", { layer }),
        await images.image("web/shop", "2", { layer }),
    ];
    await images.index("web/shop", "both", parts);
    await images.image("web/tools", "1", { layer });
    await dead.stopSsh();
});
afterAll(async () => {
    await stack.dispose();
    await network.dispose();
});

async function show(...options: string[]): Promise<string> {
    const { code, stdout, stderr } = await status(stack, options);
    shown += stdout + stderr;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
}

const facts = async () => JSON.parse(await show("--json", "-")) as Status;

test("the terminal shows what the registry is and how it is", async () => {
    const text = await show();
    for (const line of [
        new RegExp(`^Registry ${outputs.url} \\(stack ${stack.name}\\), `),
        /^This needs a look:\n {2}WRONG: 1 of 2 client hosts differ$/m,
        /^ {2}version +3\.\d+\.\d+\S* \(image registry:3/m,
        /^ {2}mode +behind a gateway, takes pushes, images can be deleted$/m,
        /^ {2}answers +yes$/m,
        /^ {2}runs since +.* UTC \(\d+ (?:second|minute)s?\)$/m,
        /^ {2}gateway +ok +running, \w+ +.* UTC \(\d+ (?:second|minute)s?\) +\S+-gateway +caddy:/m,
        /^ {2}proof +ok +proved: TLS for registry\.example\.test, /m,
        /^ {2}server +ok +[\d-]+ +[\d-]+ +[\d-]+ +(?:199|200) +\[[=]?-+r+\]$/m,
        /^ {2}authority 1 \(signs\) +ok /m,
        /^ {2}ops +ops +everything +none in the logs$/m,
        /^ {2}web +web +pushes and pulls web\/\* +.* UTC \(push\)$/m,
        /^ {2}web-2 +web +pushes and pulls web\/\* +none in the logs$/m,
        /^ {2}alive +ok .* ours +proved$/m,
        /^ {2}dead +WRONG .* nothing listens there/m,
        /^ {2}web\/shop +\d+\.\d kB +3: 1, 2, both$/m,
        /^ {2}2 repositories, together \d+\.\d kB /m,
        /^ {2}images +volume \S+-data on \S+ +\d.*B +\d.*B +\d.*B$/m,
    ]) {
        expect(text).toMatch(line);
    }
});

const useOf = ({ list }: Status["accounts"], name: string) =>
    list.find((account) => account.name === name)?.lastUse?.kind ?? null;

test("sizes count once what is shared, and an account is used by whoever asks for a repository", async () => {
    const { repositories, accounts } = await facts();
    const [shop, tools] = repositories.list;
    expect(repositories).toMatchObject({ known: 2, isWhole: true, problem: null });
    // One layer, and little beside it.
    for (const bytes of [shop?.bytes, tools?.bytes, repositories.bytes]) {
        expect(bytes).toBeGreaterThan(50_000);
        expect(bytes).toBeLessThan(60_000);
    }
    expect(repositories.bytesApart).toBe((shop?.bytes ?? 0) + (tools?.bytes ?? 0));
    expect(["ops", "web", "web-2"].map((name) => useOf(accounts, name))).toEqual([
        ...[null, "push", null],
    ]);
});

test("where Docker does not answer the registry is asked, in the name of an admin, and that is no use of its account", async () => {
    const { repositories } = await facts();
    const folder = stack.path("no-docker");
    mkdirSync(folder);
    const PATH = `${folder}:${stack.environment.PATH ?? ""}`;
    writeFileSync(join(folder, "docker"), "#!/bin/sh\necho 'it is off' >&2; exit 1\n", {
        mode: 0o755,
    });
    const { code, stdout, stderr } = await status(stack, ["--json", "-"], { env: { PATH } });
    shown += stdout + stderr;
    const without = JSON.parse(stdout) as Status;
    expect(code).toBe(0);
    expect(without.verdict.reasons[0]).toBe("WRONG: Docker: does not answer: it is off");
    expect(without.repositories).toEqual(repositories);
    expect(without).toMatchObject({ containers: [], disks: [], accounts: { logsSince: null } });
    expect(useOf((await facts()).accounts, "ops")).toBeNull();
    const question = { team: "ops", address: network.gateway };
    expect((await ask(outputs, "/v2/web/tools/tags/list", question)).status).toBe(200);
    expect(useOf((await facts()).accounts, "ops")).toBe("pull");
});

test("a page is written whole, for others to read as far as the umask lets them, and never in a folder's place", async () => {
    const file = stack.path("status.html");
    expect(await show("--html", file)).toBe("");
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(await status(stack, ["--html", "mine.html"], { umask: "077" })).toMatchObject({
        code: 0,
    });
    expect(statSync(stack.path("mine.html")).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toContain("WRONG: 1 of 2 client hosts differ");
    mkdirSync(stack.path("folder"));
    expect(await status(stack, ["--html", "folder"])).toEqual({
        code: 1,
        stdout: "",
        stderr: `status: ${stack.path("folder")} is refused: it is a folder; give a file in it\n`,
    });
    const twice = await status(stack, ["--html", "a", "--json", "./a"]);
    expect([twice.code, twice.stdout]).toEqual([2, ""]);
    expect(twice.stderr).toContain(`were given the same place: ${stack.path("a")} (see npm run`);
    expect(await status(stack, ["--hmtl", "x"])).toEqual({
        code: 2,
        stdout: "",
        stderr: "status: no such option: --hmtl (see npm run status -- --help)\n",
    });
});

testWithBrowser("the page is readable for everybody, and needs nothing but itself", async () => {
    const file = stack.path("status.html");
    await show("--html", file);
    await withBrowser((browser) => expectReadable(browser, file));
});

test("a registry that is stopped is said to be so, with what is known all the same", async () => {
    await docker("stop", stack.containerName, `${stack.containerName}-gateway`);
    const { verdict, containers, accounts, certificates, hosts, repositories, disks } =
        await facts();
    expect(verdict.reasons.join("\n")).toMatch(/container: does not run[\s\S]*nothing answers at/);
    expect(containers.map(({ role, text }) => `${role} ${text.split(",")[0] ?? ""}`)).toEqual(
        expect.arrayContaining(["registry exited", "gateway exited"]),
    );
    expect(accounts.list.map(({ name, lastUse }) => [name, lastUse !== null])).toContainEqual([
        "web",
        true,
    ]);
    expect(certificates).toHaveLength(2);
    expect(hosts.map(({ name }) => name)).toEqual(["alive", "dead"]);
    expect(repositories.list.map(({ name }) => name)).toEqual(["web/shop", "web/tools"]);
    expect(disks).toMatchObject([{ role: "images", used: null }]);
});

test("images that are gone are not looked for in a new volume", async () => {
    await docker("rm", "--force", stack.containerName);
    await docker("volume", "rm", stack.dataVolume);
    const { repositories, containers } = await facts();
    expect(repositories).toMatchObject({
        list: [],
        bytes: null,
        problem: expect.stringContaining("ECONNREFUSED"),
    });
    expect(containers).toContainEqual(
        expect.objectContaining({ role: "registry", text: "is gone" }),
    );
    expect((await docker("volume", "inspect", stack.dataVolume)).code).not.toBe(0);
});

test("nothing of it holds a secret", async () => {
    shown += readFileSync(stack.path("status.html"), "utf8");
    const secrets = Object.entries({
        ...(await secretsOf(stack)),
        passphrase: stack.environment.PULUMI_CONFIG_PASSPHRASE ?? "",
        "SSH key": network.key.privateKey.split("\n")[1] ?? "",
    }).filter(([name]) => !name.includes("-authority-cert-"));
    expect(secrets.length).toBeGreaterThan(6);
    const found = secrets.filter(([, secret]) =>
        secret
            .split("\n")
            .filter((line) => line !== "" && !line.startsWith("-----"))
            .some((line) => shown.includes(line)),
    );
    expect(found.map(([name]) => name)).toEqual([]);
    expect(shown).not.toMatch(/BEGIN|\$2[aby]\$/);
});
