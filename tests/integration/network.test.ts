import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { must } from "../support/run";
import { withStack } from "../support/stack";

/** Addresses outside of this machine that a traced program tried to reach. */
function addressesIn(trace: string): string[] {
    const calls = trace
        .split("\n")
        .filter((line) => /(connect|sendto)\(.*sa_family=AF_INET6?,/.test(line));
    const addresses = calls.map(
        (line) =>
            /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/
                .exec(line)
                ?.slice(1)
                .find(Boolean) ?? line,
    );
    return [...new Set(addresses)].filter((address) => !/^(127\.|::1$|::ffff:127\.)/.test(address));
}

test("an address outside of this machine is found in a trace", () => {
    const call = (address: string) =>
        `7 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("${address}")}, 16) = 0`;
    const six =
        '7 connect(3, {sa_family=AF_INET6, sin6_port=htons(443), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = 0';
    expect(addressesIn([call("192.0.2.1"), call("127.0.0.53"), six].join("\n"))).toEqual([
        "192.0.2.1",
        "2001:db8::1",
    ]);
});

const hasStrace = spawnSync("strace", ["-V"]).status === 0;

// Docker's proxies answer on the loopback; everything else goes through sockets of this machine.
(hasStrace ? test : test.skip)("a whole life makes no connection beyond this machine", () =>
    withStack({}, async (stack) => {
        const trace = stack.path("trace");
        const strace = ["-f", "-qq", "-A", "-e", "trace=connect,sendto", "-o", trace];
        const flags = ["--yes", "--skip-preview", "--non-interactive"];
        for (const command of [["up"], ["up", "--refresh"], ["destroy"]]) {
            await must("strace", [...strace, "pulumi", ...command, ...flags], {
                cwd: stack.folder,
                env: stack.environment,
            });
        }
        const calls = readFileSync(trace, "utf8");
        // The provider talks to Docker and the proof to the registry, so the trace holds something.
        expect(calls).toContain("docker.sock");
        expect(calls).toContain(`sin_port=htons(${stack.port})`);
        expect(addressesIn(calls)).toEqual([]);
    }),
);
