import * as pulumi from "@pulumi/pulumi";
import { PrivateRegistry } from "../../components/private-registry";
import { read } from "../support/settings";
import {
    type Declared,
    isMarkedSecret,
    noteDeclarations,
    record,
    type Registered,
    settled,
    unwrap,
    value,
} from "../support/mocks";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Zg2bUmkQ8yPqv3oZWc1nYk0a5FfXbX9vYtq0H1XlH";
const PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret of the key\n-----END";
const CLIENTS = {
    build1: { host: "192.0.2.21", hostKey: KEY, targets: ["docker"] },
    build2: {
        host: "192.0.2.22",
        hostKey: KEY,
        user: "ops",
        sudo: false,
        jumpHost: { host: "192.0.2.1", hostKey: KEY, port: 2222 },
    },
    here: { local: true, targets: ["podman"] },
};
const CONFIG = {
    hostname: "registry.example.test",
    address: "192.0.2.10",
    ssh: { privateKey: PRIVATE_KEY },
    clients: CLIENTS,
};

interface Made {
    readonly declared: Declared[];
    readonly clients: Registered[];
    readonly client: (key: string) => Registered;
    readonly declaration: (name: string) => Declared;
    /** What a resource waits for besides the data that it is given. */
    readonly dependencies: (name: string) => (string | undefined)[];
}

async function make(config: Record<string, unknown> = {}, preview = false): Promise<Made> {
    const recording = record(preview);
    const registry = new PrivateRegistry("registry", read({ ...CONFIG, ...config }), {
        transformations: [noteDeclarations(recording)],
    });
    await settled(recording);
    await value(registry.registry);
    const { declared, registered } = recording;
    const find = <T extends { name: string }>(list: T[], name: string): T => {
        const found = list.find((entry) => entry.name === name);
        if (found === undefined) throw new Error(`no resource ${name}`);
        return found;
    };
    const declaration = (name: string) => find(declared, name);
    return {
        declared,
        clients: registered.filter(({ name }) => name.startsWith("registry-trust-")),
        client: (key) => find(registered, `registry-trust-${key}`),
        declaration,
        dependencies: (name) =>
            [declaration(name).opts.dependsOn ?? []]
                .flat()
                .map((other) => declared.find(({ resource }) => resource === other)?.name),
    };
}

test.each([false, true])(
    "every client is exactly one command below the stage (preview: %s)",
    async (preview) => {
        const { clients, declaration } = await make({}, preview);
        expect(clients.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
            "command:local:Command registry-trust-here",
            "command:remote:Command registry-trust-build1",
            "command:remote:Command registry-trust-build2",
        ]);
        const stage = declaration("registry-trust");
        expect(stage.opts.parent).toBe(declaration("registry").resource);
        for (const { name } of clients) {
            expect(declaration(name).opts.parent).toBe(stage.resource);
        }
    },
);

test("without clients there is no stage of theirs", async () => {
    const { declared } = await make({ clients: {} });
    expect(declared.filter(({ name }) => name.startsWith("registry-trust"))).toEqual([]);
});

test("a client is a script as root: applied, taken back, and never replaced by creating first", async () => {
    const { clients, declaration } = await make();
    for (const { name, inputs } of clients) {
        expect(inputs.create).toContain("exec sh -s apply");
        expect(inputs.delete).toContain("exec sh -s remove");
        expect(inputs).toMatchObject({ addPreviousOutputInEnv: false, logging: "stdout" });
        // A replacement would take back what it has just written; an update runs `create`.
        for (const input of ["triggers", "update", "environment"]) {
            expect(Object.keys(inputs)).not.toContain(input);
        }
        expect(declaration(name).opts).toMatchObject({ deleteBeforeReplace: true });
    }
});

test("what hangs on a client does not keep an up waiting for ever", async () => {
    const { clients, declaration } = await make();
    for (const { name } of clients) {
        expect(declaration(name).opts.customTimeouts).toEqual({
            create: "5m",
            update: "5m",
            delete: "5m",
        });
    }
});

test("a user who is not root becomes root with sudo, unless that is off", async () => {
    const { client } = await make();
    expect(client("build1").inputs.create).toContain("sudo -n sh -s apply");
    expect(client("build2").inputs.create).not.toContain("exec sudo");
    expect(client("build2").inputs.create).toContain("sudo is off for this client");
});

test("a login has short limits, the pinned key, its way over the jump host, and no agent of the environment's", async () => {
    const { client } = await make();
    const limits = { dialErrorLimit: 2, perDialTimeout: 7, agentSocketPath: "", hostKey: KEY };
    expect(unwrap(client("build1").inputs.connection)).toMatchObject({
        host: "192.0.2.21",
        port: 22,
        user: "root",
        ...limits,
    });
    expect(unwrap(client("build1").inputs.connection)).not.toHaveProperty("proxy");
    expect(unwrap(client("build2").inputs.connection)).toMatchObject({
        host: "192.0.2.22",
        port: 22,
        user: "ops",
        ...limits,
        proxy: { host: "192.0.2.1", port: 2222, user: "ops", ...limits },
    });
    expect(Object.keys(client("here").inputs)).not.toContain("connection");
});

test("with an agent the keys are those of the run's own agent, and its socket is not in the state", async () => {
    const recording = record(false);
    const settings = read(
        { ...CONFIG, ssh: { agent: true } },
        { sshAgent: "/tmp/agent-of-this-session" },
    );
    new PrivateRegistry("registry", settings, {
        transformations: [noteDeclarations(recording)],
    });
    await settled(recording);
    const command = recording.registered.find(({ name }) => name === "registry-trust-build1");
    expect(unwrap(command?.inputs.connection)).not.toHaveProperty("agentSocketPath");
    expect(JSON.stringify(recording.registered)).not.toContain("agent-of-this-session");
});

test.each([false, true])(
    "a host whose key nobody has pinned is warned of under its client's name, one on the way too (preview: %s)",
    async (preview) => {
        const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
        try {
            await make({}, preview);
            expect(warn).not.toHaveBeenCalled();

            const pinned = (host: string) => ({ host, hostKey: KEY });
            const open = (host: string) => ({ host, hostKeyChecked: false });
            const { declaration } = await make(
                {
                    clients: {
                        pinned: pinned("192.0.2.21"),
                        open: open("192.0.2.22"),
                        way: { ...pinned("192.0.2.23"), jumpHost: open("192.0.2.1") },
                        both: { ...open("192.0.2.24"), jumpHost: open("192.0.2.2") },
                        here: { local: true },
                    },
                },
                preview,
            );
            const expected = [
                ["open", "192.0.2.22"],
                ["way", "192.0.2.1"],
                ["both", "192.0.2.2"],
                ["both", "192.0.2.24"],
            ] as const;
            expect(warn.mock.calls).toHaveLength(expected.length);
            for (const [client, host] of expected) {
                expect(warn).toHaveBeenCalledWith(
                    `${client}: the host key of ${host} is not verified (hostKeyChecked: false), so another machine could pose as it; set its hostKey`,
                    declaration(`registry-trust-${client}`).resource,
                );
            }
        } finally {
            warn.mockRestore();
        }
    },
);

test("no secret of a login reaches an input that is not marked", async () => {
    const { clients } = await make({
        ssh: {
            privateKey: PRIVATE_KEY,
            privateKeyPassword: "open sesame",
            password: "swordfish",
        },
    });
    const secrets = /secret of the key|open sesame|swordfish/;
    expect(JSON.stringify(clients)).toMatch(secrets);
    const clear = JSON.stringify(clients, (_, given: unknown) =>
        isMarkedSecret(given) ? "[secret]" : given,
    );
    expect(clear).not.toMatch(secrets);
});

/** The script that a client runs. */
const script = ({ inputs }: Registered) => unwrap<string>(inputs.stdin);

test("the clients come after the proof, and the registry has to answer them", async () => {
    const { client, dependencies } = await make();
    expect(dependencies("registry-trust-build1")).toEqual(["registry-proof"]);
    expect(script(client("build1"))).toContain("proof='required'\n");
});

test.each([false, true])(
    "with two authorities they come before the server's certificate (preview: %s)",
    async (preview) => {
        const { clients, dependencies } = await make({ authorities: ["1", "2"] }, preview);
        expect(clients).toHaveLength(3);
        expect(dependencies("registry-authority-server-cert")).toEqual(["registry-trust"]);
        for (const { name } of clients) expect(dependencies(name)).toEqual([]);
    },
);

test("with two authorities each has both to trust, and the registry need not answer yet", async () => {
    const { clients } = await make({ authorities: ["1", "2"] });
    for (const client of clients) {
        expect(script(client)).toContain("proof='possible'\n");
        expect(script(client).match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(2);
    }
});

test("a script has what its host needs and no more", async () => {
    const { client } = await make();
    expect(script(client("build1"))).toMatch(/set_up_docker\(\) \{/);
    expect(script(client("build1"))).not.toMatch(/set_up_podman\(\) \{/);
    expect(script(client("here"))).toMatch(/set_up_podman\(\) \{/);
    // What `found` stands for.
    for (const target of ["docker", "containerd", "podman", "buildkit"]) {
        expect(script(client("build2"))).toMatch(new RegExp(`set_up_${target}\\(\\) \\{`));
    }
});

test("a script tells of mirrors where there are some, and of nothing else then", async () => {
    const mirrors = {
        hub: { upstream: "docker.io", port: 5010 },
        lab: {
            upstream: "https://lab.example.test:8443",
            port: 5011,
            credentials: { username: "robot", password: "of-the-upstream" },
        },
    };
    const plain = await make();
    const { clients, client } = await make({ mirrors });
    expect(script(plain.client("build1"))).not.toMatch(/mirror/i);
    for (const key of ["build1", "build2", "here"]) {
        expect(script(client(key))).toContain(
            [
                "\nmirrors='docker.io registry.example.test:5010 anonymous https://registry-1.docker.io",
                "lab.example.test:8443 registry.example.test:5011 login https://lab.example.test:8443'\n",
            ].join("\n"),
        );
    }
    expect(JSON.stringify(clients)).not.toContain("of-the-upstream");
});
