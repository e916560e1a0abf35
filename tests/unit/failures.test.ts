import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TARGETS } from "../../lib/trust-script";

const SCRIPT = join(__dirname, "../../scripts/setup/failures.mjs");
const TYPE = "private-registry:index:PrivateRegistry$private-registry:index:ClientTrust$command";

const urnOf = (name: string, kind = "remote") =>
    `urn:pulumi:dev::private-registry::${TYPE}:${kind}:Command::registry-trust-${name}`;

/** The engine's events for a client host that failed. */
function events(name: string, message: string, op = "create", kind = "remote"): string[] {
    const urn = urnOf(name, kind);
    return [
        { diagnosticEvent: { urn, severity: "info", message: "hosts: written" } },
        { diagnosticEvent: { urn, severity: "error", message: `${message}\n` } },
        { resOpFailedEvent: { metadata: { op, urn }, status: 1 } },
    ].map((event) => JSON.stringify(event));
}

/** What is said of the client hosts after a run with these events. */
function said(lines: readonly string[], command = "up", stack = ""): string {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-events-"));
    try {
        writeFileSync(join(folder, "log"), lines.join("\n"));
        const args = [SCRIPT, join(folder, "log"), command, stack];
        const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
        expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
        return stderr;
    } finally {
        rmSync(folder, { recursive: true });
    }
}

const DIAL = "dial 192.0.2.21:22: after 3 failed attempts";
const AT = "a (192.0.2.21:22): ";

/** What the provider says; the one line that comes of it. */
const CAUSES: [string, string, string][] = [
    [
        "a host that is off",
        `${DIAL}: dial tcp 192.0.2.21:22: i/o timeout`,
        `${AT}it does not answer (i/o timeout); switch it on, or see to the network between`,
    ],
    [
        "no way to it",
        `${DIAL}: dial tcp 192.0.2.21:22: connect: no route to host`,
        `${AT}it does not answer (no route to host); switch it on, or see to the network between`,
    ],
    [
        "no sshd",
        `${DIAL}: dial tcp 192.0.2.21:22: connect: connection refused`,
        `${AT}nothing listens there (connection refused); start sshd on it, or correct host and port`,
    ],
    [
        "another key",
        `${DIAL}: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain`,
        `${AT}it refuses the login (unable to authenticate, attempted methods [none publickey], no supported methods remain); add the public key to authorized_keys there, or correct user and privateKeyPath`,
    ],
    [
        "another host key",
        `${DIAL}: ssh: handshake failed: ssh: host key mismatch`,
        `${AT}it shows another host key than the one that is pinned (host key mismatch); if it was installed anew: npm run host-keys shows its key, to compare and to set; else somebody poses as it`,
    ],
    [
        "another kind of host key",
        `${DIAL}: ssh: handshake failed: ssh: no common algorithm for host key; we offered: [ecdsa-sha2-nistp256], peer offered: [ssh-ed25519]`,
        `${AT}it shows another host key than the one that is pinned ([ssh-ed25519]); if it was installed anew: npm run host-keys shows its key, to compare and to set; else somebody poses as it`,
    ],
    [
        "an unknown name",
        "dial client.invalid:22: after 3 failed attempts: dial tcp: lookup client.invalid on 192.0.2.53:53: no such host",
        "a (client.invalid:22): its name does not resolve here (no such host); correct host, or put the name into the DNS of this machine",
    ],
    [
        "what does not speak SSH",
        `${DIAL}: ssh: handshake failed: EOF`,
        `${AT}what answers there does not speak SSH, or turned the connection away (EOF); correct host and port, or see the log of its sshd`,
    ],
    [
        "a host that hangs",
        `dial 192.0.2.21:22: after 1 failed attempts: no SSH handshake within 21s`,
        `${AT}it takes connections and then says nothing (no SSH handshake within 21s); start its sshd or the host anew, or correct host and port`,
    ],
    [
        "a jump host that hangs",
        "dial proxy 192.0.2.1:22: after 1 failed attempts: no SSH handshake within 21s",
        "a (on the way, at 192.0.2.1:22): it takes connections and then says nothing (no SSH handshake within 21s); start its sshd or the host anew, or correct host and port",
    ],
    [
        "a jump host that forbids it",
        `${DIAL}: ssh: rejected: administratively prohibited (open failed)`,
        `${AT}the host on the way lets no connection through to it (administratively prohibited (open failed)); set AllowTcpForwarding yes in sshd_config there, and see that PermitOpen names it`,
    ],
    [
        "a jump host that is off",
        "dial proxy 192.0.2.1:22: after 3 failed attempts: dial tcp 192.0.2.1:22: i/o timeout",
        "a (on the way, at 192.0.2.1:22): it does not answer (i/o timeout); switch it on, or see to the network between",
    ],
    [
        "nobody behind the jump host",
        "dial through proxy 10.0.0.7:22: after 3 failed attempts: ssh: rejected: connect failed (Connection refused)",
        "a (10.0.0.7:22): nothing listens there (connect failed (Connection refused)); start sshd on it, or correct host and port",
    ],
    [
        "a host behind the jump host that is off",
        "dial through proxy 10.0.0.7:22: after 3 failed attempts: no connection through the proxy within 7s",
        "a (10.0.0.7:22): it does not answer (no connection through the proxy within 7s); switch it on, or see to the network between",
    ],
    [
        "a host behind the jump host that is off, in the jump host's words",
        "dial through proxy 10.0.0.7:22: after 3 failed attempts: ssh: rejected: connect failed (Connection timed out)",
        "a (10.0.0.7:22): it does not answer (connect failed (Connection timed out)); switch it on, or see to the network between",
    ],
    [
        "a script that hangs",
        "create script on 192.0.2.21: context deadline exceeded; its last output:\nhosts: 192.0.2.10 registry.example.test in /etc/hosts written",
        `a (192.0.2.21): it was not done in time (context deadline exceeded); see what hangs there, then run up again`,
    ],
    [
        "a script that hangs on this machine",
        "create script: context deadline exceeded",
        "a: it was not done in time (context deadline exceeded); see what hangs there, then run up again",
    ],
    [
        "an agent that hangs",
        "dial 192.0.2.21:22: context deadline exceeded",
        `${AT}it was not done in time (context deadline exceeded); see what hangs there, then run up again`,
    ],
    [
        "an agent that is gone",
        "SSH agent (agentSocketPath, else SSH_AUTH_SOCK): dial unix /tmp/agent: connect: no such file or directory",
        "a: the SSH agent does not answer (no such file or directory); start it and set SSH_AUTH_SOCK, or set ssh.privateKeyPath",
    ],
    [
        "a key with a passphrase",
        "privateKey for 192.0.2.21: ssh: this private key is passphrase protected",
        "a: the private key needs its passphrase, or another one (this private key is passphrase protected); ./pulumiw config set --secret --path ssh.privateKeyPassword",
    ],
    [
        "no sudo",
        "create script on 192.0.2.21: Process exited with status 1; its last output:\nguest is not root and may not become root with sudo -n without a password; allow it in sudoers, or log in as root",
        "a (192.0.2.21): guest is not root and may not become root with sudo -n without a password; allow it in sudoers, or log in as root",
    ],
    [
        "a full disk",
        "create script on 192.0.2.21: Process exited with status 1; its last output:\nhosts: 192.0.2.10 registry.example.test in /etc/hosts written\ncannot write /etc/docker/certs.d/x/ca.crt: No space left on device; free some space there, then run up again",
        "a (192.0.2.21): cannot write /etc/docker/certs.d/x/ca.crt: No space left on device; free some space there, then run up again",
    ],
    [
        "what kept it, said before what was done",
        "create script on 192.0.2.21: Process exited with status 1; its last output:\nno proof from https://registry.example.test:5000/v2/ by curl: nothing answers; start it, then run up again\nhosts: 192.0.2.10 registry.example.test in /etc/hosts written\nwarning: containerd reads no hosts.toml",
        "a (192.0.2.21): no proof from https://registry.example.test:5000/v2/ by curl: nothing answers; start it, then run up again",
    ],
    [
        "a full disk, in the official provider's words",
        'Process exited with status 1: running "sh -c \'if [ \\"$(id -u)\\" = 0 ]; then exec sh -s apply; fi\'":\nhosts: written\ncannot write /etc/hosts: No space left on device; free some space there, then run up again',
        "a: cannot write /etc/hosts: No space left on device; free some space there, then run up again",
    ],
];

/** The one line about a host on which each of these was done, after what kept it was said. */
const DONE = TARGETS.map((target): [string, string, string] => [
    `what kept it, said before what was done for ${target}`,
    `create script on 192.0.2.21: Process exited with status 1; its last output:\ncannot write /x: No space left on device\n${target}: /y written`,
    "a (192.0.2.21): cannot write /x: No space left on device",
]);

describe("in a run in which many hosts failed, each in another way", () => {
    const hosts = [...CAUSES, ...DONE].map(([cause, message, line], index) => {
        const name = `a${index}`;
        return { name, cause, message, line: `  ${line.replace("a", name)}` };
    });
    let lines: string[];
    beforeAll(() => {
        lines = said(hosts.flatMap(({ name, message }) => events(name, message))).split("\n");
    });

    test.each(hosts)("$cause is one line: the host, the cause, what to do", ({ line }) => {
        expect(lines).toContain(line);
    });

    test("nothing else is said of them", () => {
        const title = `${hosts.length} client hosts could not be set up or cleaned; the others are done:`;
        expect(lines.slice(0, 2)).toEqual(["", title]);
        expect(lines).toHaveLength(hosts.length + 3);
    });
});

test("one that failed is one", () => {
    expect(said(events("a", "the sky\nis falling"))).toBe(
        "\nOne client host could not be set up or cleaned; the others are done:\n  a: the sky\n",
    );
});

test("all that failed are named, in order, this machine too; nobody else is", () => {
    const other = { urn: "urn:pulumi:dev::p::docker:index/container:Container::x" };
    const lines = said([
        ...events("b", "b fails"),
        ...events("here", "here fails", "create", "local"),
        ...events("a", "a fails"),
        JSON.stringify({ diagnosticEvent: { ...other, severity: "error", message: "not mine" } }),
        '{"cut off',
    ]);
    expect(lines).toBe(
        [
            "",
            "3 client hosts could not be set up or cleaned; the others are done:",
            "  here: here fails",
            "  a: a fails",
            "  b: b fails",
            "",
        ].join("\n"),
    );
    expect(said([])).toBe("");
});

test("a host that will not come back is taken out of the configuration while it is there, then out of the state", () => {
    const off = `${DIAL}: dial tcp 192.0.2.21:22: i/o timeout`;
    expect(said(events("build.1", off, "update"), "up", "prod")).toMatch(
        /configuration, before the next run, with:\n {2}\.\/pulumiw config rm --stack prod --path 'clients\["build\.1"\]'\n$/,
    );
    expect(said(events("a", off, "update"))).toMatch(
        / {2}\.\/pulumiw config rm --path clients\.a\n$/,
    );
    const drop = `dropped from the state, and its files are left as they are, with:\n  ./pulumiw state delete --yes '${urnOf("a")}'\n`;
    expect(said(events("a", off, "delete"))).toContain(drop);
    const destroyed = said(events("a", off, "delete"), "destroy");
    expect(destroyed).toContain("could not be cleaned, so the registry stays for now");
    expect(destroyed).toContain(drop);
});

test("a configuration that is too long for the program is said to be that, and what to do", () => {
    const message =
        "an unhandled error occurred: Problem executing program (could not run language executor): fork/exec /usr/bin/node: argument list too long\n";
    const text = said([JSON.stringify({ diagnosticEvent: { severity: "error", message } })]);
    for (const words of ["configuration is too long", "131,072", "stack init", "docs/scale.md"]) {
        expect(text).toContain(words);
    }
    expect(text).not.toContain("client host could");
    // What a client host says of its own scripts is another matter.
    expect(said(events("a", "sh: argument list too long"))).not.toContain("configuration");
    const info = { diagnosticEvent: { severity: "info", message } };
    expect(said([JSON.stringify(info)])).toBe("");
});
