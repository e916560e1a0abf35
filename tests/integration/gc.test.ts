import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { docker, inspect } from "../support/docker";
import { must, type Result, run } from "../support/run";
import { type Outputs, TestStack } from "../support/stack";

const SCRIPTS = join(__dirname, "../../scripts");
/** As serve-registry.sh has it, with a minute for transfers and some time to start again. */
const PATIENCE_MS = 90_000;
const PAST = (days: number) => new Date(Date.now() - days * 86_400_000);

let stack: TestStack;
let outputs: Outputs;
let images: ApiImages;

beforeAll(async () => {
    stack = await TestStack.create({
        retention: [{ repositories: "ci/*", keepLast: 1, keepTags: ["v*"], olderThanDays: 30 }],
    });
    await stack.up();
    outputs = await stack.outputs();
    images = new ApiImages(outputs);
});
afterAll(() => stack.dispose());

function maintain(command: "gc" | "retention", ...options: string[]): Promise<Result> {
    return maintainWith({}, command, ...options);
}

function maintainWith(
    env: NodeJS.ProcessEnv,
    command: "gc" | "retention",
    ...options: string[]
): Promise<Result> {
    const script = join(SCRIPTS, "maintenance", `${command}.mjs`);
    return run("node", [script, "", ...options], {
        cwd: stack.folder,
        env: { ...stack.environment, ...env },
    });
}

/** A run of gc to be watched and ended, in a process group of its own. */
function startGc() {
    const child = spawn("node", [join(SCRIPTS, "maintenance/gc.mjs"), ""], {
        cwd: stack.folder,
        env: stack.environment,
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
    });
    const errors = text(child.stderr);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ended = once(child, "close").then(([code]) => code as number | null);
    return {
        child,
        ended,
        errors,
        until: async (start: string) => {
            let line: IteratorResult<string, undefined>;
            do line = await lines.next();
            while (line.done !== true && !line.value.startsWith(start));
        },
    };
}

/** Ends a process as hard as can be, with all that it started and that is still there. */
function killAll({ pid = 0 }: ChildProcess): void {
    const ifThere = (act: () => unknown) => {
        try {
            act();
        } catch (error) {
            const { code = "" } = error as NodeJS.ErrnoException;
            if (!["ENOENT", "ESRCH"].includes(code)) throw error;
        }
    };
    // Stopped first: what it starts between a look at its children and its end would live on.
    ifThere(() => {
        process.kill(-pid, "SIGSTOP");
        while (!/^\d+ \(.*\) [tTZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
    });
    // Among them docker, which has a group of its own.
    let children = "";
    ifThere(() => (children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")));
    ifThere(() => process.kill(-pid, "SIGKILL"));
    for (const child of children.split(" ").map(Number)) {
        if (child > 0) ifThere(() => process.kill(child, "SIGKILL"));
    }
}

/** Waits until the registry takes an image, and sees that it took it whole. */
async function expectWritable(): Promise<void> {
    await untilAnswered(() => images.image("after/app", "1"));
    expect(await isIntact("after/app")).toBe(true);
}

/** Whether an image is whole. A registry that is just starting again is waited for. */
async function isIntact(name: string): Promise<boolean> {
    return untilAnswered(() => images.isIntact(name, "1"));
}

/** What a question comes to once the registry answers. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
        try {
            return await ask();
        } catch (error) {
            if (Date.now() > end) throw error;
            await sleep(200);
        }
    }
}

/** An upload whose bytes are still coming, which the registry waits for before it stops. */
async function startUpload() {
    const begun = await images.ask("/v2/slow/app/blobs/uploads/", { method: "POST" });
    const { pathname, search } = new URL(String(begun.headers.location));
    const call = request({
        host: "127.0.0.1",
        port: stack.port,
        ca: outputs.caCertificate,
        servername: "localhost",
        method: "PATCH",
        path: pathname + search,
        auth: `dev:${outputs.teams.dev?.password ?? ""}`,
        headers: {
            "content-type": "application/octet-stream",
            "content-length": 20,
            expect: "100-continue",
        },
        agent: false,
    });
    const answered = new Promise<number>((resolve, reject) => {
        call.on("response", (response) => resolve(response.resume().statusCode ?? 0));
        call.on("error", reject);
    });
    // It asks for the bytes: from now on it has something to wait for.
    call.flushHeaders();
    await once(call, "continue");
    call.write("0123456789");
    return {
        finish: () => {
            call.end("0123456789");
            return answered;
        },
    };
}

/** Something in the registry's container that has its lock, with the registry read-only, for as long as it lives. */
async function holdReadOnly(): Promise<ChildProcess> {
    const hold = "/etc/private-registry/hold.sh";
    const command = ["sh", hold, "read-only", "a test", "sleep", "300"];
    const child = spawn("docker", ["exec", "--interactive", stack.containerName, ...command]);
    for await (const line of createInterface({ input: child.stdout })) {
        if (line.startsWith("held")) return child;
        throw new Error(line);
    }
    throw new Error("no lock");
}

const inContainer = (script: string) =>
    must("docker", ["exec", stack.containerName, "sh", "-c", script]);

test("what no image needs is freed, and every other image is intact, also those pushed meanwhile", async () => {
    const shared = randomBytes(50_000);
    const gone = await images.image("team/app", "gone", { layer: shared });
    await images.image("team/app", "kept");
    const parts = [await images.image("team/multi"), await images.image("team/multi")];
    await images.index("team/multi", "1", parts);
    const unnamed = await images.image("team/unnamed");
    await images.image("team/unnamed", "1");
    const container = await stack.containerId();
    const stays = async () => {
        for (const [name, reference] of [
            ["team/app", "kept"],
            ["team/multi", "1"],
            ["team/unnamed", "1"],
        ] as const) {
            expect([name, await images.isIntact(name, reference)]).toEqual([name, true]);
        }
    };

    // A tag alone frees nothing: whoever has the digest may go on pulling.
    await images.delete("team/app", "gone");
    expect((await maintain("gc", "--dry-run")).stdout).toContain("Would free 0 blobs, 0 B, of ");
    expect(await images.isIntact("team/app", gone.digest)).toBe(true);
    await images.delete("team/app", gone.digest);
    const dry = await maintain("gc", "--dry-run");
    expect(dry.stdout).toMatch(/^Would free 3 blobs, 50\.\d kB, of /);
    expect((await maintain("gc", "--dry-run")).stdout).toBe(dry.stdout);
    await stays();

    // The registry knows the shared layer from this: after the collector, it must not.
    const pushed: string[] = [];
    const refused: string[] = [];
    const over = new AbortController();
    const pushing = (async () => {
        for (let number = 0; !over.signal.aborted; number += 1) {
            const tag = String(number);
            try {
                const layer = number % 2 === 0 ? shared : undefined;
                await images.image("team/loop", tag, { layer });
                pushed.push(tag);
            } catch {
                // Refused, or nobody there: either way nothing was promised.
                refused.push(tag);
            }
        }
    })();
    while (pushed.length === 0) await sleep(20);
    const collected = await maintain("gc");
    over.abort();
    await pushing;
    expect(collected).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Freed [1-9]\d* blobs?, .* are left\.$/m) as string,
        stderr: "",
    });
    expect(refused.length).toBeGreaterThan(0);
    for (const tag of pushed) {
        expect([tag, await images.isIntact("team/loop", tag)]).toEqual([tag, true]);
    }
    for (const tag of refused) {
        // Whole, when only the answer was lost; else not there.
        const { status } = await images.ask(`/v2/team/loop/manifests/${tag}`, {
            accept: "application/vnd.oci.image.manifest.v1+json",
        });
        const isWhole = status === 200 && (await images.isIntact("team/loop", tag));
        expect([tag, status === 404 || isWhole]).toEqual([tag, true]);
    }
    await images.image("team/last", "1", { layer: shared });
    expect(await images.isIntact("team/last", "1")).toBe(true);
    await stays();
    expect(await images.isIntact("team/unnamed", unnamed.digest)).toBe(true);

    const dryUntagged = await maintain("gc", "--dry-run", "--delete-untagged");
    expect(dryUntagged.stdout).toMatch(/^Would delete \d+ manifests? that no tag/);
    const untagged = await maintain("gc", "--delete-untagged");
    expect(untagged.stdout).toMatch(/^Freed [1-9]\d* blobs?, /m);
    expect(await images.isIntact("team/unnamed", unnamed.digest)).toBe(false);
    await stays();

    expect(await stack.containerId()).toBe(container);
    expect((await inspect(stack.containerName)).RestartCount).toBe(0);
    await stack.must("preview", "--expect-no-changes");
    const doctor = await run("node", [join(SCRIPTS, "check/doctor.mjs"), "", ""], {
        cwd: stack.folder,
        env: stack.environment,
    });
    expect(doctor.stdout).toContain("All is as it was set up.");
});

test("a layer that was deleted is not taken for one that is there", async () => {
    const layer = randomBytes(10_000);
    const { digest } = await images.image("cache/app", "1", { layer });
    await images.delete("cache/app", digest);
    expect(await maintain("gc")).toMatchObject({ code: 0 });
    await images.image("cache/app", "2", { layer });
    expect(await images.isIntact("cache/app", "2")).toBe(true);
});

test("a running upload is waited for, and a second run is refused with the first one's name", async () => {
    const upload = await startUpload();
    const first = startGc();
    await first.until("1/3");
    const isFirsts = `(process ${first.child.pid})`;
    while (!(await inContainer("cat /tmp/maintenance 2>/dev/null || true")).includes(isFirsts)) {
        await sleep(100);
    }
    let second: Result;
    do second = await maintain("gc");
    while (second.code === 0);
    expect(second.stderr).toMatch(
        new RegExp(
            `^another maintenance run is at work on ${stack.containerName}: gc, started .* by \\w+ on .* \\(process ${first.child.pid}\\)\n`,
        ),
    );
    expect(await maintain("gc", "--dry-run")).toMatchObject({ code: 1, stdout: "" });
    expect(await upload.finish()).toBe(202);
    expect(await first.ended).toBe(0);
    await expectWritable();
});

test.each(["1/3", "2/3", "3/3"])(
    "killed with all that it started after step %s, the registry takes pushes again",
    async (step) => {
        await images.image("killed/app", "1");
        const { digest } = await images.image("killed/app", "2");
        await images.delete("killed/app", digest);
        const gc = startGc();
        await gc.until(step);
        killAll(gc.child);
        await gc.ended;
        await expectWritable();
        expect(await isIntact("killed/app")).toBe(true);
        expect(await maintain("gc")).toMatchObject({ code: 0 });
        await expectWritable();
        expect(await isIntact("killed/app")).toBe(true);
    },
);

test("asked to stop, it stops when the registry takes pushes again", async () => {
    const upload = await startUpload();
    const gc = startGc();
    await gc.until("1/3");
    process.kill(gc.child.pid ?? 0, "SIGINT");
    await upload.finish();
    expect(await gc.ended).toBe(1);
    expect(await gc.errors).toMatch(
        /^stopping …\nstopped before its end; the registry is as it was/,
    );
    await images.image("after/app", "1");
});

test.each<[string, () => Promise<unknown>]>([
    [
        "what holds the lock is killed",
        () => inContainer("kill -9 -$(cut -d' ' -f1 /tmp/maintenance)"),
    ],
    ["the registry crashes", () => inContainer("kill -9 $(pidof registry)").catch(() => undefined)],
    [
        "the container is killed and started",
        () => docker("restart", "--time", "0", stack.containerName),
    ],
    ["the container is stopped and started", () => docker("restart", stack.containerName)],
])("read-only ends when %s", async (_, happens) => {
    const holder = await holdReadOnly();
    await untilAnswered(() => images.ask("/v2/"));
    await expect(images.image("during/app", "1")).rejects.toThrow("405");
    await happens();
    await expectWritable();
    holder.kill("SIGKILL");
    expect(await maintain("gc")).toMatchObject({ code: 0 });
});

test("stopped, the registry finishes its running uploads first", async () => {
    const upload = await startUpload();
    const stopped = docker("stop", stack.containerName);
    await expect(
        (async () => {
            for (;;) await images.ask("/v2/");
        })(),
    ).rejects.toThrow(/ECONN|hang up|disconnected/);
    expect(await upload.finish()).toBe(202);
    expect((await stopped).code).toBe(0);
    const { State } = (await inspect(stack.containerName)) as unknown as {
        State: { ExitCode: number };
    };
    expect(State.ExitCode).toBe(0);
    await docker("start", stack.containerName);
    await expectWritable();
});

test("retention deletes by its rules, what nothing else needs, and only when told to", async () => {
    const old = { created: PAST(90) };
    await images.image("ci/app", "new", { created: PAST(1) });
    await images.image("ci/app", "newest", { created: PAST(0) });
    await images.image("ci/app", "v1", old);
    await images.image("ci/app", "no-date", { created: new Date(0) });
    await images.image("other/app", "old", old);
    const shared = await images.image("ci/multi", undefined, old);
    const single = await images.image("ci/multi", undefined, old);
    const unnamed = await images.index("ci/multi", undefined, [shared]);
    await images.index("ci/multi", "old", [shared, single]);
    await images.image("ci/multi", "newest");
    const signed = await images.image("ci/app", "old", old);
    await images.image("ci/app", `sha256-${signed.digest.slice(7)}.sig`);

    const dry = await maintain("retention");
    expect(dry.stdout).toMatch(
        /^DELETE +ci\/app:old +\S+ +not among the newest 1, older than 30 days$/m,
    );
    expect(dry.stdout).toMatch(/^DELETE +ci\/app:sha256-\S+ +\S+ +belongs to an image that goes$/m);
    expect(dry.stdout).toMatch(/^DELETE +ci\/multi:old /m);
    expect(dry.stdout).toMatch(/^keep +ci\/app:new .*not older than 30 days$/m);
    expect(dry.stdout).toMatch(/^keep +ci\/app:newest .*among the newest 1$/m);
    expect(dry.stdout).toMatch(/^keep +ci\/app:v1 .*named by v\*$/m);
    expect(dry.stdout).toMatch(/^keep +ci\/app:no-date .*its age is not known$/m);
    expect(dry.stdout).toMatch(/^keep +other\/app:old .*no rule for this repository$/m);
    expect(dry.stdout).toMatch(/^3 of \d+ tags would be deleted; nothing was changed\./m);
    expect(await images.isIntact("ci/app", "old")).toBe(true);

    const applied = await maintain("retention", "apply");
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    expect(applied.stdout).toContain("Deleted 3 tags and 4 manifests.");
    expect((await maintain("retention", "apply")).stdout).toContain("Nothing was deleted.");
    const collected = await maintain("gc");
    expect(collected.stdout).toMatch(/^Freed [1-9]\d* blobs?, /m);
    for (const [name, reference, isThere] of [
        ["ci/app", "old", false],
        ["ci/app", signed.digest, false],
        ["ci/multi", "old", false],
        ["ci/multi", single.digest, false],
        ["ci/multi", unnamed.digest, true],
        ["ci/multi", "newest", true],
        ["ci/app", "new", true],
        ["ci/app", "newest", true],
        ["ci/app", "v1", true],
        ["ci/app", "no-date", true],
        ["other/app", "old", true],
    ] as const) {
        const found = await images.isIntact(name, reference);
        expect([name, reference, found]).toEqual([name, reference, isThere]);
    }
});

/** For node's --require: pushes a manifest with curl just before the first one is deleted. */
const PUSH_BEFORE_DELETE = `
const https = require("node:https");
const { request } = https;
let isPushed = false;
https.request = (options, ...others) => {
    if (!isPushed && options.method === "DELETE" && options.path.includes("sha256:")) {
        isPushed = true;
        require("node:child_process").execFileSync("curl", ["--config", process.env.PUSH]);
    }
    return request(options, ...others);
};
require("node:module").syncBuiltinESMExports();
`;

test("a tag that is pushed again in the last moment, as it was, stays with its image", async () => {
    const old = { created: PAST(90) };
    const gone = await images.image("ci/race", "a", old);
    const pushed = await images.image("ci/race", "b", old);
    await images.image("ci/race", "newest");
    const { body } = await images.ask(`/v2/ci/race/manifests/${pushed.digest}`, {
        accept: pushed.mediaType,
    });
    writeFileSync(stack.path("ca.crt"), outputs.caCertificate);
    writeFileSync(stack.path("manifest"), body);
    writeFileSync(stack.path("hook.js"), PUSH_BEFORE_DELETE);
    const push = {
        fail: "",
        silent: "",
        request: "PUT",
        url: `https://localhost:${stack.port}/v2/ci/race/manifests/b`,
        cacert: stack.path("ca.crt"),
        user: `dev:${outputs.teams.dev?.password ?? ""}`,
        header: `Content-Type: ${pushed.mediaType}`,
        "data-binary": `@${stack.path("manifest")}`,
    };
    const lines = Object.entries(push).map(([key, value]) => (value ? `${key} = "${value}"` : key));
    writeFileSync(stack.path("push"), lines.join("\n"), { mode: 0o600 });

    const env = { NODE_OPTIONS: `--require ${stack.path("hook.js")}`, PUSH: stack.path("push") };
    const applied = await maintainWith(env, "retention", "apply");
    expect(applied).toMatchObject({ code: 0, stderr: "" });
    expect(applied.stdout).toContain("ci/race:b was pushed anew just now: kept");
    expect(await images.isIntact("ci/race", gone.digest)).toBe(false);
    expect(await images.isIntact("ci/race", "b")).toBe(true);
    expect(await maintain("gc")).toMatchObject({ code: 0 });
    expect(await images.isIntact("ci/race", "b")).toBe(true);
});

test("a registry that is read-only by configuration is collected, and stays so", async () => {
    const { digest } = await images.image("last/app", "1");
    await images.delete("last/app", digest);
    stack.configure({ readOnly: true });
    await stack.up();
    const collected = await maintain("gc");
    expect(collected).toMatchObject({ code: 0, stderr: "" });
    expect(collected.stdout).toMatch(/^Freed [1-9]\d* blobs?, /m);
    await expect(images.image("last/app", "2")).rejects.toThrow("405");
    expect((await maintain("retention")).stderr).toContain("there are no retention rules");
});
