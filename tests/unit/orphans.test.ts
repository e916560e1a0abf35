import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";

const SCRIPT = join(__dirname, "../../scripts/setup/orphans.mjs");
const WAIT = "setInterval(() => {}, 1000)";
/** Starts a plugin whose engine is said to be at a port, shows its process id, and waits. */
const ENGINE = `
const { spawn } = require("node:child_process");
const args = ["-e", ${JSON.stringify(WAIT)}, "127.0.0.1:" + process.argv[1]];
const child = spawn(process.execPath, args, { argv0: "/plugins/pulumi-resource-test" });
process.on("SIGTERM", () => { child.kill("SIGKILL"); process.exit(); });
console.log(child.pid);
${WAIT};`;

const started: ChildProcess[] = [];
const servers: Server[] = [];
afterEach(() => {
    started.splice(0).forEach((child) => child.kill());
    servers.splice(0).forEach((server) => server.close());
});

function start(argv0: string, program: string, address: string): ChildProcess {
    const child = spawn(process.execPath, ["-e", program, address], { argv0 });
    started.push(child);
    return child;
}

function isAlive(pid: number | undefined): boolean {
    try {
        return process.kill(pid ?? 0, 0);
    } catch {
        return false;
    }
}

test("only a plugin whose engine is gone is ended", async () => {
    const engine = createServer();
    servers.push(engine);
    await once(engine.listen(0, "127.0.0.1"), "listening");
    const { port } = engine.address() as AddressInfo;
    const other = createServer();
    await once(other.listen(0, "127.0.0.1"), "listening");
    const { port: closed } = other.address() as AddressInfo;
    other.close();
    await once(other, "close");

    const orphans = ["resource-docker", "language-nodejs"].map((kind) =>
        start(`/plugins/pulumi-${kind}`, WAIT, `127.0.0.1:${closed}`),
    );
    const ends = orphans.map((child) => once(child, "exit"));
    const served = start("/plugins/pulumi-resource-docker", WAIT, `127.0.0.1:${port}`);
    const stranger = start("/usr/bin/pulumi-watcher", WAIT, `127.0.0.1:${closed}`);
    // As one in a container on this machine: seen here, and its engine's address leads nowhere from here.
    const living = start("pulumi", ENGINE, String(closed));
    const [pid] = (await once(living.stdout ?? living, "data")) as [Buffer];

    const program = `import(${JSON.stringify(SCRIPT)}).then((m) => m.endOrphans()).then(console.log)`;
    // How many it has ended is not asked: another run on this machine may have been sooner.
    execFileSync(process.execPath, ["-e", program]);
    expect(await Promise.all(ends)).toEqual([
        [null, "SIGKILL"],
        [null, "SIGKILL"],
    ]);
    expect([served, stranger, living].map((child) => isAlive(child.pid))).toEqual([
        true,
        true,
        true,
    ]);
    expect(isAlive(Number(String(pid)))).toBe(true);
});
