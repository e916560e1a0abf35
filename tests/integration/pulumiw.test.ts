import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
    appendFileSync,
    chmodSync,
    cpSync,
    existsSync,
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    readlinkSync,
    realpathSync,
    renameSync,
    rmSync,
    statSync,
    symlinkSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Result, run } from "../support/run";

const PROJECT = join(__dirname, "../..");
const STAND_INS = join(PROJECT, "tests/support/stand-ins");
const SALT = "encryptionsalt: v1:grain=:v1:of:salt\n";
const STACK_FILE = "config:\n  private-registry:bindAddress: 127.0.0.1\n";

/** What the wrapper may use of this machine: no Pulumi, Docker, npm or Go unless a test puts it there. */
const SYSTEM_TOOLS = [
    ..."awk cat chmod cp cut date dirname env find git grep head kill ln ls mkdir mkfifo mv od ps readlink rm".split(
        " ",
    ),
    ..."rmdir sed setsid sh sha1sum sha256sum sleep sort tail touch tr wc".split(" "),
];

/** A copy of the wrapper in a folder of its own, with stand-ins for everything that it calls. */
class Sandbox {
    public readonly top = realpathSync(mkdtempSync(join(tmpdir(), "pulumiw test ")));
    public readonly project = join(this.top, "a project");
    public readonly state = join(this.project, ".pulumi-state");
    public readonly home = join(this.top, "home");
    public readonly cache = join(this.home, ".cache/private-registry");
    private readonly tools = join(this.top, "tools");
    private readonly control = join(this.top, "control");
    public env: NodeJS.ProcessEnv = {
        PATH: this.tools,
        HOME: this.home,
        STAND_IN: this.control,
        STAND_IN_FILES: STAND_INS,
        STAND_IN_TOOLS: this.tools,
        GIT_CONFIG_GLOBAL: "/dev/null",
    };

    /** @param names the stand-ins on PATH */
    public constructor(names = ["docker", "npm", "go"]) {
        for (const folder of [this.project, this.home, this.tools, this.control]) mkdirSync(folder);
        for (const name of SYSTEM_TOOLS) {
            const path = which(name);
            if (path !== undefined) symlinkSync(path, join(this.tools, name));
        }
        symlinkSync(process.execPath, join(this.tools, "real-node"));
        for (const name of ["uname", "date"]) {
            symlinkSync(which(name) ?? "", join(this.tools, `real-${name}`));
        }
        this.provide("node", "id", "uname", ...names);
        this.tell("node-version", "v24.0.0");
        this.tell("docker-up");
        this.tell("image");

        for (const path of [
            "pulumiw",
            "scripts",
            "offline/registry-image",
            "offline/gateway-image",
            "offline/redis-image",
        ]) {
            cpSync(join(PROJECT, path), join(this.project, path), { recursive: true });
        }
        for (const module of ["cli", "nodejs-host", "providers"]) {
            this.write(`offline/${module}/go.mod`, "module m\n\ngo 1.26.0\n");
        }
        cpSync(join(PROJECT, "package.json"), join(this.project, "package.json"));
        this.write("package-lock.json", "{}\n");
        this.write("Pulumi.yaml", "name: private-registry\nruntime: nodejs\n");
        this.write("Pulumi.dev.yaml", STACK_FILE);
        this.write(".gitignore", "node_modules/\n.pulumi-state/\n");
        this.git("init", "--quiet");
        this.commit();
    }

    public provide(...names: string[]): void {
        for (const name of names) this.link(name, join(STAND_INS, name));
    }

    /** Has busybox do what it can of SYSTEM_TOOLS, and says which that are. */
    public async useBusybox(path: string): Promise<string[]> {
        const { stdout } = await run(path, ["--list"]);
        const applets = SYSTEM_TOOLS.filter((name) => stdout.split("\n").includes(name));
        for (const name of applets) this.link(name, path);
        return applets;
    }

    private link(name: string, target: string): void {
        rmSync(join(this.tools, name), { force: true });
        symlinkSync(target, join(this.tools, name));
    }

    /** Leaves a word for the stand-ins: see the comment at the top of each. */
    public tell(name: string, text = ""): void {
        writeFileSync(join(this.control, name), text);
    }

    public untell(name: string): void {
        rmSync(join(this.control, name), { force: true });
    }

    public write(path: string, text: string): void {
        mkdirSync(dirname(join(this.project, path)), { recursive: true });
        writeFileSync(join(this.project, path), text);
    }

    public read(path: string): string {
        return readFileSync(join(this.project, path), "utf8");
    }

    public git(...args: string[]): string {
        return execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], {
            cwd: this.project,
            encoding: "utf8",
            env: { ...process.env, ...this.env, PATH: process.env.PATH },
        });
    }

    public commit(): void {
        this.git("add", "--all");
        this.git("commit", "--quiet", "--allow-empty", "--message", "x");
    }

    public pulumiw(...args: string[]): Promise<Result> {
        return this.run(join(this.project, "pulumiw"), args);
    }

    /** The same, which has to succeed. */
    public async works(...args: string[]): Promise<Result> {
        const result = await this.pulumiw(...args);
        if (result.code !== 0) throw new Error(`exit ${result.code}: ${result.stderr}`);
        return result;
    }

    public run(command: string, args: string[], input = ""): Promise<Result> {
        return run(command, args, { cwd: this.top, env: this.env, input });
    }

    /** Starts it without waiting for its end. */
    public start(...args: string[]): { child: ChildProcess; ended: Promise<Result> } {
        const child = spawn(join(this.project, "pulumiw"), args, {
            cwd: this.top,
            env: this.env,
            // Away from the terminal that the tests may have.
            detached: true,
        });
        let stdout = "";
        let stderr = "";
        child.stdout.on("data", (data) => (stdout += String(data)));
        child.stderr.on("data", (data) => (stderr += String(data)));
        const ended = once(child, "close").then(([code, signal]) => ({
            code: code as number,
            stdout,
            stderr: `${stderr}${signal === null ? "" : String(signal)}`,
        }));
        return { child, ended };
    }

    /** What the stand-ins were called with, of those that start so. */
    public calls(start = ""): string[] {
        const file = join(this.control, "calls");
        const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
        return lines.filter((line) => line !== "" && line.startsWith(start));
    }

    public forgetCalls(): void {
        this.untell("calls");
    }

    /** The environment that the engine was called with last. */
    public seen(name: string): string | undefined {
        return readFileSync(join(this.control, "environment"), "utf8")
            .split("\n")
            .find((line) => line.startsWith(`${name}=`))
            ?.slice(name.length + 1);
    }

    public async until(what: () => boolean): Promise<void> {
        while (!what()) await sleep(100);
    }

    public remove(): void {
        rmSync(this.top, { recursive: true, force: true });
    }
}

function which(name: string): string | undefined {
    return (process.env.PATH ?? "")
        .split(delimiter)
        .map((folder) => join(folder, name))
        .find((path) => existsSync(path));
}

function modeOf(path: string): string {
    return (statSync(path).mode & 0o777).toString(8);
}

/** Every file below a folder. */
function filesBelow(folder: string): string[] {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
}

/** What is below a folder and not for its owner alone; not what links lead to. */
function openBelow(folder: string): string[] {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        const isPrivate = entry.isSymbolicLink() || /^[67]00$/.test(modeOf(path));
        return [...(isPrivate ? [] : [path]), ...(entry.isDirectory() ? openBelow(path) : [])];
    });
}

const sandboxes: Sandbox[] = [];

function sandbox(...names: string[]): Sandbox {
    const created = names.length === 0 ? new Sandbox() : new Sandbox(names);
    sandboxes.push(created);
    return created;
}

/** One whose set-up is done, with Pulumi on PATH. */
async function ready(): Promise<Sandbox> {
    const created = sandbox("docker", "npm", "go", "pulumi");
    await created.works("--setup");
    created.forgetCalls();
    return created;
}

afterEach(() => {
    for (const one of sandboxes.splice(0)) one.remove();
});

describe("what it passes on", () => {
    it("hands arguments, input, output and exit code through, in the project's folder", async () => {
        const box = await ready();
        box.tell("up", 'for word; do echo "[$word]"; done; cat; echo oops >&2; exit 3');
        const { code, stdout, stderr } = await box.run(
            join(box.project, "pulumiw"),
            ["up", "--message", "two words", "--config", "a=b c"],
            "typed\n",
        );
        expect(code).toBe(3);
        expect(stdout).toBe("[up]\n[--message]\n[two words]\n[--config]\n[a=b c]\ntyped\n");
        expect(stderr).toMatch(
            /^engine: pulumi 3\.300\.0 \(.*\) · docker 20\.10\.24 · state: \.pulumi-state\noops\n$/,
        );
        expect(box.seen("folder")).toBe(box.project);
    });

    it("says nothing of its own on standard output, and nothing at all when told so", async () => {
        const box = await ready();
        expect((await box.pulumiw("stack", "output", "--json")).stdout).toMatch(/^\{.*\}\n$/);
        box.env.PULUMIW_QUIET = "1";
        expect((await box.pulumiw("stack", "output", "--json")).stderr).toBe("");
    });

    it("works through a link, and from PATH", async () => {
        const box = await ready();
        mkdirSync(join(box.top, "links"));
        symlinkSync("../a project/pulumiw", join(box.top, "links/w"));
        expect(await box.run("links/w", ["version"])).toMatchObject({
            code: 0,
            stdout: "v3.300.0\n",
        });
        box.env.PATH = `${box.project}:${String(box.env.PATH)}`;
        expect(await box.run("pulumiw", ["version"])).toMatchObject({
            code: 0,
            stdout: "v3.300.0\n",
        });
        expect(await box.run("sh", ["-c", "cd 'a project' && sh pulumiw version"])).toMatchObject({
            code: 0,
            stdout: "v3.300.0\n",
        });
    });

    for (const shell of ["dash", "bash", "busybox"]) {
        const path = which(shell) ?? "";
        (path === "" ? it.skip : it)(`runs in ${shell}, from nothing and again`, async () => {
            const box = sandbox();
            const args = [join(box.project, "pulumiw"), "up"];
            if (shell === "busybox") {
                args.unshift("sh");
                expect(await box.useBusybox(path)).toEqual(
                    expect.arrayContaining(["awk", "find", "grep", "ps", "sed", "tail", "wc"]),
                );
            }
            expect(await box.run(path, args)).toMatchObject({ code: 0 });
            box.forgetCalls();
            expect(await box.run(path, args)).toMatchObject({ code: 0 });
            expect(box.calls("npm")).toEqual([]);
            expect(box.calls("go build")).toEqual([]);
        });
    }

    it("tells the program which stack was asked for, so that a fix is for that one", async () => {
        const box = await ready();
        await box.pulumiw("preview", "--stack", "prod");
        expect(box.seen("PULUMIW_STACK")).toBe("prod");
        await box.pulumiw("preview");
        expect(box.seen("PULUMIW_STACK")).toBe("");
    });

    it("asks nothing where nobody can answer: its standard input is closed", async () => {
        const box = sandbox("docker", "npm", "pulumi");
        box.tell("up", 'cat; echo "[end of input]"');
        const closed = (command: string) => box.run("sh", ["-c", `${command} <&-`]);
        const result = await closed('"a project/pulumiw" up --yes');
        expect(result).toMatchObject({ code: 0, stdout: "[end of input]\n" });
        expect(box.calls("pulumi stack")).toEqual(["pulumi stack init dev --non-interactive"]);
        expect(await closed('sh "a project/scripts/up"')).toMatchObject({
            code: 0,
            stdout: expect.stringContaining("[end of input]\n"),
        });
    });

    it("runs any command in the same environment", async () => {
        const box = await ready();
        const { stdout } = await box.pulumiw(
            "--exec",
            "sh",
            "-c",
            'pwd; echo "$PULUMI_BACKEND_URL"; command -v pulumi; exit 0',
        );
        expect(stdout).toBe(
            `${box.project}\nfile://${box.state}\n${join(box.top, "tools/pulumi")}\n`,
        );
        expect((await box.pulumiw("--exec", "sh", "-c", "exit 7")).code).toBe(7);
        expect((await box.pulumiw("--exec", "no-such-command")).code).toBe(127);
        expect(await box.pulumiw("--exec")).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("nothing to run"),
        });
    });

    it("takes what an outer pulumiw set for settings of its own, not of the user", async () => {
        const box = await ready();
        const other = await ready();
        await box.pulumiw("--exec", join(other.project, "pulumiw"), "up");
        expect(other.seen("PULUMI_BACKEND_URL")).toBe(`file://${other.state}`);
        expect(other.seen("PULUMI_CONFIG_PASSPHRASE_FILE")).toBe(join(other.state, "passphrase"));
    });

    it("explains itself without setting anything up", async () => {
        const box = sandbox();
        for (const option of ["--help", "-h"]) {
            const { code, stdout } = await box.pulumiw(option);
            expect(code).toBe(0);
            expect(stdout).toContain("PULUMIW_ENGINE=path|npm|offline");
            expect(stdout).toContain(box.cache);
        }
        expect(box.calls()).toEqual([]);
        expect(existsSync(box.state)).toBe(false);
    });

    it.each([
        ["MINGW64_NT-10.0", "WSL"],
        ["FreeBSD", "FreeBSD"],
    ])("says in one line that %s will not do", async (system, words) => {
        const box = sandbox();
        box.tell("system", system);
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(1);
        expect(stderr.trim().split("\n")).toEqual([expect.stringContaining(words)]);
    });
});

describe("Node.js and packages", () => {
    it("gets a Node.js of its own where the machine's is too old, once for all clones", async () => {
        const box = sandbox("docker", "npm", "pulumi");
        box.tell("node-version", "v20.20.2");
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(0);
        expect(stderr).toMatch(
            /Node\.js 24\.\S+ from npm \(this machine's 20\.20\.2 is too old\): \d+ s/,
        );
        expect(box.calls("npm install")).toHaveLength(1);
        expect(box.seen("PATH")).toMatch(/^[^:]*\/private-registry\/node\/24\./);
        rmSync(join(box.project, "node_modules"), { recursive: true });
        await box.pulumiw("up");
        expect(box.calls("npm install")).toHaveLength(1);
        expect(box.calls("npm ci")).toHaveLength(2);
    });

    it("says what to install where there is no npm", async () => {
        const box = sandbox("docker");
        box.tell("node-version", "v20.20.2");
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringMatching(
                /Node\.js 22 or later is needed .*20\.20\.2.*no npm[^]*nodejs\.org/,
            ),
        });
    });

    it("installs the packages again only when package-lock.json or Node.js changes", async () => {
        const box = await ready();
        await box.pulumiw("up");
        expect(box.calls("npm")).toEqual([]);
        box.write("package-lock.json", '{"other":1}\n');
        await box.pulumiw("up");
        expect(box.calls("npm ci")).toHaveLength(1);
        box.tell("node-version", "v26.0.0");
        await box.pulumiw("up");
        expect(box.calls("npm ci")).toHaveLength(2);
    });

    it("says what failed, why, what to do and where the log is", async () => {
        const box = sandbox();
        box.tell("ci", "echo a line; echo 'npm error code ECONNREFUSED'; echo 'npm error'; exit 1");
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(1);
        const log = join(box.state, "setup/setup.log");
        expect(stderr.split("\n").slice(1)).toEqual([
            "pulumiw: 'npm ci' failed",
            "  why: npm error code ECONNREFUSED",
            expect.stringMatching(/^ {2}do: {2}make the npm registry reachable/),
            `  log: ${log}`,
            "",
        ]);
        expect(modeOf(log)).toBe("600");
        expect(readFileSync(log, "utf8")).toContain("a line");
        expect(existsSync(join(box.cache, "setup.lock"))).toBe(false);
    });
});

describe("the engine", () => {
    it("is the one on PATH first", async () => {
        const box = sandbox("docker", "npm", "go", "pulumi");
        expect((await box.pulumiw("up")).stderr).toContain("engine: pulumi 3.300.0 (");
        expect(box.calls("launcher")).toEqual([]);
        expect(box.calls("go build")).toEqual([]);
        expect(box.seen("PULUMI_HOME")).toBeUndefined();
    });

    it("is not this project's own launcher, which npm puts on PATH", async () => {
        const box = sandbox();
        box.env.PATH = `${join(box.project, "node_modules/.bin")}:${String(box.env.PATH)}`;
        expect((await box.pulumiw("up")).stderr).toContain("built from offline/");
    });

    it("is not one on PATH that does not run, such as another clone's launcher without a network", async () => {
        const box = sandbox();
        const other = join(box.home, "other/node_modules/.bin");
        mkdirSync(other, { recursive: true });
        const program = "#!/bin/sh\necho 'pulumi: fetch failed' >&2\nexit 1\n";
        writeFileSync(join(other, "pulumi"), program, { mode: 0o755 });
        box.env.PATH = `${other}:${String(box.env.PATH)}`;
        expect((await box.works("up")).stderr).toContain("built from offline/");
    });

    it("is what the npm package downloads next, started without the launcher in between", async () => {
        const box = sandbox();
        const download = join(box.home, ".pulumi/versions/3.265.0/bin");
        box.tell(
            "launcher",
            `#!/bin/sh\necho "launcher $*" >>"$STAND_IN/calls"\nmkdir -p "${download}"\ncp "$STAND_IN_FILES/pulumi" "${download}"\nexec "${download}/pulumi" "$@"\n`,
        );
        expect(await box.pulumiw("up")).toMatchObject({
            code: 0,
            stderr: expect.stringContaining("engine: pulumi 3.265.0 (official, from npm)"),
        });
        expect(box.seen("program")).toBe(join(download, "pulumi"));
        expect(box.seen("PULUMI_HOME")).toBeUndefined();
        expect(box.calls("go")).toEqual([]);
        await box.pulumiw("up");
        expect(box.calls("launcher")).toEqual(["launcher version"]);
    });

    it("is the launcher itself where its download lies elsewhere", async () => {
        const box = sandbox();
        box.tell("launcher", readFileSync(join(STAND_INS, "pulumi"), "utf8"));
        expect(await box.pulumiw("up")).toMatchObject({
            code: 0,
            stderr: expect.stringContaining("from npm"),
        });
        expect(box.seen("program")).toBe(join(box.project, "node_modules/.bin/pulumi"));
    });

    it("is built from offline/ where it cannot be downloaded, once for all clones", async () => {
        const box = sandbox();
        const first = await box.pulumiw("up");
        expect(first.code).toBe(0);
        expect(first.stderr).toContain("built from offline/, compatible providers");
        const builds = box.calls("go build");
        expect(builds).toHaveLength(3);
        expect(builds[0]).toContain("Version=v3.259.0+offline");

        const home = join(box.state, "home");
        expect(box.seen("PULUMI_HOME")).toBe(home);
        expect(box.seen("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION")).toBe("true");
        expect(readdirSync(join(home, "plugins")).sort()).toEqual([
            expect.stringMatching(/^resource-command-v1\.2\.1\+offline$/),
            expect.stringMatching(/^resource-docker-v[\d.]+\+offline$/),
            expect.stringMatching(/^resource-random-v[\d.]+\+offline$/),
            expect.stringMatching(/^resource-tls-v[\d.]+\+offline$/),
        ]);
        expect(existsSync(join(box.home, ".pulumi"))).toBe(false);

        rmSync(box.state, { recursive: true });
        await box.works("up");
        expect(box.calls("go build")).toHaveLength(3);
    });

    it("shows how far it is where a step takes long", async () => {
        const box = sandbox();
        box.provide("date");
        box.tell(
            "build",
            'case $* in *cmd/pulumi\\ *|*cmd/pulumi) echo one; echo two; echo 10 >"$STAND_IN/later"; sleep 3 ;; esac',
        );
        const { stderr } = await box.works("up");
        expect(stderr).toMatch(
            /^ {2}engine: CLI from offline\/cli, about 5 minutes the first time … [1-5]\d s, 2 packages compiled\n {2}engine: CLI .*: [1-5]\d s$/m,
        );
        expect(stderr).not.toMatch(/language host.* … /);
    });

    it("gives up a download that takes for ever, ends it, and builds", async () => {
        const box = sandbox();
        box.provide("date");
        box.tell("launcher", '#!/bin/sh\necho 600 >"$STAND_IN/later"\nsleep 32.25\n');
        const { stderr } = await box.works("up");
        expect(stderr).toMatch(
            /downloading Pulumi with the official npm package: failed after 10 min \d+ s\n.*so it is built/,
        );
        expect(execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" })).not.toContain(
            "sleep 32.25",
        );
    });

    it("builds only what has changed, and does not try to download again", async () => {
        const box = sandbox();
        await box.pulumiw("up");
        box.forgetCalls();
        box.write("offline/providers/tls/key.go", "package tls\n");
        await box.pulumiw("up");
        expect(box.calls("go build")).toHaveLength(1);
        box.write("offline/providers/tls/key_test.go", "package tls\n");
        box.write("offline/providers/README.md", "words\n");
        await box.pulumiw("up");
        expect(box.calls("go build")).toHaveLength(1);
        box.write("offline/cli/go.sum", "other\n");
        await box.pulumiw("up");
        expect(box.calls("go build")).toHaveLength(3);
        expect(box.calls("launcher")).toEqual([]);
    });

    it("leaves other clones the providers that they use, and removes those that nobody has used for long", async () => {
        const box = sandbox();
        await box.works("up");
        const folder = join(box.cache, "plugins");
        const days = (count: number) => Date.now() / 1000 - count * 86_400;
        const [mine = ""] = readdirSync(folder);
        utimesSync(join(folder, mine), days(9), days(9));
        const recent = ["r1", "r2", "r3", "r4", "r5", "r6"];
        for (const [index, name] of [...recent, "old1", "old2"].entries()) {
            mkdirSync(join(folder, name, "resource"), { recursive: true });
            const used = days(index < recent.length ? 0.5 : 2);
            utimesSync(join(folder, name), used, used);
        }
        await box.works("up");

        const other = join(box.top, "clone");
        cpSync(box.project, other, { recursive: true });
        rmSync(join(other, ".pulumi-state"), { recursive: true });
        writeFileSync(join(other, "offline/providers/new.go"), "package m\n");
        expect(await box.run(join(other, "pulumiw"), ["up"])).toMatchObject({ code: 0 });
        const left = readdirSync(folder);
        expect(left).toHaveLength(8);
        expect(left).toEqual(expect.arrayContaining([mine, ...recent]));
    });

    it("links compatible providers into a PULUMI_HOME of the user's own, and leaves official ones alone", async () => {
        const box = sandbox();
        const home = join(box.top, "my home");
        box.env.PULUMI_HOME = home;
        const tls = /"@pulumi\/tls": "([^"]+)"/.exec(box.read("package.json"))?.[1] ?? "";
        mkdirSync(join(home, `plugins/resource-tls-v${tls}`), { recursive: true });
        await box.works("up");
        expect(box.seen("PULUMI_HOME")).toBe(home);
        const plugins = readdirSync(join(home, "plugins"));
        expect(plugins).toContain("resource-command-v1.2.1+offline");
        expect(plugins.filter((name) => name.startsWith("resource-tls"))).toEqual([
            `resource-tls-v${tls}`,
        ]);
        const link = join(home, "plugins/resource-command-v1.2.1+offline/pulumi-resource-command");
        expect(readlinkSync(link).startsWith(join(box.cache, "plugins"))).toBe(true);
    });

    it("never writes into the cache through a PULUMI_HOME whose plugins are a link to it", async () => {
        const box = sandbox();
        await box.works("up");
        const plugins = join(box.cache, "plugins");
        const built = filesBelow(plugins);
        expect(built.length).toBeGreaterThan(3);
        box.env.PULUMI_HOME = join(box.state, "home");
        await box.works("up");
        expect(filesBelow(plugins)).toEqual(built);
        // Also where that link is an older one.
        cpSync(join(box.state, "home"), join(box.top, "home of another"), { recursive: true });
        box.env.PULUMI_HOME = join(box.top, "home of another");
        box.write("offline/providers/new.go", "package p\n");
        await box.works("up");
        for (const file of built) expect(lstatSync(file).isFile()).toBe(true);
        expect(realpathSync(join(box.env.PULUMI_HOME, "plugins"))).not.toBe(
            realpathSync(join(box.state, "home/plugins")),
        );
    });

    it("can be forced", async () => {
        const box = sandbox("docker", "npm", "go", "pulumi");
        box.env.PULUMIW_ENGINE = "offline";
        expect((await box.pulumiw("up")).stderr).toContain("built from offline/");
        box.env.PULUMIW_ENGINE = "npm";
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringMatching(
                /launcher could not get Pulumi[^]*why: pulumi: fetch failed/,
            ),
        });
        box.env.PULUMIW_ENGINE = "path";
        expect((await box.pulumiw("up")).stderr).toContain("engine: pulumi 3.300.0 (");
        box.env.PULUMIW_ENGINE = "other";
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("use path, npm or offline"),
        });
    });

    it.each([
        [
            ["docker", "npm"],
            undefined,
            /Go 1\.26\.0 or later is needed to build offline\/cli, and there is none/,
        ],
        [
            ["docker", "npm", "go"],
            "go1.19.8",
            /Go 1\.26\.0 or later is needed to build offline\/cli, and this machine's is 1\.19\.8/,
        ],
    ])(
        "says what to install where Go is missing or too old (%s)",
        async (tools, version, message) => {
            const box = sandbox(...tools);
            if (version !== undefined) box.tell("go-version", version);
            const { code, stderr } = await box.pulumiw("up");
            expect(code).toBe(1);
            expect(stderr).toMatch(message);
            expect(stderr).toMatch(
                /do: {2}install Go 1\.26\.0 or later.*or install Pulumi instead/,
            );
        },
    );

    it("leaves nothing half built behind", async () => {
        const box = sandbox();
        box.tell(
            "build",
            'case $* in *language-nodejs*) echo "x.go:1: undefined: y"; exit 1;; esac',
        );
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(1);
        expect(stderr).toMatch(
            /could not build the Node\.js language host[^]*why: x\.go:1: undefined: y/,
        );
        box.untell("build");
        await box.works("up");
        expect(readdirSync(join(box.cache, "engine"))).toHaveLength(1);
    });
});

describe("Docker and the image", () => {
    it("is asked for only where it is needed", async () => {
        const box = await ready();
        box.untell("docker-up");
        for (const args of [
            ["stack", "output"],
            ["config", "set", "a", "b"],
            ["up", "--help"],
            ["cancel"],
        ]) {
            await box.works(...args);
        }
        expect(box.calls("docker")).toEqual([]);
    });

    it.each([
        [
            "permission denied while trying to connect",
            "me",
            {},
            /me may not use it[^]*usermod -aG docker me/,
        ],
        ["Cannot connect", "me", {}, /only root can[^]*sudo apt-get install docker\.io/],
        [
            "Cannot connect",
            undefined,
            { DOCKER_HOST: "tcp://far:2375" },
            /tcp:\/\/far:2375 does not answer: Cannot connect/,
        ],
    ])("says what to do (%s, %s, %p)", async (error, user, env, message) => {
        const box = await ready();
        box.untell("docker-up");
        box.tell("docker-error", error);
        if (user !== undefined) box.tell("user", user);
        Object.assign(box.env, env);
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(1);
        expect(stderr).toMatch(message);
        expect(box.calls("apt-get")).toEqual([]);
    });

    it("starts nothing here when another context is chosen", async () => {
        const box = await ready();
        box.untell("docker-up");
        box.tell("docker-context", "colima");
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("context 'colima'"),
        });
    });

    it("is installed and started as root on Debian", async () => {
        const box = sandbox("npm", "go", "pulumi", "apt-get");
        symlinkSync(join(STAND_INS, "dockerd"), join(box.top, "tools/systemctl"));
        box.untell("docker-up");
        const { code, stderr } = await box.pulumiw("up");
        expect(stderr).toMatch(
            /Docker: apt-get install docker\.io: \d+ s\n.*Docker: starting the daemon: \d+ s/,
        );
        expect(code).toBe(0);
        expect(box.calls("apt-get")[0]).toContain("update");
        expect(box.calls("apt-get")[1]).toContain("docker.io");
    });

    it("is not installed on macOS: what to start is said", async () => {
        const box = sandbox("docker", "npm", "pulumi", "apt-get");
        box.tell("system", "Darwin");
        await box.works("up");
        box.untell("docker-up");
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(1);
        expect(stderr).toMatch(
            /no Docker daemon answers\n {2}do: {2}start Docker Desktop, or: brew install docker colima && colima start;/,
        );
        expect(box.calls("apt-get")).toEqual([]);
    });

    it("says so where it cannot be installed", async () => {
        const box = sandbox("npm", "go", "pulumi");
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringMatching(/only on Debian and Ubuntu[^]*docs\.docker\.com/),
        });
    });

    it("follows the stack's dockerHost, and leaves an image of the user's own choice to the program", async () => {
        const box = await ready();
        box.untell("image");
        box.tell("up", 'echo "host $DOCKER_HOST"');
        box.write(
            "Pulumi.prod.yaml",
            "config:\n  private-registry:dockerHost: ssh://me@far\n  private-registry:image: my/registry@sha256:1\n",
        );
        expect(await box.pulumiw("up", "--stack", "prod")).toMatchObject({
            code: 0,
            stdout: "host ssh://me@far\n",
        });
        expect(box.calls("docker pull")).toEqual([]);
        box.tell("pull");
        box.tell("up", 'echo "host ${DOCKER_HOST-none}"');
        expect(await box.pulumiw("up")).toMatchObject({ code: 0, stdout: "host none\n" });
        expect(box.calls("docker pull")).toEqual(["docker pull -q registry:3.1.1"]);
    });

    it("builds the image where it cannot be pulled", async () => {
        const box = sandbox("docker", "npm", "go", "pulumi", "apt-get", "dpkg-deb");
        box.untell("image");
        box.tell("busybox");
        await box.works("up");
        expect(box.calls("docker build")).toEqual([
            expect.stringMatching(
                /^docker build -t registry:3\.1\.1 --build-arg VERSION=3\.1\.1\+offline /,
            ),
        ]);
        const [folder = ""] = readdirSync(join(box.cache, "registry"));
        expect(readdirSync(join(box.cache, "registry", folder)).sort()).toEqual([
            "Dockerfile",
            "root",
        ]);
        const root = join(box.cache, "registry", folder, "root");
        for (const applet of "sh cp mv cat chmod chown mkdir rm ls wget sleep test stat sync".split(
            " ",
        )) {
            expect(readlinkSync(join(root, "bin", applet))).toBe("busybox");
        }
        expect(existsSync(join(root, "etc/distribution/config.yml"))).toBe(true);
        box.untell("image");
        box.forgetCalls();
        await box.pulumiw("up");
        expect(box.calls("go build")).toEqual([]);
        expect(box.calls("docker build")).toHaveLength(1);
    });

    it.each([
        ["a gateway", "  private-registry:gateway: true"],
        ["permissions", "  private-registry:teams: {web: {push: ['web/*']}}"],
        [
            "permissions over several lines",
            "  private-registry:teams:\n    web:\n      admin: true",
        ],
        ["replicas", "  private-registry:swarm: true"],
    ])("builds the gateway's image where the stack has %s, and only there", async (_, lines) => {
        const box = sandbox("docker", "npm", "go", "pulumi", "apt-get", "dpkg-deb");
        box.tell("busybox");
        await box.works("up");
        expect(box.calls("docker build")).toEqual([]);
        writeFileSync(join(box.project, "Pulumi.dev.yaml"), `config:\n${lines}\n`);
        await box.works("up");
        expect(box.calls("docker build")).toEqual([
            expect.stringMatching(/^docker build -t caddy:\S+ --build-arg VERSION=/),
        ]);
        expect(readdirSync(box.cache)).toContain("gateway");
    });

    it.each(["true", '"true"'])(
        "makes the image of Redis from packages, each once, where the stack has one of its own (%s), and only there",
        async (value) => {
            const box = sandbox(
                "docker",
                "npm",
                "go",
                "pulumi",
                "apt-get",
                "apt-cache",
                "dpkg-deb",
            );
            box.tell("busybox");
            box.tell("redis", "Package: redis-tools\nVersion: 5:7.0.15-1~deb12u10\n");
            const configure = (text: string) =>
                box.write("Pulumi.dev.yaml", `config:\n  private-registry:redis: ${text}\n`);
            for (const other of ["false", "\n    address: true.example.com:6379"]) {
                configure(other);
                await box.works("up");
            }
            expect(box.calls("docker build")).toEqual([]);
            configure(value);
            await box.works("up");
            expect(box.calls("docker build")).toEqual([
                expect.stringMatching(
                    /^docker build -t redis:\S+ --build-arg VERSION=5:7\.0\.15-1~deb12u10 /,
                ),
            ]);
            expect(box.calls("apt-get -q download redis")).toEqual([
                "apt-get -q download redis-tools:amd64 liba1 libb1",
            ]);
            expect(box.calls("go build")).toEqual([]);
            await box.works("up");
            expect(box.calls("docker build")).toHaveLength(1);
        },
    );

    it("says what is missing for the image of Redis", async () => {
        const box = sandbox("docker", "npm", "go", "pulumi");
        box.write("Pulumi.dev.yaml", "config:\n  private-registry:redis: true\n");
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(1);
        expect(stderr).toMatch(/cannot pull redis:\S+[^]*\.\/pulumiw config set redisImage/);
        box.write(
            "Pulumi.dev.yaml",
            "config:\n  private-registry:redis: true\n  private-registry:redisImage: my/redis:7\n",
        );
        await box.works("up");
    });

    it("says what is missing for the image", async () => {
        const box = sandbox("docker", "npm", "go", "pulumi", "apt-get", "dpkg-deb");
        box.untell("image");
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(1);
        expect(stderr).toMatch(
            /no static busybox for linux\/amd64[^]*why: .*busybox[^]*PULUMIW_BUSYBOX=/,
        );
        const busybox = join(box.top, "my busybox");
        writeFileSync(busybox, "static");
        box.env.PULUMIW_BUSYBOX = busybox;
        await box.works("up");
    });
});

describe("backend, passphrase and stack", () => {
    it("keeps the state in the project, private, under a generated passphrase that nobody sees", async () => {
        const box = sandbox();
        const printed = await box.pulumiw("up");
        const passphrase = readFileSync(join(box.state, "passphrase"), "utf8");
        expect(passphrase).toMatch(/^[0-9a-f]{64}$/);
        expect(modeOf(box.state)).toBe("700");
        expect(modeOf(join(box.state, "passphrase"))).toBe("600");
        expect(openBelow(box.state)).toEqual([]);
        expect(box.seen("PULUMI_BACKEND_URL")).toBe(`file://${box.state}`);
        expect(box.seen("PULUMI_CONFIG_PASSPHRASE")).toBeUndefined();
        expect(box.seen("PULUMI_DIY_BACKEND_GZIP")).toBe("true");

        const again = await box.pulumiw("up");
        expect(readFileSync(join(box.state, "passphrase"), "utf8")).toBe(passphrase);
        const all = [printed, again].map(({ stdout, stderr }) => stdout + stderr);
        all.push(readFileSync(join(box.state, "setup/setup.log"), "utf8"));
        for (const text of all) expect(text).not.toContain(passphrase);
        expect(box.calls("pulumi stack")).toEqual(["pulumi stack init dev --non-interactive"]);
    });

    it("makes an open folder private again", async () => {
        const box = await ready();
        chmodSync(box.state, 0o755);
        chmodSync(join(box.state, "setup/stack"), 0o644);
        await box.pulumiw("up");
        expect(modeOf(box.state)).toBe("700");
        expect(openBelow(box.state)).toEqual([]);
    });

    it.each([
        [{ PULUMI_BACKEND_URL: "s3://mine" }, "PULUMI_BACKEND_URL"],
        [{ PULUMI_ACCESS_TOKEN: "canary-token" }, "Pulumi Cloud"],
    ])("leaves the user's backend alone (%p)", async (env: NodeJS.ProcessEnv, words) => {
        const box = sandbox("docker", "npm", "pulumi");
        Object.assign(box.env, env);
        const { code, stderr } = await box.pulumiw("up");
        expect(code).toBe(0);
        expect(stderr).toContain(`state: ${words}`);
        expect(stderr).not.toContain("canary-token");
        expect(box.seen("PULUMI_BACKEND_URL")).toBe(env.PULUMI_BACKEND_URL);
        expect(box.seen("PULUMI_CONFIG_PASSPHRASE_FILE")).toBeUndefined();
        expect(box.seen("PULUMI_DIY_BACKEND_GZIP")).toBeUndefined();
        expect(existsSync(join(box.state, "passphrase"))).toBe(false);
        expect(box.calls("pulumi stack")).toEqual([]);
        // Theirs is the salt too.
        expect(box.read("Pulumi.dev.yaml")).toBe(STACK_FILE + SALT);
    });

    it("leaves a pulumi login alone, also with an engine of our own", async () => {
        const box = sandbox();
        mkdirSync(join(box.home, ".pulumi"));
        writeFileSync(
            join(box.home, ".pulumi/credentials.json"),
            '{"current": "https://api.pulumi.com"}',
        );
        expect((await box.pulumiw("up")).stderr).toContain("state: your pulumi login");
        expect(box.seen("PULUMI_BACKEND_URL")).toBeUndefined();
        expect(box.seen("PULUMI_CREDENTIALS_PATH")).toBe(join(box.home, ".pulumi"));
    });

    it("does not stand in the way of a login", async () => {
        const box = await ready();
        await box.pulumiw("login", "s3://mine");
        expect(box.seen("PULUMI_BACKEND_URL")).toBeUndefined();
    });

    it("keeps the user's passphrase, and refuses an empty one", async () => {
        const box = sandbox("docker", "npm", "pulumi");
        box.env.PULUMI_CONFIG_PASSPHRASE = "canary-passphrase";
        const { stderr } = await box.pulumiw("up");
        expect(stderr).not.toContain("canary-passphrase");
        expect(box.seen("PULUMI_CONFIG_PASSPHRASE")).toBe("canary-passphrase");
        expect(box.seen("PULUMI_CONFIG_PASSPHRASE_FILE")).toBeUndefined();
        expect(existsSync(join(box.state, "passphrase"))).toBe(false);
        expect(readFileSync(join(box.state, "setup/setup.log"), "utf8")).not.toContain(
            "canary-passphrase",
        );

        box.env.PULUMI_CONFIG_PASSPHRASE = "";
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("PULUMI_CONFIG_PASSPHRASE is empty"),
        });
        delete box.env.PULUMI_CONFIG_PASSPHRASE;
        box.env.PULUMI_CONFIG_PASSPHRASE_FILE = join(box.top, "none");
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("missing or empty"),
        });
    });

    it("never makes a new passphrase for an old state", async () => {
        const box = await ready();
        rmSync(join(box.state, "passphrase"));
        expect(await box.pulumiw("up")).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("passphrase that is gone"),
        });
        expect(existsSync(join(box.state, "passphrase"))).toBe(false);
    });

    it("creates dev only where there is no stack, and selects it only where none is selected", async () => {
        const box = sandbox("docker", "npm", "pulumi");
        await box.pulumiw("stack", "init", "prod");
        await box.pulumiw("up");
        expect(box.calls("pulumi stack")).toEqual(["pulumi stack init prod"]);

        const other = await ready();
        rmSync(join(other.home, ".pulumi"), { recursive: true });
        await other.pulumiw("up");
        expect(other.calls("pulumi stack")).toEqual([]);
        rmSync(join(other.state, "setup/stack"));
        await other.pulumiw("up");
        expect(other.calls("pulumi stack")).toEqual(["pulumi stack select dev --non-interactive"]);
        rmSync(join(other.state, "setup/stack"));
        rmSync(join(other.home, ".pulumi"), { recursive: true });
        const stacks = join(other.state, ".pulumi/stacks/private-registry");
        // What `pulumi stack rm` leaves of one.
        renameSync(join(stacks, "dev.json"), join(stacks, "dev.json.bak"));
        writeFileSync(join(stacks, "prod.json"), "{}");
        other.forgetCalls();
        await other.works("stack", "ls");
        expect(other.calls("pulumi")).toEqual(["pulumi stack ls"]);
        other.forgetCalls();
        other.env.PULUMI_STACK = "prod";
        await other.pulumiw("up");
        expect(other.calls("pulumi stack")).toEqual([]);
    });

    it("names a run that was killed, and what to do", async () => {
        const box = await ready();
        const locks = join(box.state, ".pulumi/locks/organization/private-registry/dev");
        mkdirSync(locks, { recursive: true });
        const lock = (pid: number): void =>
            writeFileSync(
                join(locks, "1.json"),
                JSON.stringify({
                    pid,
                    username: "me",
                    hostname: execFileSync("uname", ["-n"], { encoding: "utf8" }).trim(),
                }),
            );
        lock(process.pid);
        expect((await box.pulumiw("up")).stderr).not.toContain("locked");
        lock(2 ** 22 + 1);
        expect((await box.pulumiw("up")).stderr).toMatch(
            /'dev' is locked by a run that was killed[^]*npm run recover -- --stack dev/,
        );
        expect((await box.pulumiw("cancel", "--yes")).stderr).not.toContain("locked");
    });

    it("keeps the newest of the engine's copies of the state", async () => {
        const box = await ready();
        const history = join(box.state, ".pulumi/history/private-registry/dev");
        const backups = join(box.state, ".pulumi/backups/private-registry/dev");
        for (const folder of [history, backups]) mkdirSync(folder, { recursive: true });
        for (let at = 100; at < 125; at++) {
            for (const suffix of ["", ".attrs"]) {
                writeFileSync(join(history, `dev-${at}.checkpoint.json${suffix}`), "");
                writeFileSync(join(history, `dev-${at}.history.json${suffix}`), "");
                writeFileSync(join(backups, `dev.${at}.json${suffix}`), "");
            }
        }
        await box.pulumiw("up");
        const kept = readdirSync(history).filter(
            (name) => name.includes("checkpoint") && name.endsWith("json"),
        );
        expect(kept).toHaveLength(5);
        expect(kept).toContain("dev-124.checkpoint.json");
        expect(readdirSync(history).filter((name) => name.includes("history.json"))).toHaveLength(
            50,
        );
        expect(readdirSync(backups)).toHaveLength(10);
    });

    it.each([
        ["PULUMI_BACKEND_URL", (box: Sandbox) => void (box.env.PULUMI_BACKEND_URL = "s3://mine")],
        [
            "Pulumi.yaml",
            (box: Sandbox) =>
                box.write(
                    "Pulumi.yaml",
                    "name: private-registry\nruntime: nodejs\nbackend:\n  url: 'azblob://mine'\n",
                ),
        ],
        [
            "a login",
            (box: Sandbox) => {
                mkdirSync(join(box.home, ".pulumi"));
                writeFileSync(
                    join(box.home, ".pulumi/credentials.json"),
                    '{\n    "current": "file://~",\n    "accounts": {}\n}\n',
                );
            },
        ],
    ])(
        "refuses an empty passphrase for files and buckets of the user's too (%s)",
        async (_, choose) => {
            const box = sandbox("docker", "npm", "pulumi");
            choose(box);
            for (const env of [
                { PULUMI_CONFIG_PASSPHRASE: "" },
                { PULUMI_CONFIG_PASSPHRASE_FILE: "/dev/null" },
            ]) {
                const before = box.env;
                box.env = { ...box.env, ...env };
                const { code, stderr } = await box.pulumiw("up");
                expect(code).toBe(1);
                expect(stderr).toMatch(
                    /PULUMI_CONFIG_PASSPHRASE.* empty.*\n {2}do: {2}give a good one;/,
                );
                // The way out of it.
                await box.works("stack", "change-secrets-provider", "passphrase");
                box.env = before;
            }
            expect(box.calls("pulumi up")).toEqual([]);
            // What the engine does not look at is no matter.
            box.env.PULUMI_CONFIG_PASSPHRASE_FILE = "/dev/null";
            box.env.PULUMI_CONFIG_PASSPHRASE = "canary-passphrase";
            await box.works("up");
        },
    );

    it.each([
        { PULUMI_BACKEND_URL: "https://api.pulumi.com" },
        { PULUMI_BACKEND_URL: "https://pulumi.example.com" },
        { PULUMI_ACCESS_TOKEN: "canary-token" },
    ])(
        "lets an empty passphrase pass where a service keeps the key (%p)",
        async (env: NodeJS.ProcessEnv) => {
            const box = sandbox("docker", "npm", "pulumi");
            Object.assign(box.env, env, { PULUMI_CONFIG_PASSPHRASE: "" });
            await box.works("up");
        },
    );
});

describe("the tracked stack file", () => {
    it("comes out of every run as it went in", async () => {
        const box = sandbox("docker", "npm", "pulumi");
        await box.pulumiw("up");
        box.tell("up", "exit 1");
        await box.pulumiw("up");
        expect(box.read("Pulumi.dev.yaml")).toBe(STACK_FILE);
        expect(box.git("status", "--porcelain")).toBe("");
        expect(readdirSync(box.project).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    });

    it("is mended by the next run when one was killed", async () => {
        const box = await ready();
        box.write("Pulumi.dev.yaml", STACK_FILE + SALT);
        await box.pulumiw("stack", "output");
        expect(box.git("status", "--porcelain")).toBe("");
    });

    it("keeps a salt that is committed, or that the state does not have", async () => {
        const box = await ready();
        box.write("Pulumi.dev.yaml", `${STACK_FILE}encryptionsalt: v1:another\n`);
        await box.pulumiw("up");
        expect(box.read("Pulumi.dev.yaml")).toContain("v1:another");
        box.write("Pulumi.dev.yaml", STACK_FILE + SALT);
        box.commit();
        await box.pulumiw("up");
        expect(box.read("Pulumi.dev.yaml")).toBe(STACK_FILE + SALT);
    });

    it("keeps the user's own formatting when the engine writes it anew, and the user's changes", async () => {
        const box = await ready();
        const odd = "# mine\nconfig:\n\n    private-registry:bindAddress:   127.0.0.1\n";
        box.write("Pulumi.dev.yaml", odd);
        const rewrite = (text: string): void =>
            box.tell("up", `cat >Pulumi.dev.yaml <<'END'\n${text}${SALT}END\n`);
        rewrite("# mine\nconfig:\n  private-registry:bindAddress: 127.0.0.1\n");
        await box.pulumiw("up");
        expect(box.read("Pulumi.dev.yaml")).toBe(odd);
        rewrite("config:\n  private-registry:port: 1\n");
        await box.pulumiw("up");
        expect(box.read("Pulumi.dev.yaml")).toBe("config:\n  private-registry:port: 1\n");
    });

    it("does not stay where there was none", async () => {
        const box = await ready();
        await box.pulumiw("stack", "init", "prod");
        expect(box.git("status", "--porcelain")).toBe("");
    });
});

describe("interruptions and company", () => {
    const record = (signal: string): string =>
        `trap 'echo got ${signal} >>"$STAND_IN/calls"; exit 9' ${signal}\n`;
    const waiting = 'echo up-started >>"$STAND_IN/calls"; while :; do sleep 1; done';

    it.each(["SIGTERM", "SIGINT"] as const)(
        "hands %s on to pulumi once, and waits for its end",
        async (signal) => {
            const box = await ready();
            box.tell("up", record(signal.slice(3)) + waiting);
            const { child, ended } = box.start("up");
            await box.until(() => box.calls("up-started").length > 0);
            child.kill(signal);
            expect(await ended).toMatchObject({ code: 9 });
            expect(box.calls("got")).toEqual([`got ${signal.slice(3)}`]);
            expect(box.git("status", "--porcelain")).toBe("");
        },
    );

    it("says how to go on when the engine was killed", async () => {
        const box = await ready();
        box.tell("up", "kill -9 $$");
        expect(await box.pulumiw("up")).toMatchObject({
            code: 137,
            stderr: expect.stringContaining("npm run recover"),
        });
    });

    it("can be interrupted while it sets up, ends what it started, and goes on from there", async () => {
        const box = sandbox("docker", "npm", "pulumi");
        // npm takes its time after a signal, to put back what it had begun.
        box.tell(
            "ci",
            'trap "sleep 1; echo ci-ended >>\\"$STAND_IN/calls\\"; exit 1" TERM; echo ci-started >>"$STAND_IN/calls"; sleep 30.25',
        );
        const { child, ended } = box.start("up");
        await box.until(() => box.calls("ci-started").length > 0);
        child.kill("SIGTERM");
        expect(await ended).toMatchObject({
            code: 143,
            stderr: expect.stringContaining("interrupted"),
        });
        expect(box.calls("ci-ended")).toHaveLength(1);
        expect(existsSync(join(box.cache, "setup.lock"))).toBe(false);
        expect(execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" })).not.toContain(
            "sleep 30.25",
        );
        box.untell("ci");
        await box.works("up");
        expect(box.calls("npm ci")).toHaveLength(2);
    });

    it("sets up once when two start at once", async () => {
        const box = sandbox();
        box.tell("ci", "sleep 2");
        const results = await Promise.all([1, 2, 3].map(() => box.pulumiw("up")));
        for (const { code } of results) expect(code).toBe(0);
        expect(box.calls("npm ci")).toHaveLength(1);
        expect(box.calls("go build")).toHaveLength(3);
        expect(box.calls("pulumi stack init")).toHaveLength(1);
        const waited = results.filter(({ stderr }) =>
            /waiting for another set-up: process \d+, for .*a project/.test(stderr),
        );
        expect(waited.length).toBeGreaterThan(0);
    });

    it.each(["999999999 1", `${process.pid} 1`])(
        "takes over the lock of a dead process (%s)",
        async (owner) => {
            const box = sandbox();
            const lock = join(box.cache, "setup.lock");
            mkdirSync(lock, { recursive: true });
            writeFileSync(join(lock, "owner"), `${owner}\n`);
            expect(await box.pulumiw("up")).toMatchObject({
                code: 0,
                stderr: expect.not.stringContaining("waiting"),
            });
            expect(existsSync(lock)).toBe(false);
        },
    );
});

describe("npm run up", () => {
    it("ends with how to use what is there", async () => {
        const box = await ready();
        const { code, stdout } = await box.run("sh", ["a project/scripts/up", "--refresh"]);
        expect(code).toBe(0);
        expect(box.calls("pulumi up")).toEqual([
            expect.stringMatching(
                /^pulumi up --refresh --yes --skip-preview --continue-on-error --event-log /,
            ),
        ]);
        for (const words of [
            "https://localhost:5000 (certificate until 2031-02-03)",
            "npm run handover -- TEAM --show-secrets",
            "docker login localhost:5000 --username",
            "./pulumiw stack output caCertificate > ca.crt",
            "npm run destroy",
        ]) {
            expect(stdout).toContain(words);
        }
    });

    it.each<[string, string[], string]>([
        ["the selected one", [], ""],
        ["another one", ["--stack", "prod"], "prod"],
    ])("with --repair has the doctor mend, then refreshes: %s", async (_, args, stack) => {
        const box = await ready();
        // It ends with 1 when something is left that only the refresh mends.
        box.write(
            "scripts/check/doctor.mjs",
            `import { appendFileSync } from "node:fs";
            const call = "doctor " + JSON.stringify(process.argv.slice(2));
            appendFileSync(process.env.STAND_IN + "/calls", call + "\\n");
            process.exitCode = 1;`,
        );
        const command = ["a project/scripts/up", "--repair", ...args];
        expect(await box.run("sh", command)).toMatchObject({ code: 0 });
        const calls = box.calls().filter((call) => /^(doctor|pulumi (up|refresh)) /.test(call));
        expect(calls).toEqual([
            `doctor ${JSON.stringify([stack, "repair"])}`,
            expect.stringContaining(
                `pulumi up ${["--refresh", ...args].join(" ")} --yes --skip-preview --continue-on-error `,
            ),
        ]);
    });

    it("speaks of the stack that it was given", async () => {
        const box = await ready();
        const { stdout } = await box.run("sh", ["a project/scripts/up", "--stack", "prod"]);
        expect(stdout).toContain("npm run handover -- --stack prod TEAM --show-secrets");
        expect(stdout).toContain("npm run destroy -- --stack prod");
        expect(box.calls("pulumi stack output").at(-1)).toContain("--stack prod");
    });

    it("keeps the exit code of a failure, and says what next", async () => {
        const box = await ready();
        box.tell("up", "exit 5");
        expect(await box.run("sh", ["a project/scripts/up"])).toMatchObject({
            code: 5,
            stderr: expect.stringContaining("run the same command again"),
        });
    });

    it("lets nothing of the engine's log reach the disk but what it reads itself", async () => {
        const box = await ready();
        const event = { diagnosticEvent: { severity: "debug", message: "key in clear" } };
        const script = [
            "for log; do :; done",
            `echo '${JSON.stringify(event)}' >>"$log"`,
            'sleep 1; find "$STAND_IN/../a project/.pulumi-state" -type f -exec cat {} + >"$STAND_IN/../disk"',
        ];
        box.tell("up", script.join("\n"));
        expect(await box.run("sh", ["a project/scripts/up"])).toMatchObject({ code: 0 });
        expect(readFileSync(join(box.top, "disk"), "utf8")).not.toContain("in clear");
        const left = filesBelow(box.state).filter((file) => file.includes("events"));
        expect(left).toEqual([]);
    });

    it("explains itself, and has its counterparts", async () => {
        const box = await ready();
        expect((await box.run("sh", ["a project/scripts/up", "--help"])).stdout).toContain(
            "Usage: npm run up",
        );
        for (const command of ["preview", "destroy"]) {
            const { stdout } = await box.run("sh", [`a project/scripts/${command}`, "--help"]);
            expect(stdout).toContain(`Usage: npm run ${command} [-- ARGS]`);
        }
        expect(box.calls()).toEqual([]);
        await box.run("sh", ["a project/scripts/preview", "--diff"]);
        await box.run("sh", ["a project/scripts/destroy"]);
        expect(box.calls("pulumi")).toEqual([
            expect.stringMatching(/^pulumi preview --diff --event-log /),
            expect.stringMatching(
                /^pulumi destroy --yes --skip-preview --continue-on-error --event-log /,
            ),
        ]);
    });
});

/** Only where this runs inside `pulumiw --exec`, as npm test does, or beside a Pulumi of the user's own. */
const engine = (process.env.PATH ?? "")
    .split(delimiter)
    // npm's launcher is no engine yet.
    .filter((folder) => !folder.endsWith("node_modules/.bin"))
    .map((folder) => join(folder, "pulumi"))
    .find((path) => existsSync(path));
const withEngine = engine === undefined ? describe.skip : describe;

withEngine("on the real engine", () => {
    (process.env.PULUMIW_ENGINE_KIND === "offline" ? it : it.skip)(
        "says in each version that it and its providers are no official builds",
        async () => {
            const { dependencies } = JSON.parse(
                readFileSync(join(PROJECT, "package.json"), "utf8"),
            ) as { dependencies: Record<string, string> };
            expect((await run(engine ?? "", ["version"])).stdout).toMatch(/^v[\d.]+\+offline\n$/);
            const { stdout } = await run(engine ?? "", ["plugin", "ls", "--json"]);
            const plugins = JSON.parse(stdout) as { name: string; kind: string; version: string }[];
            const found = plugins
                .filter(({ kind }) => kind === "resource")
                .map(({ name, version }) => [name, version]);
            expect(found.sort()).toEqual(
                ["command", "docker", "random", "tls"].map((name) => [
                    name,
                    `${dependencies[`@pulumi/${name}`] ?? ""}+offline`,
                ]),
            );
        },
    );

    it("leaves git clean, and secrets readable", async () => {
        const box = sandbox("docker", "npm", "go");
        symlinkSync(engine ?? "", join(box.top, "tools/pulumi"));
        // HOME would not do: the engine asks the system for the user's. An engine that was built here has this one.
        box.env.PULUMI_HOME = join(box.state, "home");
        // The real packages under a node_modules of the sandbox's own.
        box.tell(
            "ci",
            `mkdir -p node_modules && ln -s "${PROJECT}"/node_modules/@pulumi node_modules/ && exit 0`,
        );
        const original = readFileSync(join(PROJECT, "Pulumi.dev.yaml"), "utf8");
        box.write("Pulumi.dev.yaml", original);
        box.write("Pulumi.yaml", "name: private-registry\nruntime: nodejs\nmain: index.js\n");
        box.write(
            "index.js",
            'const { Config } = require("@pulumi/pulumi");\nexports.word = new Config("private-registry").getSecret("word");\n',
        );
        box.commit();
        await box.works("up", "--yes", "--skip-preview");
        expect(box.git("status", "--porcelain")).toBe("");

        await box.run(
            join(box.project, "pulumiw"),
            ["config", "set", "--secret", "word"],
            "canary-word",
        );
        expect(box.read("Pulumi.dev.yaml")).not.toContain("encryptionsalt");
        expect(await box.pulumiw("config", "get", "word")).toMatchObject({
            code: 0,
            stdout: "canary-word\n",
        });
        await box.works("up", "--yes", "--skip-preview");
        expect((await box.pulumiw("stack", "output", "word", "--show-secrets")).stdout).toBe(
            "canary-word\n",
        );
        for (const file of filesBelow(box.state)) {
            expect(readFileSync(file, "utf8")).not.toContain("canary-word");
        }

        await box.works("--exec", "pulumi", "stack", "ls");
        expect(readdirSync(join(box.state, "home/logs")).length).toBeGreaterThan(5);
        expect(openBelow(box.state)).toEqual([]);

        await box.pulumiw("config", "rm", "word");
        expect(box.read("Pulumi.dev.yaml")).toBe(original);
        appendFileSync(join(box.project, "Pulumi.dev.yaml"), "# a comment\n");
        await box.pulumiw("preview");
        expect(box.read("Pulumi.dev.yaml")).toBe(`${original}# a comment\n`);
    });
});
