import { randomBytes } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
    chmodSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { withHosts } from "../support/client-host";
import { docker, removeLabelled } from "../support/docker";
import { client, fleet, REGISTRY_NAME } from "../support/fleet";
import { REGISTRY_IMAGE } from "../support/images";
import { must, type Result, run } from "../support/run";
import { findSecrets } from "../support/secrets";
import { TestStack, withStack } from "../support/stack";

const SCRIPTS = join(__dirname, "../../scripts/maintenance");
const PASSPHRASE = randomBytes(12).toString("hex");
/** What the file is searched for besides the passwords. */
const SECRET_TEXTS = ["PRIVATE KEY", "plaintext", "httpSecret"];

let folder: string;
let file: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "private-registry-backup-"));
    file = join(folder, "backup");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Options {
    readonly file?: string;
    readonly mode?: "" | "images-only" | "check";
    readonly isForced?: boolean;
    readonly env?: NodeJS.ProcessEnv;
}

function start(
    command: "backup" | "restore",
    { folder: cwd, environment }: TestStack,
    options: Options = {},
) {
    const args = [options.file ?? file, "", options.mode ?? "", options.isForced ? "1" : ""];
    const env = { PRIVATE_REGISTRY_BACKUP_PASSPHRASE: PASSPHRASE, ...options.env };
    return {
        args: [join(SCRIPTS, `${command}.mjs`), ...args],
        options: { cwd, env: { ...environment, ...env } },
    };
}

function perform(
    command: "backup" | "restore",
    stack: TestStack,
    options: Options = {},
): Promise<Result> {
    const { args, options: runOptions } = start(command, stack, options);
    return run(process.execPath, args, runOptions);
}

async function mustPerform(command: "backup" | "restore", stack: TestStack, options: Options = {}) {
    const { code, stdout, stderr } = await perform(command, stack, options);
    if (code !== 0) throw new Error(`${command}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
}

/** Everything of a machine with a stack is gone: containers, volumes, state, configuration. */
async function lose(stack: TestStack): Promise<void> {
    await removeLabelled("private-registry.stack", stack.owner);
    rmSync(stack.folder, { recursive: true });
}

async function isVolume(name: string): Promise<boolean> {
    return (await docker("volume", "inspect", name)).code === 0;
}

/** This file, spoilt in one way each, and why it is refused. */
function spoilt(whole: Buffer): [string, Buffer, RegExp][] {
    const flipped = (at: number) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ 4;
        return bytes;
    };
    const state = whole.indexOf("state.json\0");
    const checksums = whole.indexOf("checksums.json\0");
    const other = execFileSync("tar", ["-c", "-C", SCRIPTS, "."]);
    const newer = Buffer.from(
        whole.toString("latin1").replace('"version": 1', '"version": 2'),
        "latin1",
    );
    const cut = (length: number) => whole.subarray(0, length);
    return [
        ["nothing of it", cut(0), /no backup of this program/],
        ["its first kilobyte", cut(1024), /it is damaged: it ends too early/],
        ["half of it", cut(whole.length >> 1), /it is damaged: it ends too early/],
        ["all but the state", cut(state), /it is damaged: it ends too early/],
        ["all but its end", cut(whole.length - 1024), /it is damaged: it ends too early/],
        ["a bit of its head", flipped(600), /it is damaged|no backup of this program/],
        ["a bit of an image", flipped(state >> 1), /it is damaged/],
        ["a bit of the state", flipped(state + 2000), /it is damaged/],
        ["a bit of the checksums", flipped(checksums + 600), /it is damaged/],
        ["another program's", other, /it is no backup of this program/],
        [
            "of a newer version",
            newer,
            /it has version 2 of the format, and this program reads version 1/,
        ],
    ];
}

test("taken under pushes, it makes the same registry on an empty machine, and clients go on trusting it", () =>
    withHosts(["light"], async ([host], network) => {
        const clients = { a: client(host, { targets: ["docker"] }) };
        await withStack(fleet(network, clients, { ssh: {} }), async (stack) => {
            await must(
                "pulumi",
                ["config", "set", "--secret", "--raw", "--path", "ssh.privateKey"],
                {
                    cwd: stack.folder,
                    env: stack.environment,
                    input: network.key.privateKey,
                },
            );
            await stack.up();
            const before = await stack.outputs();
            const logins = await host.logins();
            const as = { team: "dev", address: network.gateway, hostname: REGISTRY_NAME };
            const pusher = new ApiImages(before, as);
            const long = `team/${"a-long-name/".repeat(12)}app`;
            const architectures = [
                await pusher.image("team/multi", "1-amd64"),
                await pusher.image("team/multi", "1-arm64"),
            ];
            const pushed = [
                ["team/app", "1", await pusher.image("team/app", "1")],
                ["team/multi", "1", await pusher.index("team/multi", "1", architectures)],
                [long, "x".repeat(128), await pusher.image(long, "x".repeat(128))],
            ] as const;

            await addTags(stack, 5000);
            const pushing = new AbortController();
            const pushes = pushUntil(pushing.signal, pusher);
            const said = await mustPerform("backup", stack).finally(() => pushing.abort());
            expect(await pushes).toBeGreaterThan(0);
            expect(said).toMatch(/\d+ repositories, \d+ tags, \d+ blobs, each as its digest says/);

            expect(statSync(file).mode & 0o777).toBe(0o600);
            expect(readdirSync(folder)).toEqual(["backup"]);
            const whole = readFileSync(file);
            const secrets = [
                ...(await stack.secrets()),
                { name: "passphrase of the backup", value: PASSPHRASE },
                ...SECRET_TEXTS.map((value) => ({ name: value, value })),
            ];
            expect(findSecrets(secrets, whole.toString("latin1"))).toEqual([]);

            await lose(stack);
            const machine = TestStack.emptyMachine(stack);
            try {
                for (const [what, bytes, reason] of spoilt(whole)) {
                    const bad = join(folder, "bad");
                    writeFileSync(bad, bytes);
                    const { code, stderr } = await perform("restore", machine, { file: bad });
                    expect([what, code, stderr]).toEqual([what, 1, expect.stringMatching(reason)]);
                }
                const env = { PRIVATE_REGISTRY_BACKUP_PASSPHRASE: "not the passphrase" };
                const wrong = await perform("restore", machine, { env });
                expect(wrong.stderr).toContain(
                    "the backup passphrase is not the one that this backup was made with",
                );
                expect(existsSync(machine.path(`Pulumi.${machine.name}.yaml`))).toBe(false);
                expect(existsSync(machine.path(".state", ".pulumi", "stacks"))).toBe(false);
                expect(await isVolume(stack.dataVolume)).toBe(false);

                // Ended before the state is there, it goes on from where it was.
                const interrupted = await perform("restore", machine, {
                    env: { PATH: withoutImport(machine) },
                });
                expect(interrupted.stderr).toContain("pulumi stack import failed");
                await mustPerform("restore", machine);
                await machine.up();
                expect(await machine.outputs()).toEqual(before);
                await machine.up("--expect-no-changes");
                const puller = new ApiImages(await machine.outputs(), as);
                for (const [repository, tag, { digest }] of pushed)
                    expect(await puller.pull(repository, tag)).toBe(digest);
                expect(await host.logins()).toBe(logins);
                const registry = `${REGISTRY_NAME}:${stack.port}`;
                const answer = await host.must(
                    `curl --silent --output /dev/null --write-out '%{http_code}' --cacert /etc/docker/certs.d/${registry}/ca.crt https://${registry}/v2/`,
                );
                expect(answer).toBe("401");
            } finally {
                await machine.dispose();
            }
        });
    }));

/** So many tags that a backup passes them for a while, in which pushes go on. What they name was deleted. */
async function addTags({ dataVolume }: TestStack, count: number): Promise<void> {
    const repository = join(folder, "repositories/team/many");
    for (let tag = 0; tag < count; tag++) {
        const path = join(repository, `_manifests/tags/${tag}/current`);
        mkdirSync(path, { recursive: true });
        writeFileSync(join(path, "link"), `sha256:${"0".repeat(64)}`);
    }
    const volumes = [
        "--volume",
        `${join(folder, "repositories")}:/from:ro`,
        "--volume",
        `${dataVolume}:/data`,
    ];
    const copy = "cp -r /from/. /data/docker/registry/v2/repositories";
    await must("docker", [
        "run",
        "--rm",
        ...volumes,
        "--entrypoint",
        "sh",
        REGISTRY_IMAGE,
        "-c",
        copy,
    ]);
    rmSync(join(folder, "repositories"), { recursive: true });
}

/** Pushes one image after the other; returns how many. */
async function pushUntil(signal: AbortSignal, pusher: ApiImages): Promise<number> {
    let count = 0;
    while (!signal.aborted) await pusher.image(`team/app${count % 3}`, `${++count}`);
    return count;
}

/** A PATH with an engine that cannot import a state. */
function withoutImport({ environment }: TestStack): string {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const path = environment.PATH ?? "";
    writeFileSync(
        join(bin, "pulumi"),
        `#!/bin/sh\n[ "$1 $2" != 'stack import' ] || exit 1\nPATH='${path}' exec pulumi "$@"\n`,
    );
    chmodSync(join(bin, "pulumi"), 0o755);
    return `${bin}${delimiter}${path}`;
}

test("a folder with images is backed up, completed, and taken over by a stack whose state was lost", () => {
    const dataPath = join(folder, "data");
    return withStack({ dataPath }, async (stack) => {
        await stack.up();
        const before = await stack.outputs();
        const images = new ApiImages(before);
        const { digest } = await images.image("team/app", "1");
        await mustPerform("backup", stack);

        const again = await perform("backup", stack);
        expect([again.code, again.stderr]).toEqual([
            1,
            expect.stringContaining("is there already"),
        ]);
        await mustPerform("backup", stack, { isForced: true });
        const without = await perform("backup", stack, {
            file: `${file}.2`,
            env: { PRIVATE_REGISTRY_BACKUP_PASSPHRASE: undefined },
        });
        expect([without.code, without.stderr]).toEqual([
            1,
            expect.stringContaining("no backup passphrase"),
        ]);
        const weak = await perform("backup", stack, {
            file: `${file}.2`,
            env: { PRIVATE_REGISTRY_BACKUP_PASSPHRASE: "short" },
        });
        expect([weak.code, weak.stderr]).toEqual([
            1,
            expect.stringContaining("allowed: 12 or more"),
        ]);
        expect(readdirSync(folder).sort()).toEqual(["backup", "data"]);
        await expectNothingLeft(stack);

        // What is lost comes back, what came since stays.
        const later = await images.image("team/app", "2");
        const moved = await images.image("team/app", "1");
        const repositories = join(dataPath, "docker/registry/v2/repositories");
        await images.image("team/gone", "1");
        const backup = join(folder, "images");
        await mustPerform("backup", stack, { file: backup, mode: "images-only" });
        rmSync(join(repositories, "team/gone"), { recursive: true });
        expect(await images.isIntact("team/gone", "1")).toBe(false);
        expect(await mustPerform("restore", stack, { file: backup, mode: "images-only" })).toMatch(
            /\d+ files added/,
        );
        expect(await images.isIntact("team/gone", "1")).toBe(true);
        await mustPerform("restore", stack, { mode: "images-only" });
        expect(await images.pull("team/app", "1")).toBe(moved.digest);
        expect(await images.pull("team/app", "2")).toBe(later.digest);
        expect(await images.pull("team/app", digest)).toBe(digest);
        const stateless = await perform("restore", stack, { file: backup });
        expect(stateless.stderr).toContain("holds images only");

        const occupied = await perform("restore", stack);
        expect(occupied.stderr).toMatch(
            /is there, with \d+ resources; allowed: one that is not there, or empty/,
        );

        // The state is lost; the containers and the images are not.
        const machine = TestStack.emptyMachine(stack);
        try {
            machine.configure({ dataPath, dataRetained: true });
            const differs = await perform("restore", machine);
            expect(differs.stderr).toContain("is not the configuration of the backup");
            machine.configure({ dataPath });
            const contained = await perform("restore", machine);
            expect(contained.stderr).toContain("containers of this stack are there");
            const commands = [...contained.stderr.matchAll(/^ {2}docker (.*)$/gm)];
            expect(commands.map(([, command = ""]) => command.split(" ").slice(0, 2))).toEqual([
                ["rm", "--force"],
                ["volume", "rm"],
                ["network", "rm"],
            ]);
            // Two containers, the volume with the settings, the network: nothing of the lost state is left over.
            const removed = commands.flatMap(([, command = ""]) => command.split(" ").slice(2));
            expect(removed.filter((word) => word.startsWith("registry-server-"))).toHaveLength(3);
            for (const [, command = ""] of commands) await must("docker", command.split(" "));
            const filled = await perform("restore", machine);
            expect(filled.stderr).toContain("holds images already");
            await mustPerform("restore", machine, { isForced: true });
            await machine.up();
            expect(await machine.outputs()).toEqual(before);
            expect(await images.pull("team/app", "1")).toBe(moved.digest);
        } finally {
            await machine.dispose();
        }
    });
});

/** A backup that comes to no end, because it is ended or there is no room, has left nothing. */
async function expectNothingLeft(stack: TestStack): Promise<void> {
    const place = mkdtempSync(join(folder, "place-"));
    const path = join(place, "backup");
    const { args, options } = start("backup", stack, { file: path });
    const child = spawn(process.execPath, args, { ...options, stdio: "ignore" });
    while (!existsSync(`${path}.partial`)) await sleep(5);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([1, null]);
    expect(readdirSync(place)).toEqual([]);

    const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=100k", "tmpfs", place]);
    if (mounted.code !== 0) {
        process.stderr.write(
            "no file system of its own: what happens without room was not tried\n",
        );
        return;
    }
    try {
        const full = await perform("backup", stack, { file: path });
        expect([full.code, full.stderr]).toEqual([1, expect.stringContaining("no room left in")]);
        expect(readdirSync(place)).toEqual([]);
    } finally {
        await must("umount", [place]);
    }
}
