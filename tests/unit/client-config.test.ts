import type { SshLogin } from "../../components/client-trust";
import type { Surroundings } from "../../config";
import { complaint, read } from "../support/settings";

const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Zg2bUmkQ8yPqv3oZWc1nYk0a5FfXbX9vYtq0H1XlH";
const OTHER_KEY = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI=";
const key = (text: string) =>
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${text}\n-----END OPENSSH PRIVATE KEY-----\n`;
const NAMES = { hostname: "registry.example.test", address: "192.0.2.10" };
const HOST = { host: "192.0.2.21", hostKey: HOST_KEY };

/** A machine with these files and an SSH agent when its socket is given. */
function machine(files: Record<string, string>, sshAgent?: string): Partial<Surroundings> {
    return {
        sshAgent,
        readFile: (path) => {
            const text = files[path];
            if (text === undefined) throw Object.assign(new Error(path), { code: "ENOENT" });
            return text;
        },
    };
}

const FILES = {
    "/home/somebody/.ssh/id_ed25519": key("own"),
    "keys/fleet": key("fleet"),
    "/keys/build2": key("build2"),
    "/keys/public": "ssh-ed25519 AAAA",
};
const MACHINE = machine(FILES);

function logins(
    clients: Record<string, unknown>,
    ssh: Record<string, unknown> = {},
    surroundings = MACHINE,
): Record<string, SshLogin | undefined> {
    const found = read({ ...NAMES, clients, ssh }, surroundings).clients;
    return Object.fromEntries(Object.entries(found).map(([name, { login }]) => [name, login]));
}

const refusal = (
    clients: unknown,
    ssh: Record<string, unknown> = {},
    surroundings = MACHINE,
): string => complaint({ ...NAMES, clients, ssh }, surroundings);

describe("a client's login", () => {
    it("is root's at port 22, with the user's own key, unless something is said", () => {
        expect(logins({ a: HOST })).toEqual({
            a: {
                ...HOST,
                user: "root",
                port: 22,
                privateKey: FILES["/home/somebody/.ssh/id_ed25519"],
                agent: false,
            },
        });
    });

    it("takes the defaults of ssh, and its own fields win one by one", () => {
        const ssh = { user: "ops", port: "2222", privateKeyPath: "keys/fleet" };
        expect(
            logins({ a: HOST, b: { ...HOST, host: "b.test", user: "root" } }, ssh),
        ).toMatchObject({
            a: { user: "ops", port: 2222, privateKey: key("fleet") },
            b: { host: "b.test", user: "root", port: 2222, privateKey: key("fleet") },
        });
    });

    it.each([
        ["a key of its own", { privateKeyPath: "/keys/build2" }, { privateKey: key("build2") }],
        ["a key in the configuration", { privateKey: key("here") }, { privateKey: key("here") }],
        ["a password", { password: "swordfish" }, { password: "swordfish" }],
        ["an agent", { agent: true }, { agent: true }],
    ])("with %s takes none of the credentials of ssh", (_, own, expected) => {
        const ssh = {
            user: "ops",
            privateKeyPath: "keys/fleet",
            privateKeyPassword: "open sesame",
            password: "of all",
        };
        const { a } = logins({ a: { ...HOST, ...own } }, ssh, machine(FILES, "/run/agent"));
        const { privateKey, privateKeyPassword, password, agent } = a ?? {};
        expect({ privateKey, privateKeyPassword, password, agent }).toEqual({
            privateKey: undefined,
            privateKeyPassword: undefined,
            password: undefined,
            agent: false,
            ...expected,
        });
        expect(a?.user).toBe("ops");
    });

    it("uses an agent that is there, before a key that nobody has named", () => {
        expect(logins({ a: HOST }, {}, machine(FILES, "/run/agent"))).toMatchObject({
            a: { agent: true },
        });
        const named = logins(
            { a: HOST },
            { privateKeyPath: "keys/fleet" },
            machine(FILES, "/run/agent"),
        );
        expect(named).toMatchObject({ a: { agent: false, privateKey: key("fleet") } });
    });

    it("goes over the jump host of ssh or its own, each with its own fields over the others", () => {
        const jump = { host: "jump.test", hostKey: OTHER_KEY, user: "jumper" };
        const ssh = { port: 2222, privateKeyPath: "keys/fleet", jumpHost: jump };
        const own = {
            ...HOST,
            host: "b.test",
            jumpHost: { ...jump, privateKeyPath: "/keys/build2" },
        };
        expect(logins({ a: HOST, b: own }, ssh)).toMatchObject({
            // A jump host's port has nothing to do with that of the hosts behind it.
            a: { port: 2222, jumpHost: { ...jump, port: 22, privateKey: key("fleet") } },
            b: { port: 2222, jumpHost: { ...jump, port: 22, privateKey: key("build2") } },
        });
    });

    it("may do without a host key when that is said", () => {
        const ssh = { hostKeyChecked: "false" };
        expect(logins({ a: { host: "a.test" } }, ssh)).toMatchObject({ a: { host: "a.test" } });
        expect(refusal({ a: { host: "a.test", hostKeyChecked: true } }, ssh)).toContain(
            "clients.a.hostKey",
        );
    });
});

test("what else a client says: sudo, what to set up, or that it is this machine", () => {
    const { clients } = read(
        {
            ...NAMES,
            clients: {
                a: HOST,
                b: { ...HOST, host: "b.test", sudo: "false", targets: ["docker", "system"] },
                here: { local: "true", targets: ["podman"] },
            },
        },
        MACHINE,
    );
    expect(clients).toMatchObject({
        a: { sudo: true, targets: ["found"] },
        b: { sudo: false, targets: ["docker", "system"] },
        here: { sudo: true, targets: ["podman"] },
    });
    expect(clients.here?.login).toBeUndefined();
});

/** What is wrong, the path that is named, and a piece of what helps. */
const REFUSED: [string, Record<string, unknown>, string, string][] = [
    ["no host", { hostKey: HOST_KEY }, "clients.a.host", "--path clients.a.host"],
    ["a name with a quote", { ...HOST, host: "a'b" }, "clients.a.host", "192.0.2.21"],
    ["a name with a blank", { ...HOST, host: "a b" }, "clients.a.host", "192.0.2.21"],
    ["a name with a line end", { ...HOST, host: "a\nb" }, "clients.a.host", "192.0.2.21"],
    ["a name with a command", { ...HOST, host: "$(id)" }, "clients.a.host", "192.0.2.21"],
    ["an option as a name", { ...HOST, host: "-oProxyCommand=id" }, "clients.a.host", "192.0.2.21"],
    ["a user with a quote", { ...HOST, user: "ro'ot" }, "clients.a.user", "--path clients.a.user"],
    ["a user with a line end", { ...HOST, user: "root\n" }, "clients.a.user", "clients.a.user"],
    ["a port that is none", { ...HOST, port: "ssh" }, "clients.a.port", "clients.a.port 22"],
    ["a port too high", { ...HOST, port: 65536 }, "clients.a.port", "clients.a.port 22"],
    ["no host key", { host: "a.test" }, "clients.a.hostKey", "npm run host-keys"],
    [
        "an RSA host key",
        { ...HOST, hostKey: "ssh-rsa AAAA" },
        "clients.a.hostKey",
        "ed25519 or ecdsa",
    ],
    [
        "a line of known_hosts",
        { ...HOST, hostKey: `a.test ${HOST_KEY}` },
        "clients.a.hostKey",
        "host-keys",
    ],
    [
        "two host keys",
        { ...HOST, hostKey: `${HOST_KEY}\n${OTHER_KEY}` },
        "clients.a.hostKey",
        "host-keys",
    ],
    [
        "an unknown field",
        { ...HOST, hostkey: "x" },
        "clients.a.hostkey",
        "--path clients.a.hostkey",
    ],
    ["an unknown target", { ...HOST, targets: ["podmann"] }, "clients.a.targets", "podman"],
    ["no target", { ...HOST, targets: [] }, "clients.a.targets", "found"],
    ["a target twice", { ...HOST, targets: ["docker", "docker"] }, "clients.a.targets", "found"],
    [
        "a login of this machine",
        { local: true, host: "a.test" },
        "clients.a.host",
        "is not logged in to",
    ],
    [
        "a key that is not there",
        { ...HOST, privateKeyPath: "~/.ssh/none" },
        "clients.a.privateKeyPath",
        "ENOENT",
    ],
    [
        "a key that is public",
        { ...HOST, privateKeyPath: "/keys/public" },
        "clients.a.privateKeyPath",
        "holds something else",
    ],
    ["an agent that is not there", { ...HOST, agent: true }, "clients.a.agent", "ssh-add"],
    [
        "a jump host without its key",
        { ...HOST, jumpHost: { host: "jump.test" } },
        "clients.a.jumpHost.hostKey",
        "npm run host-keys",
    ],
    [
        "a jump host without a name",
        { ...HOST, jumpHost: {} },
        "clients.a.jumpHost.host",
        "clients.a.jumpHost.host",
    ],
];

test.each(REFUSED)("%s is refused, and the path is named", (_, fields, path, help) => {
    const said = refusal({ a: fields });
    expect(said).toContain("the configuration has one problem; nothing was changed");
    expect(said).toContain(`\n  ${path}\n`);
    expect(said).toContain(help);
});

test("names with quotes, blanks or line ends are no names of clients", () => {
    for (const name of ["a b", "a'b", "a\nb", "A", "../a", ""]) {
        expect(refusal({ [name]: HOST })).toContain("names of lower-case letters");
    }
});

test("a name with dots is a path that pulumi config takes", () => {
    const said = refusal({ "build.1": { ...HOST, port: 0 } });
    expect(said).toContain(`\n  clients["build.1"].port\n`);
    expect(said).toContain(`pulumi config set --path 'clients["build.1"].port' 22`);
});

test.each([
    ["the same address", { a: HOST, b: HOST }, "clients.b.host", "clients.a"],
    [
        "the same name",
        { a: { ...HOST, host: "A.test" }, b: { ...HOST, host: "a.test", user: "ops" } },
        "clients.b.host",
        "clients.a",
    ],
    [
        "this machine twice",
        { a: { local: true }, b: { local: true } },
        "clients.b.local",
        "clients.a",
    ],
])("two clients on one host are refused: %s", (_, clients, path, twin) => {
    const said = refusal(clients);
    expect(said).toContain(`\n  ${path}\n`);
    expect(said).toContain(`${twin} is the same one`);
});

test("two ports of one address, and one address behind two jump hosts, are two hosts", () => {
    const behind = (host: string) => ({ ...HOST, jumpHost: { ...HOST, host } });
    const clients = {
        a: HOST,
        b: { ...HOST, port: 23 },
        c: behind("j1.test"),
        d: behind("j2.test"),
    };
    expect(Object.keys(logins(clients))).toEqual(["a", "b", "c", "d"]);
});

test("without anything to log in with that is said once, for all clients", () => {
    const clients = { a: HOST, b: { ...HOST, host: "b.test" }, c: { ...HOST, host: "c.test" } };
    const said = refusal(clients, {}, machine({}));
    expect(said).toContain("the configuration has one problem");
    expect(said).toMatch(/\n {2}ssh\n {4}given: {3}nothing\n[^]*privateKeyPath, privateKey, agent/);
});

test("a fault of the defaults is named there, and once", () => {
    const clients = { a: HOST, b: { ...HOST, host: "b.test" }, c: { ...HOST, host: "c.test" } };
    for (const [field, given] of [
        ["agent", true],
        ["privateKeyPath", "/keys/none"],
    ] as const) {
        const said = refusal(clients, { [field]: given });
        expect(said).toContain("the configuration has one problem");
        expect(said).toContain(`\n  ssh.${field}\n`);
    }
});

test("no refusal shows a secret, whatever else is wrong", () => {
    const secrets = {
        privateKey: "swordfish, which is no key",
        privateKeyPassword: ["swordfish"],
        password: { of: "swordfish" },
        paswword: "swordfish",
    };
    for (const [name, given] of Object.entries(secrets)) {
        for (const said of [
            refusal({ a: { ...HOST, [name]: given } }),
            refusal({ a: HOST }, { [name]: given }),
            refusal({ a: { ...HOST, jumpHost: { ...HOST, [name]: given } } }),
            refusal({ a: { local: true, [name]: given } }),
        ]) {
            expect(said).toContain(`.${name}\n    given:   (not shown: it may be a secret)`);
            expect(said).not.toContain("swordfish");
        }
    }
    for (const said of [
        refusal("swordfish"),
        refusal(["swordfish"]),
        refusal({ a: "swordfish" }),
    ]) {
        expect(said).not.toContain("swordfish");
    }
    expect(complaint({ ssh: "swordfish" })).not.toContain("swordfish");
});

describe("an address that means every host itself", () => {
    it.each([
        ["hostname", { hostname: "localhost", address: undefined }],
        ["address", { address: "127.0.0.1" }],
        ["bindAddress", { bindAddress: "127.0.0.1" }],
    ])("is refused when clients are elsewhere: %s", (path, config) => {
        const given = Object.entries({ ...NAMES, ...config }).filter(
            ([, value]) => value !== undefined,
        );
        const of = (clients: unknown) => ({ ...Object.fromEntries(given), clients });
        expect(complaint(of({ a: HOST }), MACHINE)).toContain(`\n  ${path}\n`);
        // Behind a jump host, localhost is that one.
        const behind = { ...HOST, host: "127.0.0.1", jumpHost: HOST };
        expect(complaint(of({ a: behind }), MACHINE)).toContain(`\n  ${path}\n`);
        read(of({ here: { local: true } }), MACHINE);
        read(of({ a: { ...HOST, host: "127.0.0.1" } }), MACHINE);
    });
});
