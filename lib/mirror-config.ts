import { z } from "zod";
import { hostAndPort, isLoopback, isServiceUrl, parseHostAndPort } from "./address";
import { type ConfigProblem, HIDDEN } from "./config-problems";
import type { Late } from "./late";
import { type Field, PEM_FIELD, readFields, readNamed, requireField } from "./object-fields";
import { propertyPath } from "./property-path";
import { boolean, integer } from "./scalars";
import type { MirrorEndpoint } from "./trust-script";

/** A registry that images are fetched from. */
export interface Upstream<Secret = string> {
    /** Where it is, without a slash at the end. */
    readonly url: string;
    /** With what to log in to it. Unset: it is asked as nobody. */
    readonly credentials?: UpstreamCredentials<Secret>;
    /** How long what was fetched is kept, with a unit: `168h`; `0s`: until the mirror is taken out. */
    readonly ttl: string;
    /** Certificates of the authorities to trust with it besides the public ones, PEM. */
    readonly caCertificate?: string;
    /** HTTP proxy on the way to it. */
    readonly proxy?: string;
}

export interface UpstreamCredentials<Secret = string> {
    readonly username: string;
    /** Secret. */
    readonly password: Secret;
}

/** A pull-through cache: it fetches images from another registry when somebody asks for them, and keeps them for a time. */
export interface Mirror<Secret = string> {
    /** The registry whose images it has, as images name it: `docker.io`, `registry.example.com:5000`. */
    readonly registry: string;
    readonly upstream: Upstream<Secret>;
    /** Published port. */
    readonly port: number;
    /** Whether anybody may pull from it. Otherwise it takes the accounts of the teams. */
    readonly anonymous: boolean;
}

/** The images of Docker Hub are called so, and this is who has them. */
const DOCKER_HUB = { name: "docker.io", url: "https://registry-1.docker.io" };
const DEFAULT_TTL = "168h";

const secret = z.string().regex(/^[\x21-\x7e]{1,4096}$/);
const registryHost = z.string().refine((text) => parseHostAndPort(text) !== undefined);

export const MIRROR_FIELDS = {
    upstream: {
        schema: z.string().refine((text) => parseUpstream(text) !== undefined),
        allowed:
            "a registry as images name it (docker.io, registry.example.com:5000), or its address (https://registry.example.com, or http:// where the network is trusted); not a loopback address: the mirror's container would find only itself there",
        example: "docker.io",
    },
    port: {
        schema: integer(1, 65535),
        allowed: "a whole number from 1 to 65535, of a port that nothing else has",
        example: "5010",
    },
    registry: {
        schema: registryHost,
        allowed:
            "the registry as images name it, when `upstream` has its images under another address: docker.io, registry.example.com:5000",
        example: "docker.io",
    },
    credentials: {
        schema: z.unknown(),
        allowed: "an object with username and password",
        example: "",
        isSecret: true,
    },
    ttl: {
        schema: z.preprocess(
            (value) => (value === 0 || value === "0" ? "0s" : value),
            z.string().regex(/^(0s|[1-9]\d{0,5}[smh])$/),
        ),
        allowed:
            "how long images are kept, in hours, minutes or seconds: 168h; 0: until the mirror is taken out",
        example: DEFAULT_TTL,
    },
    anonymous: { schema: boolean, allowed: "true or false", example: "true" },
    caCertificate: PEM_FIELD,
    proxy: {
        schema: z.string().refine(isServiceUrl),
        allowed:
            "http://host:port of a proxy, without a login: everybody on the Docker host can see it",
        example: "http://proxy.example.com:3128",
    },
} satisfies Record<string, Field>;

export const CREDENTIAL_FIELDS = {
    username: {
        schema: z.string().regex(/^[\x21-\x39\x3b-\x7e]{1,256}$/),
        allowed: "a user name without blanks and colons",
        example: "robot",
    },
    password: {
        schema: secret,
        allowed: "the password or access token of that user",
        example: "",
        isSecret: true,
        isLate: true,
    },
} satisfies Record<string, Field>;

type Fields = Partial<Pick<Mirror, "registry" | "port" | "anonymous">> &
    Partial<Pick<Upstream, "ttl" | "caCertificate" | "proxy">> & {
        readonly upstream?: string;
        readonly credentials?: unknown;
    };

/** Reads `mirrors` as it stands in the stack's configuration. */
export function readMirrors(given: unknown): {
    readonly mirrors: Record<string, Mirror<Late>>;
    readonly problems: ConfigProblem[];
} {
    const problems: ConfigProblem[] = [];
    const entries = readNamed(
        "mirrors",
        given,
        {
            allowed: "an object {name: {upstream, port, …}}",
            fix: ({ set }) => set("mirrors.hub.upstream", "docker.io"),
        },
        problems,
    );
    const mirrors: [string, Mirror<Late>][] = [];
    for (const { name, path, value } of entries) {
        const mirror = readMirror(path, value, problems);
        if (mirror === undefined) continue;
        const [twin] = mirrors.find(([, { registry }]) => registry === mirror.registry) ?? [];
        if (twin !== undefined) {
            problems.push({
                key: `${path}.registry`,
                given: mirror.registry,
                allowed: `a registry that no other mirror has; ${propertyPath("mirrors", twin)} is of the same one`,
                fix: ({ unset }) => unset(path),
            });
        }
        mirrors.push([name, mirror]);
    }
    return { mirrors: Object.fromEntries(mirrors), problems };
}

function readMirror(
    path: string,
    value: unknown,
    problems: ConfigProblem[],
): Mirror<Late> | undefined {
    const found = problems.length;
    const fields: Fields = readFields(path, value, MIRROR_FIELDS, problems);
    for (const name of ["upstream", "port"] as const) {
        requireField(path, name, fields[name], MIRROR_FIELDS[name], problems);
    }
    const credentials = readCredentials(path, fields, problems);
    const upstream = parseUpstream(fields.upstream ?? "");
    const { port } = fields;
    if (problems.length > found || upstream === undefined || port === undefined) return undefined;
    const { ttl = DEFAULT_TTL, caCertificate, proxy } = fields;
    return {
        registry: fields.registry ?? upstream.name,
        upstream: { url: upstream.url, credentials, ttl, caCertificate, proxy },
        port,
        anonymous: fields.anonymous ?? credentials === undefined,
    };
}

function readCredentials(
    mirrorPath: string,
    { upstream, credentials }: Fields,
    problems: ConfigProblem[],
): UpstreamCredentials<Late> | undefined {
    if (credentials === undefined) return undefined;
    const path = `${mirrorPath}.credentials`;
    const given: Partial<UpstreamCredentials<Late>> = readFields(
        path,
        credentials,
        CREDENTIAL_FIELDS,
        problems,
    );
    for (const name of ["username", "password"] as const) {
        requireField(path, name, given[name], CREDENTIAL_FIELDS[name], problems);
    }
    if (upstream?.startsWith("http://") === true) {
        problems.push({
            key: path,
            given: HIDDEN,
            allowed: "nothing, where the upstream is http://: they would go over the line in clear",
            fix: ({ set }) => set(`${mirrorPath}.upstream`, "https://<host>"),
        });
    }
    const { username, password } = given;
    return username === undefined || password === undefined ? undefined : { username, password };
}

/** Ports of the mirrors with the keys that they have in the configuration. */
export function mirrorPorts(
    mirrors: Readonly<Record<string, Mirror<unknown>>>,
): { readonly name: string; readonly key: string; readonly port: number }[] {
    return Object.entries(mirrors).map(([name, { port }]) => ({
        name,
        key: `${propertyPath("mirrors", name)}.port`,
        port,
    }));
}

/** A registry by its name or by its address: what images call it, and where it is. */
function parseUpstream(text: string): { readonly name: string; readonly url: string } | undefined {
    if (/^https?:\/\//.test(text)) {
        const url = text.replace(/\/$/, "");
        const host = url.replace(/^https?:\/\//, "");
        if (!isServiceUrl(url) || parseHostAndPort(host) === undefined) return undefined;
        return { name: url === DOCKER_HUB.url ? DOCKER_HUB.name : host, url };
    }
    const place = parseHostAndPort(text);
    if (place === undefined || isLoopback(place.host)) return undefined;
    return text === DOCKER_HUB.name ? DOCKER_HUB : { name: text, url: `https://${text}` };
}

/** Where a mirror is, as image names have it. */
export function mirrorAddress(hostname: string, { port }: Mirror<unknown>): string {
    return hostAndPort(hostname, port);
}

/** What client hosts have to know of a mirror. */
export function mirrorEndpoint(hostname: string, mirror: Mirror<unknown>): MirrorEndpoint {
    const { registry, anonymous, upstream } = mirror;
    return {
        registry,
        address: mirrorAddress(hostname, mirror),
        anonymous,
        upstream: upstream.url,
    };
}
