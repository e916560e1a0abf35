import { PrivateRegistry } from "../../components/private-registry";
import { SAMPLES } from "../support/config-samples";
import { isMarkedSecret, noteDeclarations, record, settled, unwrap } from "../support/mocks";
import { read } from "../support/settings";

/** Each text of a configuration, with signs in it that a shell would act on where it may have them, and everywhere that it comes to. */

const hostKey = SAMPLES["ssh.jumpHost.hostKey"]?.[0];
const CONFIG = {
    hostname: "marked-hostname.test",
    address: "192.0.2.77",
    subjectAltNames: ["marked-name.test"],
    subject: { organization: "marked-organization $(id) '\"", locality: "marked-locality `id`;" },
    authorities: ["marked-authority"],
    teams: { "marked-team": { accounts: ["marked-account"], push: ["marked-pattern/*"] } },
    image: "marked-image:1",
    gatewayImage: "marked-gateway:1",
    containerName: "marked-container",
    dockerHost: "tcp://marked-docker.test:2375",
    storage: {
        s3: {
            bucket: "marked-bucket",
            region: "marked-region",
            endpoint: "https://marked-endpoint.test",
            rootDirectory: "marked-root",
            accessKey: "marked-access-$(id)'",
            secretKey: 'marked-secret-`id`"',
        },
    },
    redis: {
        address: "marked-redis.test:6379",
        username: "marked-user'",
        password: "marked-word$(id)",
    },
    mirrors: {
        "marked-mirror": {
            upstream: "marked-upstream.test:5000",
            registry: "marked-origin.test",
            port: 5010,
            credentials: { username: "marked-robot$(id)", password: "marked-token'`id`" },
        },
    },
    clients: {
        "marked-client": {
            host: "marked-host.test",
            hostKey,
            user: "marked-login",
            password: "marked-password $(id)'",
        },
    },
};

/** Where each is, by type of resource and input; `!`: there it is secret. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
    "192.0.2.77": ["CertRequest.ipAddresses[]", "Command.stdin"],
    "marked-access": ["Container.uploads![].content"],
    "marked-account": [
        "Command.stdin!",
        "Container.labels[].label",
        "Container.uploads![].content",
    ],
    "marked-authority": [
        "LocallySignedCert.caPrivateKeyPem!",
        "SelfSignedCert.privateKeyPem!",
        "SelfSignedCert.subject.commonName",
    ],
    "marked-bucket": ["Command.stdin!", "Container.uploads![].content"],
    "marked-client": ["Command.stdin"],
    "marked-container": ["Command.stdin!", "Container.name"],
    "marked-docker": ["Command.stdin!", "docker.host"],
    "marked-endpoint": ["Command.stdin!", "Container.uploads![].content"],
    "marked-gateway": ["RemoteImage.name"],
    "marked-host": ["Command.connection!.host"],
    "marked-hostname": [
        "CertRequest.dnsNames[]",
        "CertRequest.subject.commonName",
        "Command.stdin",
        "Command.stdin!",
    ],
    "marked-image": ["RemoteImage.name"],
    "marked-locality": ["CertRequest.subject.locality", "SelfSignedCert.subject.locality"],
    "marked-login": ["Command.connection!.user"],
    "marked-mirror": [
        "Command.stdin!",
        "Container.name",
        "Container.networksAdvanced[].name",
        "Container.uploads![].content",
        "Container.volumes[].volumeName",
        "Volume.name",
    ],
    "marked-name": ["CertRequest.dnsNames[]"],
    "marked-organization": [
        "CertRequest.subject.organization",
        "SelfSignedCert.subject.organization",
    ],
    "marked-origin": ["Command.stdin"],
    "marked-password": ["Command.connection!.password"],
    "marked-pattern": ["Container.labels[].value", "Container.uploads![].content"],
    "marked-redis": ["Container.uploads![].content"],
    "marked-region": ["Container.uploads![].content"],
    "marked-robot": ["Container.uploads![].content"],
    "marked-root": ["Container.uploads![].content"],
    "marked-secret": ["Container.uploads![].content"],
    "marked-token": ["Container.uploads![].content"],
    "marked-upstream": ["Command.stdin", "Container.uploads![].content"],
    "marked-user": ["Container.uploads![].content"],
    "marked-word": ["Container.uploads![].content"],
};

async function placesOf(config: Readonly<Record<string, unknown>>) {
    const recording = record(false);
    new PrivateRegistry("registry", read(config), {
        transformations: [noteDeclarations(recording)],
    });
    await settled(recording);
    const found: [string, string][] = [];
    for (const { type, inputs } of recording.registered) {
        strings(inputs, type.replace(/^.*:/, ""), found);
    }
    return found;
}

function strings(value: unknown, path: string, found: [string, string][]): void {
    const secret = isMarkedSecret(value) ? "!" : "";
    const inner = unwrap(value);
    if (typeof inner === "string") found.push([path + secret, inner]);
    else if (typeof inner === "object" && inner !== null) {
        for (const [name, each] of Object.entries(inner)) {
            const step = Array.isArray(inner) ? "[]" : `.${name}`;
            strings(each, path + secret + step, found);
        }
    }
}

test("every text of the configuration is where it belongs, and nowhere else", async () => {
    const found = await placesOf(CONFIG);
    const places: Record<string, Set<string>> = {};
    for (const [place, text] of found) {
        for (const [marker] of text.matchAll(/marked-[a-z]+|192\.0\.2\.77/g)) {
            (places[marker] ??= new Set()).add(place);
        }
    }
    const sorted = Object.fromEntries(
        Object.entries(places)
            .sort()
            .map(([marker, list]) => [marker, [...list].sort()]),
    );
    expect(sorted).toEqual(PLACES);
    // Nothing of it is a word of a command line.
    for (const [place, text] of found) {
        if (/\.(create|delete|update|command|entrypoints)/.test(place))
            expect(text).not.toMatch(/marked-|192\.0\.2\.77/);
    }
});

test("so is the image of a Redis of the registry's own", async () => {
    const found = await placesOf({ redis: true, redisImage: "marked-image:1" });
    expect(found.filter(([, text]) => text.includes("marked-"))).toEqual([
        ["RemoteImage.name", "marked-image:1"],
    ]);
});
