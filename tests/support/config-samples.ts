import { makeAuthority } from "./test-authority";

const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Zg2bUmkQ8yPqv3oZWc1nYk0a5FfXbX9vYtq0H1XlH";
const PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nKEY\n-----END OPENSSH PRIVATE KEY-----\n";
const { certificate } = makeAuthority().authority;
const PATTERNS = ["team/*", "*", "base.images/x_1"];
const FLAGS = [true, false, "true", "false"];

const LOGIN: Readonly<Record<string, readonly unknown[]>> = {
    host: ["192.0.2.21", "Build1.example.test", "2001:db8::1", "fe80::1%eth0"],
    hostKey: [HOST_KEY, `${HOST_KEY} root@build1`],
    user: ["ops", "A_b.c@d-1"],
    port: [22, "2222", 65535],
    privateKeyPath: ["~/.ssh/id_ed25519", "/keys/one", "keys with blanks/$(id)"],
    privateKey: [PEM],
    privateKeyPassword: ["pass", "p'a\"s s$\n"],
    password: ["pass", "p'a\"s s$`\\\n"],
    agent: FLAGS,
    hostKeyChecked: FLAGS,
};

/** Right values of every place in the configuration, by the paths of `configPaths`. */
export const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
    hostname: ["registry.example.com", "localhost", "192.0.2.1", "2001:db8::1"],
    port: [5000, "443", 1, 65535],
    bindAddress: ["0.0.0.0", "::", "127.0.0.1"],
    address: ["192.0.2.10", "2001:db8::10"],
    subjectAltNames: [["a.test"], []],
    "subjectAltNames[]": ["a.test", "*.a.test", "192.0.2.9", "::1"],
    subject: [{}, { country: "DE" }],
    "subject.country": ["DE"],
    ...Object.fromEntries(
        ["province", "locality", "organization", "organizationalUnit"].map((field) => [
            `subject.${field}`,
            ["Example & Söhne, 'Ltd' $1", 'C=DE/O=x,+"', "مثال", "-"],
        ]),
    ),
    keyAlgorithm: ["ECDSA", "RSA"],
    authorities: [["1"], ["2", "1"]],
    "authorities[]": ["1", 2, "a.b-c_d", "constructor"],
    authorityValidityDays: [3650, "36500"],
    certificateValidityDays: [397, "100"],
    earlyRenewalDays: [30, "0"],
    teams: [["dev"], { dev: {} }, { dev: null, web: {} }],
    "teams[]": ["dev", "a.b", "constructor", "10"],
    "teams{}": ["dev", "a.b", "constructor", "10"],
    "teams.*": [{}, null, { generation: 2 }],
    "teams.*.generation": [1, "2", 999_999],
    "teams.*.accounts": [["dev"], ["dev-2", "dev"]],
    "teams.*.accounts[]": ["dev", "a.b", "constructor"],
    ...Object.fromEntries(
        ["push", "pull", "delete"].flatMap((field) => [
            [`teams.*.${field}`, [["team/*"], []]],
            [`teams.*.${field}[]`, PATTERNS],
        ]),
    ),
    "teams.*.admin": FLAGS,
    image: ["registry:3.1.1", "host.test:5000/a/b__c:1", `registry@sha256:${"a".repeat(64)}`],
    dockerHost: ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "ssh://ops@host.test:22"],
    containerName: ["hub", "A_b.c-d"],
    dataPath: ["/opt/docker-images", "/srv/my images/$HOME"],
    dataRetained: FLAGS,
    deleteEnabled: FLAGS,
    readOnly: FLAGS,
    retention: [[], [{ repositories: "*", keepLast: 1 }]],
    "retention[]": [{ repositories: "*", keepLast: 1 }],
    "retention[].repositories": PATTERNS,
    "retention[].keepLast": [1, "10"],
    "retention[].keepTags": [["v*"]],
    "retention[].keepTags[]": ["v*", "1.0", "Release_1"],
    "retention[].olderThanDays": [30, "36500"],
    metricsPort: [5001, "9090"],
    swarm: [true, "true", { memoryMiB: 64 }],
    "swarm.constraints": [["node.role==worker"]],
    "swarm.constraints[]": ["node.role==worker", "node.labels.disk != ssd 1"],
    "swarm.memoryMiB": [64, "256"],
    "swarm.cpus": [0.1, "0.5", 2],
    replicas: [1, "3"],
    gateway: FLAGS,
    gatewayImage: ["caddy:2.11.9", "mirror.test/caddy"],
    gatewayMetricsPort: [5002, "9091"],
    clients: [{}, { a: { host: "a.test", hostKey: HOST_KEY } }],
    "clients{}": ["a", "a.b", "constructor"],
    "clients.*": [{ host: "a.test", hostKey: HOST_KEY }, { local: true }],
    "clients.*.jumpHost": [{ host: "jump.test", hostKey: HOST_KEY }],
    "clients.*.sudo": FLAGS,
    "clients.*.local": [false, "false"],
    "clients.*.targets": [["docker"], ["found", "system"]],
    "clients.*.targets[]": ["docker", "found"],
    ssh: [{ password: "pass" }],
    "ssh.jumpHost": [{ host: "jump.test", hostKey: HOST_KEY }],
    ...Object.fromEntries(
        ["clients.*", "clients.*.jumpHost", "ssh", "ssh.jumpHost"].flatMap((root) =>
            Object.entries(LOGIN)
                .filter(
                    ([field]) =>
                        root !== "ssh" || !field.startsWith("host") || field === "hostKeyChecked",
                )
                .map(([field, values]) => [`${root}.${field}`, values]),
        ),
    ),
    storage: [{ s3: { bucket: "images", region: "eu-west-1", accessKey: "id", secretKey: "key" } }],
    "storage.s3": [{ bucket: "images", region: "eu-west-1", accessKey: "id", secretKey: "key" }],
    "storage.s3.bucket": ["images", "a.b-c"],
    "storage.s3.region": ["eu-west-1"],
    "storage.s3.endpoint": ["https://s3.example.com", "http://[2001:db8::1]:9000"],
    "storage.s3.forcePathStyle": FLAGS,
    "storage.s3.rootDirectory": ["registry", "a/b.c"],
    "storage.s3.accessKey": ["AKIA'\"$(id)"],
    "storage.s3.secretKey": ["wJal/+'\"\\`{env.HOME}"],
    "storage.s3.encrypt": FLAGS,
    "storage.s3.redirect": FLAGS,
    "storage.s3.caCertificate": [certificate, `# comment\n${certificate}${certificate}`],
    redis: [{ address: "redis.example.com:6379" }],
    "redis.address": ["redis.example.com:6379", "[2001:db8::1]:6380"],
    "redis.username": ["default", "u'\"$(id)"],
    "redis.password": ["pass", "p'\"\\`{env.HOME}"],
    "redis.db": [0, "15"],
    "redis.caCertificate": [certificate],
};
