import { spawnSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../support/run";
import { withStack } from "../support/stack";

const PROJECT = join(__dirname, "../..");

/** Whom a traced program tried to reach outside of this machine, and whom it asked for names, wherever that is. */
function reachedIn(trace: string): string[] {
    const calls = trace
        .split("\n")
        .filter((line) => /(connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET6?,/.test(line));
    const reached = calls.flatMap((line) =>
        [...line.matchAll(/sin6?_port=htons\((\d+)\)[^}]*?(?:inet_addr\(|AF_INET6, )"([^"]+)"/g)]
            .filter(([, port, address = ""]) => port === "53" || !isOfThisMachine(address))
            .map(([, port, address]) => `${address} ${port}`),
    );
    return [...new Set(reached)];
}

function isOfThisMachine(address: string): boolean {
    return /^(127\.|::1$|::ffff:127\.)/.test(address);
}

test("an address outside of this machine is found in a trace, and a question for a name at any address", () => {
    const to = (address: string, port = 443) =>
        `{sa_family=AF_INET, sin_port=htons(${port}), sin_addr=inet_addr("${address}")}`;
    const six =
        '{sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}';
    const message = (address: string) => `{msg_hdr={msg_name=${to(address, 53)}, msg_namelen=16}}`;
    const trace = [
        `7 connect(3, ${to("192.0.2.1")}, 16) = 0`,
        `7 connect(3, ${to("127.0.0.1")}, 16) = 0`,
        `8 connect(4, ${to("127.0.0.53", 53)}, 16) = 0`,
        `8 connect(4, ${six}, 28 <unfinished ...>`,
        `9 sendto(5, "x"..., 29, MSG_NOSIGNAL, ${to("192.0.2.2", 53)}, 16) = 29`,
        `9 sendmmsg(5, [${message("192.0.2.3")}, ${message("127.0.0.1")}], 2, MSG_NOSIGNAL) = 2`,
    ];
    expect(reachedIn(trace.join("\n"))).toEqual([
        "192.0.2.1 443",
        "127.0.0.53 53",
        "2001:db8::1 443",
        "192.0.2.2 53",
        "192.0.2.3 53",
        "127.0.0.1 53",
    ]);
});

const STRACE = ["-f", "-qq", "-A", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"];
const hasStrace = spawnSync("strace", ["-V"]).status === 0;
const testWithStrace = hasStrace ? test : test.skip;
const FLAGS = ["--yes", "--skip-preview", "--non-interactive"];

/** The trace of a whole life holds something: the provider talks to Docker and the proof to the registry. */
function expectNothingOutside(trace: string, port: number): void {
    expect(trace).toContain("docker.sock");
    expect(trace).toContain(`sin_port=htons(${port})`);
    expect(reachedIn(trace)).toEqual([]);
}

// Docker's proxies answer on the loopback; everything else goes through sockets of this machine.
testWithStrace("a whole life makes no connection beyond this machine, and asks for no name", () =>
    withStack({}, async (stack) => {
        const trace = stack.path("trace");
        for (const command of [["up"], ["up", "--refresh"], ["destroy"]]) {
            await must("strace", [...STRACE, trace, "pulumi", ...command, ...FLAGS], {
                cwd: stack.folder,
                env: stack.environment,
            });
        }
        expectNothingOutside(readFileSync(trace, "utf8"), stack.port);
    }),
);

testWithStrace("pulumiw adds no connection to that where everything is set up", () =>
    withStack({}, async (stack) => {
        for (const file of ["pulumiw", "scripts", "offline", "package-lock.json"]) {
            cpSync(join(PROJECT, file), stack.path(file), { recursive: true });
        }
        // It says so itself.
        const env = { ...stack.environment, PULUMI_SKIP_UPDATE_CHECK: undefined };
        const options = { cwd: stack.folder, env };
        await must("./pulumiw", ["--setup"], options);
        const trace = stack.path("trace");
        await must("strace", [...STRACE, trace, "./pulumiw", "up", ...FLAGS], options);
        expectNothingOutside(readFileSync(trace, "utf8"), stack.port);
    }),
);
