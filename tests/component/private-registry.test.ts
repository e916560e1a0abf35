import * as pulumi from "@pulumi/pulumi";
import { PrivateRegistry } from "../../components/private-registry";
import { read } from "../support/settings";
import { makeAuthority } from "../support/test-authority";
import {
    isMarkedSecret,
    noteDeclarations,
    record,
    type Recording,
    settled,
    unwrap,
    value,
} from "../support/mocks";

interface Made extends Recording {
    readonly registry: PrivateRegistry;
    readonly urns: string[];
    readonly inputs: (name: string) => Record<string, unknown>;
    readonly options: (name: string) => pulumi.CustomResourceOptions;
}

async function make(config: Record<string, unknown> = {}, preview = false): Promise<Made> {
    const recording = record(preview);
    const registry = new PrivateRegistry("registry", read(config), {
        transformations: [noteDeclarations(recording)],
    });
    const urns = await settled(recording);
    await value(registry.registry);
    const find = <T extends { name: string }>(list: T[], name: string): T => {
        const found = list.find((entry) => entry.name === name);
        if (found === undefined) {
            throw new Error(
                `no resource ${name}; there are ${list.map((entry) => entry.name).join(", ")}`,
            );
        }
        return found;
    };
    return {
        ...recording,
        registry,
        urns,
        inputs: (name) => find(recording.registered, name).inputs,
        options: (name) => find(recording.declared, name).opts,
    };
}

const RESOURCES = [
    "command:local:Command registry-proof-command",
    "docker:index/container:Container registry-server-container",
    "docker:index/container:Container registry-server-loader",
    "docker:index/network:Network registry-server-container-network",
    "docker:index/remoteImage:RemoteImage registry-server-image",
    "docker:index/volume:Volume registry-server-container-data",
    "docker:index/volume:Volume registry-server-settings",
    "private-registry:index:CertificateAuthority registry-authority",
    "private-registry:index:PrivateRegistry registry",
    "private-registry:index:RegistryServer registry-server",
    "private-registry:index:ServerProof registry-proof",
    "private-registry:index:TeamAccounts registry-accounts",
    "pulumi:providers:docker registry-docker",
    "random:index/randomBytes:RandomBytes registry-accounts-salt-dev",
    "random:index/randomPassword:RandomPassword registry-accounts-password-dev",
    "random:index/randomPassword:RandomPassword registry-server-http-secret",
    "tls:index/certRequest:CertRequest registry-authority-server-request",
    "tls:index/locallySignedCert:LocallySignedCert registry-authority-server-cert",
    "tls:index/privateKey:PrivateKey registry-authority-key-1",
    "tls:index/privateKey:PrivateKey registry-authority-server-key",
    "tls:index/selfSignedCert:SelfSignedCert registry-authority-cert-1",
];

const listed = (recording: Recording) =>
    recording.registered.map(({ type, name }) => `${type} ${name}`).sort();

test.each([false, true])(
    "exactly these resources are made, and a preview shows all of them (preview: %s)",
    async (preview) => {
        expect(listed(await make({}, preview))).toEqual(RESOURCES);
    },
);

test("every resource lies below its stage: names and nesting are a contract", async () => {
    const { declared, registry } = await make();
    const parents = declared.map(({ name, opts }) => [
        name,
        declared.find(({ resource }) => resource === opts.parent)?.name,
    ]);
    const root = parents.filter(([, parent]) => parent === undefined);
    expect(root).toEqual([["registry", undefined]]);
    expect(declared[0]?.resource).toBe(registry);
    for (const [name, parent] of parents) {
        expect(parent ?? "registry").toBe(
            parent === "registry" || parent === undefined
                ? "registry"
                : /^registry-[a-z]+/.exec(name ?? "")?.[0],
        );
    }
});

test("a team adds its own two resources and changes no other name", async () => {
    expect(listed(await make({ teams: ["dev", "web"] }))).toEqual(
        [
            ...RESOURCES,
            "random:index/randomBytes:RandomBytes registry-accounts-salt-web",
            "random:index/randomPassword:RandomPassword registry-accounts-password-web",
        ].sort(),
    );
});

test("a new generation changes the keepers of its own team only", async () => {
    const { inputs } = await make({ teams: { dev: {}, web: { generation: 2 } } });
    expect(inputs("registry-accounts-password-dev")).toMatchObject({
        keepers: { generation: "1" },
    });
    expect(inputs("registry-accounts-password-web")).toMatchObject({
        keepers: { generation: "2" },
    });
    expect(inputs("registry-accounts-salt-web")).toMatchObject({ keepers: { generation: "2" } });
});

test("a team's accounts are keyed by their user names, and it is given the first", async () => {
    const made = await make({ teams: { web: { accounts: ["web-2", "web"] } } });
    const passwords = listed(made).filter((line) => line.includes("-password-"));
    expect(passwords).toEqual([
        "random:index/randomPassword:RandomPassword registry-accounts-password-web",
        "random:index/randomPassword:RandomPassword registry-accounts-password-web-2",
    ]);
    const teams = await value(made.registry.teams);
    expect(Object.keys(teams)).toEqual(["web"]);
    expect(teams.web?.username).toBe("web-2");
});

test("passwords have more than 128 bits of letters and digits", async () => {
    const { inputs } = await make();
    expect(inputs("registry-accounts-password-dev")).toMatchObject({ length: 40, special: false });
    expect(inputs("registry-server-http-secret")).toMatchObject({ length: 43, special: false });
});

test("the authority may sign and do nothing else, the server certificate may serve and has every name", async () => {
    const { inputs } = await make({
        hostname: "registry.test",
        address: "192.0.2.1",
        subjectAltNames: ["other.test", "2001:db8::1"],
        subject: { country: "DE", organization: "Example" },
    });
    expect(inputs("registry-authority-cert-1")).toMatchObject({
        isCaCertificate: true,
        allowedUses: ["cert_signing", "crl_signing"],
        subject: {
            country: "DE",
            organization: "Example",
            commonName: "private-registry authority 1",
        },
        validityPeriodHours: 3650 * 24,
        earlyRenewalHours: 230 * 24,
    });
    expect(inputs("registry-authority-server-request")).toMatchObject({
        dnsNames: ["localhost", "other.test", "registry.test"],
        ipAddresses: ["127.0.0.1", "192.0.2.1", "2001:db8::1"],
        subject: { country: "DE", commonName: "registry.test" },
    });
    expect(inputs("registry-authority-server-cert")).toMatchObject({
        allowedUses: ["digital_signature", "server_auth"],
        validityPeriodHours: 200 * 24,
        earlyRenewalHours: 30 * 24,
    });
    expect(inputs("registry-authority-server-key")).toEqual({
        algorithm: "ECDSA",
        ecdsaCurve: "P256",
    });
});

test("RSA keys have 2048 bits, and their certificate may encrypt keys", async () => {
    const { inputs, options } = await make({ keyAlgorithm: "RSA" });
    expect(inputs("registry-authority-key-1")).toEqual({ algorithm: "RSA", rsaBits: 2048 });
    expect(inputs("registry-authority-server-cert")).toMatchObject({
        allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
    });
    // An authority with another key would be another authority.
    const algorithm = ["algorithm", "rsaBits", "ecdsaCurve"];
    expect(options("registry-authority-key-1")).toMatchObject({ ignoreChanges: algorithm });
    expect(options("registry-authority-server-key").ignoreChanges ?? []).toEqual([]);
});

test("a host name too long for a common name is an alternative name only", async () => {
    const hostname = `${"a".repeat(40)}.${"b".repeat(40)}.test`;
    const { inputs } = await make({ hostname });
    expect(inputs("registry-authority-server-request")).toMatchObject({
        subject: {},
        dnsNames: [hostname, "localhost"],
    });
});

test("with two authorities the first one signs, and the bundle does not depend on which", async () => {
    const before = await make({ authorities: ["1", "2"] });
    expect(await value(before.registry.caFingerprints)).toHaveLength(2);
    const signer = ({ inputs }: Made) =>
        unwrap(inputs("registry-authority-server-cert").caPrivateKeyPem);
    expect(signer(before)).toBe("key of registry-authority-key-1");
    const after = await make({ authorities: ["2", "1"] });
    expect(signer(after)).toBe("key of registry-authority-key-2");
    expect(after.registered.filter(({ type }) => type.endsWith("SelfSignedCert"))).toHaveLength(2);
});

test("the registry's container may do nothing but serve", async () => {
    const { inputs, options } = await make();
    const container = inputs("registry-server-container");
    expect(container).toMatchObject({
        name: "private-registry-test",
        image: "sha256:0000",
        entrypoints: ["/bin/sh"],
        command: ["/etc/private-registry/serve.sh"],
        envs: ["OTEL_TRACES_EXPORTER=none"],
        ports: [{ internal: 5000, external: 5000, ip: "0.0.0.0", protocol: "tcp" }],
        volumes: [
            {
                containerPath: "/etc/private-registry",
                volumeName: "name of registry-server-settings",
                readOnly: true,
            },
            { containerPath: "/var/lib/registry", volumeName: "private-registry-test-data" },
        ],
        readOnly: true,
        capabilities: { drops: ["ALL"] },
        securityOpts: ["no-new-privileges:true"],
        restart: "unless-stopped",
        logOpts: { "max-size": "10m", "max-file": "3" },
        destroyGraceSeconds: 65,
    });
    expect(Object.keys(container)).not.toContain("privileged");
    expect(Object.keys(container)).not.toContain("uploads");
    expect(options("registry-server-container")).toMatchObject({
        deleteBeforeReplace: true,
        replaceOnChanges: ["tmpfs"],
    });
    expect(isMarkedSecret(container.envs)).toBe(false);
    expect(isMarkedSecret(container.labels)).toBe(false);
});

test.each<[Record<string, unknown>, string[]]>([
    [{}, ["registry-server-container", "registry-server-loader"]],
    [
        { gateway: true },
        ["registry-server-container", "registry-server-loader"].concat(
            ["container", "access", "loader"].map((role) => `registry-gateway-${role}`),
        ),
    ],
])("%j: every container has a limit of memory and a weight", async (config, containers) => {
    const { inputs, registered } = await make({ ...config, memoryMiB: 512, cpuShares: 256 });
    expect(
        registered.filter(({ type }) => type.endsWith("Container")).map(({ name }) => name),
    ).toHaveLength(containers.length);
    for (const name of containers) {
        // Both of them: Docker would set the second one by itself, and `up` would see a difference.
        expect(inputs(name)).toMatchObject({ memory: 512, memorySwap: 512, cpuShares: 256 });
    }
});

test("metrics are published on loopback only, and only when asked for", async () => {
    const { inputs } = await make({ metricsPort: 5001 });
    expect(inputs("registry-server-container").ports).toEqual([
        { internal: 5000, external: 5000, ip: "0.0.0.0", protocol: "tcp" },
        { internal: 5001, external: 5001, ip: "127.0.0.1", protocol: "tcp" },
    ]);
});

test.each([
    [{}, true],
    [{ dataRetained: "false" }, false],
])("with %j the volume with the images is kept on destroy: %s", async (config, retained) => {
    const { options } = await make(config);
    expect(options("registry-server-container-data").retainOnDelete).toBe(retained);
});

test("a folder holds the images instead of a volume", async () => {
    const { inputs, registered } = await make({ dataPath: "/opt/docker-images" });
    expect(inputs("registry-server-container").volumes).toContainEqual({
        containerPath: "/var/lib/registry",
        hostPath: "/opt/docker-images",
    });
    expect(
        registered.filter(({ type }) => type.endsWith(":Volume")).map(({ name }) => name),
    ).toEqual(["registry-server-settings"]);
});

const SECRET_INPUTS = [
    ["registry-authority-cert-1", "privateKeyPem"],
    ["registry-authority-server-request", "privateKeyPem"],
    ["registry-authority-server-cert", "caPrivateKeyPem"],
    ["registry-server-loader", "uploads"],
    ["registry-proof-command", "stdin"],
] as const;

test.each(SECRET_INPUTS)("%s: %s is secret", async (name, input) => {
    const { inputs } = await make();
    const given = inputs(name)[input];
    // A list is marked where the secret is: on the content of each upload.
    const marked = Array.isArray(given)
        ? given
              .filter(({ file }) => file !== "/load/tls.crt")
              .every(({ content }) => isMarkedSecret(content))
        : isMarkedSecret(given);
    expect(marked).toBe(true);
});

test.each([false, true])(
    "no secret value reaches an input that is not marked (gateway: %s)",
    async (gateway) => {
        const { registered } = await make({ gateway });
        const marked = JSON.stringify(registered, (_, given: unknown) =>
            isMarkedSecret(given) ? "[secret]" : given,
        );
        const unmarked = JSON.stringify(registered);
        for (const secret of [/password of/, /key of/, /\$2b\$/]) {
            expect(marked).not.toMatch(secret);
            // The same search finds them when the marks are taken away.
            expect(unmarked).toMatch(secret);
        }
    },
);

test("the port of HTTPS is not part of the registry's name", async () => {
    const { registry } = await make({ hostname: "registry.test", port: 443 });
    expect(await value(registry.registry)).toBe("registry.test");
    expect(await value(registry.url)).toBe("https://registry.test");
});

test("outputs", async () => {
    const { registry } = await make({ hostname: "registry.test", port: 8443 });
    expect(await value(registry.registry)).toBe("registry.test:8443");
    expect(await value(registry.url)).toBe("https://registry.test:8443");
    expect(await value(registry.certificateExpires)).toBe("2030-01-02T02:04:05.678Z");
    expect(await pulumi.isSecret(registry.teams)).toBe(true);
    expect(await value(registry.teams)).toMatchObject({
        dev: { username: "dev", password: "password of registry-accounts-password-dev" },
    });
    expect(await pulumi.isSecret(registry.caCertificate)).toBe(false);
    expect(await pulumi.isSecret(registry.registry)).toBe(false);
});

test.each([
    [{}, "127.0.0.1"],
    [{ bindAddress: "192.0.2.1" }, "192.0.2.1"],
    [{ dockerHost: "ssh://ops@docker.test" }, "docker.test"],
])("with %j the proof asks at %s", async (config, address) => {
    const { inputs } = await make(config);
    const program = unwrap<string>(inputs("registry-proof-command").stdin);
    expect(program).toContain(`"address":"${address}"`);
});

const GATEWAY = [
    "docker:index/container:Container registry-gateway-access",
    "docker:index/container:Container registry-gateway-container",
    "docker:index/container:Container registry-gateway-loader",
    "docker:index/network:Network registry-gateway-container-network",
    "docker:index/remoteImage:RemoteImage registry-gateway-image",
    "docker:index/volume:Volume registry-gateway-access-sockets",
    "docker:index/volume:Volume registry-gateway-control",
    "docker:index/volume:Volume registry-gateway-settings",
    "docker:index/volume:Volume registry-server-sockets",
    "private-registry:index:Gateway registry-gateway",
];

test.each([false, true])(
    "a gateway adds its own resources, and the registry loses its network (preview: %s)",
    async (preview) => {
        const made = await make({ gateway: true }, preview);
        expect(listed(made)).toEqual(
            [
                ...RESOURCES.filter((line) => !line.includes("registry-server-container-network")),
                ...GATEWAY,
            ].sort(),
        );
        const registry = made.inputs("registry-server-container");
        expect(registry.networkMode).toBe("none");
        expect(registry).not.toHaveProperty("ports");
        expect(registry).not.toHaveProperty("networksAdvanced");
    },
);

test("a team with a permission brings the gateway, and what each account may do is on its loader", async () => {
    const { inputs } = await make({
        teams: { web: { push: ["web/*"], accounts: ["web-2", "web"] }, ops: { admin: true } },
    });
    expect(inputs("registry-gateway-loader").labels).toEqual([
        { label: "private-registry.stack", value: "private-registry/test" },
        { label: "private-registry.access.web-2", value: "pushes and pulls web/*" },
        { label: "private-registry.access.web", value: "pushes and pulls web/*" },
        { label: "private-registry.access.ops", value: "everything" },
    ]);
});

test("the gateway's containers may do nothing but serve, and the one that knows the accounts has no network", async () => {
    const { inputs } = await make({ gateway: true, gatewayMetricsPort: 5002 });
    for (const role of ["container", "access"]) {
        expect(inputs(`registry-gateway-${role}`)).toMatchObject({
            readOnly: true,
            capabilities: { adds: ["CAP_NET_BIND_SERVICE"], drops: ["ALL"] },
            securityOpts: ["no-new-privileges:true"],
            restart: "unless-stopped",
            destroyGraceSeconds: 65,
        });
    }
    expect(inputs("registry-gateway-access")).toMatchObject({ networkMode: "none" });
    expect(inputs("registry-gateway-access")).not.toHaveProperty("ports");
    expect(inputs("registry-gateway-container").ports).toEqual([
        { internal: 5000, external: 5000, ip: "0.0.0.0", protocol: "tcp" },
        { internal: 5001, external: 5002, ip: "127.0.0.1", protocol: "tcp" },
    ]);
});

test("with a bucket there is no volume for images, and its keys are only in what is uploaded, as secrets", async () => {
    const s3 = { bucket: "images", region: "eu-west-1", accessKey: "theid", secretKey: "thekey" };
    const redis = { address: "redis.test:6379", password: "thepassword" };
    const made = await make({ storage: { s3 }, redis });
    expect(listed(made)).toEqual(
        RESOURCES.filter((line) => !line.endsWith(" registry-server-container-data")),
    );
    const { volumes, tmpfs } = made.inputs("registry-server-container");
    expect(volumes).toHaveLength(1);
    // Else Docker would make a volume, as the image asks for one.
    expect(tmpfs).toHaveProperty(["/var/lib/registry"]);
    const { uploads, ...rest } = made.inputs("registry-server-loader");
    expect(isMarkedSecret(uploads)).toBe(true);
    const others = made.registered.filter(({ name }) => name !== "registry-server-loader");
    const open = JSON.stringify([rest, others.map(({ inputs }) => inputs)]);
    for (const secret of ["theid", "thekey", "thepassword"]) {
        expect(JSON.stringify(unwrap(uploads))).toContain(secret);
        expect(open).not.toContain(secret);
    }
});

const WITH_REDIS = [
    "docker:index/container:Container registry-server-redis-container",
    "docker:index/container:Container registry-server-redis-loader",
    "docker:index/network:Network registry-server-redis-network",
    "docker:index/remoteImage:RemoteImage registry-server-redis-image",
    "docker:index/volume:Volume registry-server-redis-settings",
    "private-registry:index:RedisServer registry-server-redis",
    "random:index/randomPassword:RandomPassword registry-server-redis-password",
];

test.each([false, true])(
    "a Redis of the registry's own is a container beside it, and nothing else is made (preview: %s)",
    async (preview) => {
        const made = await make({ redis: true }, preview);
        expect(listed(made)).toEqual([...RESOURCES, ...WITH_REDIS].sort());
        expect(made.inputs("registry-server-redis-container")).toMatchObject({
            name: "private-registry-test-redis",
            readOnly: true,
            memory: 128,
            capabilities: { drops: ["ALL"] },
            securityOpts: ["no-new-privileges:true"],
        });
        expect(made.inputs("registry-server-redis-container")).not.toHaveProperty("ports");
        expect(made.inputs("registry-server-redis-container")).not.toHaveProperty("envs");
        expect(made.inputs("registry-server-redis-network")).toMatchObject({ internal: true });
    },
);

test("its password is in what is uploaded, as a secret, and nowhere else", async () => {
    const made = await make({ redis: true });
    const clear = JSON.stringify(made.registered, (_, given: unknown) =>
        isMarkedSecret(given) ? "[secret]" : given,
    );
    expect(clear).not.toContain("password of registry-server-redis");
    const uploads = (name: string) => {
        const list = unwrap<{ file: string; content: string }[]>(made.inputs(name).uploads);
        return Object.fromEntries(list.map(({ file, content }) => [file, unwrap<string>(content)]));
    };
    const password = "password of registry-server-redis-password";
    const ofRegistry = uploads("registry-server-loader");
    const config = JSON.parse(ofRegistry["/load/config.yml"] ?? "") as Record<string, unknown>;
    expect(config.redis).toMatchObject({ addrs: ["redis:6379"], password });
    expect(ofRegistry["/load/redis-address"]).toBe("redis 6379\n");
    expect(ofRegistry["/load/redis-forget"]).toContain(password);
    const ofRedis = uploads("registry-server-redis-loader");
    expect(ofRedis["/load/redis-password"]).toBe(password);
    expect(ofRedis["/load/redis.conf"]).not.toContain(password);
});

test("behind a gateway a registry with a Redis of its own is on the network of the two alone", async () => {
    const networks = async (config: Record<string, unknown>) => {
        const { inputs } = await make({ redis: true, ...config });
        const list = inputs("registry-server-container").networksAdvanced as { name: string }[];
        return list.map(({ name }) => name);
    };
    const shared = "name of registry-server-redis-network";
    const outside = "name of registry-server-container-network";
    expect(await networks({ gateway: true })).toEqual([shared]);
    expect(await networks({})).toEqual([outside, shared]);
    expect(await networks({ gateway: true, storage: { s3: BUCKET } })).toEqual([outside, shared]);
});

const BUCKET = { bucket: "images", region: "eu-west-1", accessKey: "theid", secretKey: "thekey" };
const IN_A_SWARM = { swarm: { constraints: ["node.role==worker"], memoryMiB: 256, cpus: 0.5 } };

test.each([false, true])(
    "in a Swarm the registry is a service, and no container, volume or port of it is left (preview: %s)",
    async (preview) => {
        const made = await make({ ...IN_A_SWARM, replicas: 3, storage: { s3: BUCKET } }, preview);
        const ofServer = listed(made).filter((line) => line.includes(" registry-server"));
        expect(ofServer).toEqual([
            "docker:index/network:Network registry-server-network",
            "docker:index/secret:Secret registry-server-config-yml",
            "docker:index/secret:Secret registry-server-tls-crt",
            "docker:index/secret:Secret registry-server-tls-key",
            "docker:index/service:Service registry-server-service",
            "private-registry:index:RegistryService registry-server",
            "random:index/randomPassword:RandomPassword registry-server-http-secret",
            "tls:index/privateKey:PrivateKey registry-server-link-key",
            "tls:index/selfSignedCert:SelfSignedCert registry-server-link-cert",
        ]);
        expect(made.inputs("registry-server-network")).toMatchObject({
            driver: "overlay",
            attachable: true,
        });
    },
);

test.each([false, true])(
    "in a Swarm a Redis of the registry's own is a service of one task, by TLS (preview: %s)",
    async (preview) => {
        const config = { ...IN_A_SWARM, replicas: 3, storage: { s3: BUCKET } };
        const without = listed(await make(config, preview));
        const made = await make({ ...config, redis: true }, preview);
        const more = listed(made).filter((line) => !without.includes(line));
        expect(more).toEqual([
            "docker:index/secret:Secret registry-server-redis-ca-crt",
            "docker:index/secret:Secret registry-server-redis-redis-conf",
            "docker:index/secret:Secret registry-server-redis-redis-crt",
            "docker:index/secret:Secret registry-server-redis-redis-key",
            "docker:index/secret:Secret registry-server-redis-redis-password",
            "docker:index/service:Service registry-server-redis-service",
            "private-registry:index:RedisService registry-server-redis",
            "random:index/randomPassword:RandomPassword registry-server-redis-password",
            "tls:index/privateKey:PrivateKey registry-server-redis-key",
            "tls:index/selfSignedCert:SelfSignedCert registry-server-redis-cert",
        ]);
        expect(made.inputs("registry-server-redis-service")).toMatchObject({
            name: "private-registry-test-redis",
            mode: { replicated: { replicas: 1 } },
            taskSpec: {
                containerSpec: { readOnly: true, capDrops: ["ALL"] },
                placement: { constraints: ["node.role==worker"] },
                resources: { limits: { memoryBytes: 134_217_728 } },
            },
        });
        if (preview) return;
        const secret = unwrap<string>(made.inputs("registry-server-config-yml").data);
        const text = Buffer.from(secret, "base64").toString();
        expect((JSON.parse(text) as Record<string, unknown>).redis).toMatchObject({
            addrs: ["private-registry-test-redis:6379"],
            password: "password of registry-server-redis-password",
            tls: { rootcas: ["/etc/private-registry/redis-ca.crt"] },
        });
        const clear = JSON.stringify(made.registered, (_, given: unknown) =>
            isMarkedSecret(given) ? "[secret]" : given,
        );
        expect(clear).not.toMatch(/(password|key) of registry-server-redis/);
    },
);

test("replicas may do nothing but serve, have an end that they come to slowly, and are replaced by ones that serve", async () => {
    const { inputs, options } = await make({
        ...IN_A_SWARM,
        replicas: 3,
        storage: { s3: BUCKET },
    });
    expect(inputs("registry-server-service")).toMatchObject({
        mode: { replicated: { replicas: 3 } },
        endpointSpec: { mode: "dnsrr" },
        updateConfig: { order: "start-first", failureAction: "rollback" },
        taskSpec: {
            containerSpec: { readOnly: true, capDrops: ["ALL"], stopGracePeriod: "65s" },
            placement: { constraints: ["node.role==worker"] },
            resources: { limits: { memoryBytes: 268_435_456, nanoCpus: 500_000_000 } },
        },
    });
    const others = await make({ swarm: true, memoryMiB: 512, storage: { s3: BUCKET } });
    expect(others.inputs("registry-server-service")).toMatchObject({
        taskSpec: { resources: { limits: { memoryBytes: 536_870_912 } } },
    });
    // A Swarm keeps a secret that a service uses, so the old one goes after the new one has come.
    expect(options("registry-server-tls-key").deleteBeforeReplace).toBe(false);
});

test("no secret of a service reaches an input that is not marked", async () => {
    const { registered } = await make({ swarm: true, storage: { s3: BUCKET } });
    const clear = JSON.stringify(registered, (_, given: unknown) =>
        isMarkedSecret(given) ? "[secret]" : given,
    );
    const hidden = ["thekey", "key of registry-server-link-key"].flatMap((text) => [
        text,
        Buffer.from(text).toString("base64"),
    ]);
    for (const text of hidden) expect(clear).not.toContain(text);
});

test("a mirror is a registry of its own beside the registry, with the same certificate and no secret in clear", async () => {
    const credentials = { username: "robot", password: "thepassword" };
    const mirrors = {
        hub: { upstream: "docker.io", port: 5010 },
        lab: {
            upstream: "registry.test:5000",
            port: 5011,
            credentials,
            caCertificate: makeAuthority().authority.certificate,
        },
    };
    const made = await make({ mirrors });
    const added = listed(made).filter((line) => line.includes("registry-mirror-lab"));
    expect(added).toEqual([
        "command:local:Command registry-mirror-lab-proof-command",
        "docker:index/container:Container registry-mirror-lab-container",
        "docker:index/container:Container registry-mirror-lab-loader",
        "docker:index/network:Network registry-mirror-lab-container-network",
        "docker:index/remoteImage:RemoteImage registry-mirror-lab-image",
        "docker:index/volume:Volume registry-mirror-lab-container-data",
        "docker:index/volume:Volume registry-mirror-lab-settings",
        "private-registry:index:RegistryServer registry-mirror-lab",
        "private-registry:index:ServerProof registry-mirror-lab-proof",
        "random:index/randomPassword:RandomPassword registry-mirror-lab-http-secret",
    ]);
    const filesOf = (mirror: string) => {
        const uploads = unwrap<{ file: string; content: string; permissions: string }[]>(
            made.inputs(`registry-mirror-${mirror}-loader`).uploads,
        );
        return new Map(uploads.map(({ file, ...rest }) => [file.replace("/load/", ""), rest]));
    };
    const hub = filesOf("hub");
    const lab = filesOf("lab");
    expect(hub.has("htpasswd")).toBe(false);
    expect(lab.has("htpasswd")).toBe(true);
    const config = JSON.parse(hub.get("config.yml")?.content ?? "") as Record<string, unknown>;
    expect(config).not.toHaveProperty("auth");
    expect(config.proxy).toMatchObject({ remoteurl: "https://registry-1.docker.io", ttl: "168h" });
    expect(lab.get("upstream-login")).toMatchObject({ permissions: "0500" });
    expect(JSON.parse(lab.get("upstream-credentials.json")?.content ?? "")).toEqual({
        Username: "robot",
        Secret: "thepassword",
    });
    const container = made.inputs("registry-mirror-lab-container");
    expect(container).toMatchObject({
        name: "private-registry-test-mirror-lab",
        ports: [{ internal: 5000, external: 5011, ip: "0.0.0.0" }],
        envs: expect.arrayContaining(["SSL_CERT_FILE=/etc/private-registry/upstream-ca.crt"]),
    });
    const { uploads, ...rest } = made.inputs("registry-mirror-lab-loader");
    expect(isMarkedSecret(uploads)).toBe(true);
    const others = made.registered.filter(({ name }) => name !== "registry-mirror-lab-loader");
    const open = JSON.stringify([rest, others.map(({ inputs }) => inputs)]);
    expect(open).not.toContain("thepassword");
});
