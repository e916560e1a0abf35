import { RunError } from "@pulumi/pulumi";
import { readSettings } from "../../config";
import { canonicalAddress } from "../../lib/address";
import type { Settings } from "../../lib/settings";
import { SAMPLES } from "./config-samples";
import { SURROUNDINGS } from "./settings";

/** A secret that stands in every configuration here, and that no message may hold. */
export const SECRET = "S3CRET-of-this-test";

const first = (path: string) => SAMPLES[path]?.[0];
const HOST = {
    host: "a.test",
    hostKey: first("ssh.jumpHost.hostKey"),
};
const JUMP_HOST = first("ssh.jumpHost");
const BASES: Readonly<Record<string, unknown>> = {
    hostname: "registry.example.test",
    subject: {},
    teams: { dev: {} },
    retention: [{ repositories: "*", keepLast: 1 }],
    swarm: { memoryMiB: 64 },
    clients: { a: HOST },
    ssh: { password: SECRET },
    storage: { s3: { bucket: "images", region: "eu-west-1", accessKey: "id", secretKey: SECRET } },
    redis: { address: "redis.example.com:6379", password: SECRET },
    mirrors: {
        hub: {
            upstream: "registry.example.test",
            port: 5010,
            credentials: { username: "robot", password: SECRET },
        },
    },
};
/** What stands beside a key, without which it would have no meaning. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
    clients: ["ssh", "hostname"],
    ssh: ["clients", "hostname"],
    swarm: ["storage"],
    replicas: ["storage", "swarm"],
    redis: ["storage"],
};

/** A machine with an SSH agent, and with every file that is asked for. */
export const SURROUNDED = {
    ...SURROUNDINGS,
    sshAgent: "/run/agent",
    // Says which file was asked for.
    readFile: (path: string) => `-----BEGIN PRIVATE KEY-----\n${path}`,
};

/** The first key of a path, and the steps below it: `.name`, `.*`, `[]`, `{}`. */
function steps(path: string): { root: string; below: string[] } {
    const [root = "", ...below] = path.match(/^\w+|\.\w+|\.\*|\[\]|\{\}/g) ?? [];
    return { root, below };
}

function put(base: unknown, [step, ...below]: readonly string[], value: unknown): unknown {
    if (step === undefined) return value;
    if (step === "[]") return [put((base as unknown[] | undefined)?.[0], below, value)];
    // A host on the way is a whole one, whatever is wrong with it.
    const whole = step === ".jumpHost" && below.length > 0 ? { jumpHost: JUMP_HOST } : {};
    const entries = Object.entries({ ...whole, ...(base as object) });
    if (step === "{}") return Object.fromEntries([[String(value), entries[0]?.[1]]]);
    const name = step === ".*" ? (entries[0]?.[0] ?? "") : step.slice(1);
    const inner = put(Object.fromEntries(entries)[name], below, value);
    return Object.fromEntries([...entries.filter(([key]) => key !== name), [name, inner]]);
}

/** A configuration as the engine hands it over, right but for what stands at a path. */
export function configWith(path: string, value: unknown): Record<string, string> {
    const { root, below } = steps(path);
    const beside = (BESIDE[root] ?? []).map((key) => [key, BASES[key]]);
    const gateway =
        root === "gatewayImage" || root === "gatewayMetricsPort" ? [["gateway", true]] : [];
    const own = root === "redisImage" ? [["redis", true]] : [];
    const all = [...beside, ...gateway, ...own, [root, put(BASES[root], below, value)]] as [
        string,
        unknown,
    ][];
    return Object.fromEntries(
        all.map(([key, given]) => [`private-registry:${key}`, asText(given)]),
    );
}

/** A plain value is handed over as text, `null` as none, everything else as JSON. */
function asText(value: unknown): string {
    if (value === null) return "";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What a configuration came to: the settings, or what is said of it. */
export type Outcome = { readonly settings: Settings } | { readonly said: string };

/** Reads a configuration. Any other error than the one that names the keys is a failure. */
export function outcome(
    config: Record<string, string>,
    secretKeys: readonly string[] = [],
): Outcome {
    try {
        return { settings: readSettings(config, { ...SURROUNDED, secretKeys }) as Settings };
    } catch (error) {
        if (error instanceof RunError) return { said: error.message };
        throw error;
    }
}

/** The keys that a message names. */
export function namedKeys(said: string): string[] {
    return [...said.matchAll(/^ {2}(\S.*)$/gm)].map(([, key = ""]) => key);
}

/** What the program has in the place of what was given; `undefined`: nothing of its own. */
export function readBack(path: string, settings: Settings): unknown {
    const { root, below } = steps(path);
    const [client] = Object.values(settings.clients);
    switch (root) {
        case "clients":
            if (path === "clients{}") return Object.keys(settings.clients)[0];
            return readLogin(path, client);
        case "ssh":
            return readLogin(path, client);
        case "storage":
            return field(settings.s3, below.at(-1));
        case "redis":
            return path === "redis.address"
                ? redisAddress(settings)
                : field(settings.redis, below.at(-1));
        case "mirrors":
            return path === "mirrors{}"
                ? Object.keys(settings.mirrors)[0]
                : readMirror(below, Object.values(settings.mirrors)[0]);
        case "swarm":
            return below.reduce<unknown>(walk, settings.swarm);
        case "replicas":
            return settings.swarm?.replicas;
        case "gateway":
            return settings.gateway !== undefined;
        case "gatewayImage":
            return settings.gateway?.image;
        case "redisImage":
            return settings.redisServer?.image;
        case "gatewayMetricsPort":
            return settings.gateway?.metricsPort;
        case "teams":
            if (path === "teams[]" || path === "teams{}") return Object.keys(settings.teams)[0];
            return below.reduce<unknown>(walk, settings.teams);
        default:
            return below.reduce<unknown>(walk, settings[root as keyof Settings]);
    }
}

function readLogin(path: string, client: Settings["clients"][string] | undefined): unknown {
    if (client === undefined) return undefined;
    const name = /\w+$/.exec(path)?.[0] ?? "";
    const ownKeys = ["sudo", "targets"];
    if (path.startsWith("clients.*.targets"))
        return path.endsWith("[]") ? client.targets[0] : client.targets;
    if (ownKeys.includes(name)) return field(client, `.${name}`);
    if (name === "local") return client.login === undefined;
    const login = path.includes("jumpHost.") ? client.login?.jumpHost : client.login;
    return name === "privateKeyPath"
        ? login?.privateKey?.slice("-----BEGIN PRIVATE KEY-----\n".length)
        : field(login, `.${name}`);
}

function readMirror(below: readonly string[], mirror: Settings["mirrors"][string] | undefined) {
    if (below.includes(".upstream")) return mirror?.upstream.url;
    const ofUpstream = [".credentials", ".ttl", ".caCertificate", ".proxy"];
    const isOfUpstream = below.some((step) => ofUpstream.includes(step));
    return below.slice(1).reduce<unknown>(walk, isOfUpstream ? mirror?.upstream : mirror);
}

function redisAddress({ redis }: Settings): string | undefined {
    if (redis === undefined) return undefined;
    return redis.host.includes(":")
        ? `[${redis.host}]:${redis.port}`
        : `${redis.host}:${redis.port}`;
}

function walk(value: unknown, step: string): unknown {
    if (step === "[]") return (value as unknown[] | undefined)?.[0];
    if (step === ".*") return Object.values(value ?? {})[0];
    return field(value, step);
}

function field(value: unknown, step = ""): unknown {
    return Object.entries(value ?? {}).find(([name]) => `.${name}` === step)?.[1];
}

/** What has to be there when a value was taken: text as it is, numbers and truth in any form that says them. */
export function asked(path: string, kind: string, given: unknown): unknown {
    if (kind === "boolean") return given === "true" || given === true;
    if (kind === "number") return typeof given === "string" ? Number(given) : given;
    if (path.endsWith("privateKeyPath")) {
        return String(given).replace(/^~\//, `${SURROUNDINGS.home}/`);
    }
    if (path === "address" || path === "bindAddress") return canonicalAddress(String(given));
    if (path === "mirrors.*.upstream") {
        const text = String(given) === "docker.io" ? "registry-1.docker.io" : String(given);
        return /^https?:/.test(text) ? text.replace(/\/$/, "") : `https://${text}`;
    }
    if (path === "mirrors.*.ttl" && Number(given) === 0) return "0s";
    return String(given);
}
