import { z } from "zod";
import type { KeyAlgorithm, Subject } from "../components/certificate-authority";
import type { ClientHost } from "../components/client-trust";
import type { Limits } from "../components/container-parts";
import type { PrivateRegistryArgs } from "../components/private-registry-args";
import type { SwarmSettings } from "../components/registry-service";
import type { Team } from "../components/team-accounts";
import { canonicalAddress, isLoopback } from "./address";
import type { Advice, Fix } from "./advice";
import { readClients } from "./client-config";
import { type ConfigProblem, configError, HIDDEN } from "./config-problems";
import { dockerMachine, parseDockerEndpoint } from "./docker-endpoint";
import type { Late } from "./late";
import { type Mirror, mirrorPorts, readMirrors } from "./mirror-config";
import { isAddress, isDnsName, isHostName, NAME } from "./names";
import { isObject } from "./object-fields";
import { arePermissionsUsed, permissionFields } from "./permissions";
import { propertyPath } from "./property-path";
import { REDIS_FILES } from "./redis-config";
import { serviceFileNames } from "./registry-config";
import { type RetentionRule, retentionProblems, retentionSchema } from "./retention";
import { boolean, integer, PRINTABLE } from "./scalars";
import {
    readServices,
    type RedisServerSettings,
    type Services,
    storageProblems,
} from "./storage-config";
import type { MachineSurroundings } from "./surroundings";
import { areUnknownFieldsAll, isUnread, unknownFields } from "./unknown-fields";

/** One key of the settings: what it takes, what it is when unset, and a value to show in a fix. */
interface Key<T> {
    readonly schema: z.ZodType<T>;
    /** What the key takes, in the words of an error message. */
    readonly allowed: string;
    /** The value when the key is unset, as it would stand in the stack's file. `undefined`: no default. */
    readonly default: unknown;
    /** A place in it and a value that is allowed there, as a word of a shell. */
    readonly example: readonly [path: string, value: string];
}

const IMAGE =
    /^(?:(?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
/** Without the tag, what a registry and Docker take. */
const IMAGE_NAME_LENGTH = 255;
const image = z
    .string()
    .max(IMAGE_NAME_LENGTH + 256)
    .regex(IMAGE)
    .refine((text) => text.replace(/(:[^/@]*)?(@.*)?$/, "").length <= IMAGE_NAME_LENGTH);
const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,200}$/;
/** Docker's form of a condition on the nodes of a Swarm. */
const CONSTRAINT = /^ *[a-z_][a-z0-9_.-]+ *[=!]= *[a-z0-9:_ .*()?+[\]\\^$|/-]+$/i;

/** Longer ones do not fit, with what is put around them, into the name of a file on a client host. */
const HOST_NAME_LENGTH = 200;
const hostName = z
    .string()
    .max(HOST_NAME_LENGTH)
    .refine(isHostName)
    // In an image's name an address has no dots beside colons.
    .refine((text) => !/:.*\./.test(text));
const ipAddress = z.string().refine(isAddress, { abort: true }).overwrite(canonicalAddress);
const alternativeName = z
    .string()
    .refine((text) => (text.startsWith("*.") ? isDnsName(text.slice(2)) : isHostName(text)));
const number = (min: number, max: number) =>
    z.preprocess(
        (value) =>
            typeof value === "string" && /^\d{1,6}(\.\d{1,3})?$/.test(value)
                ? Number(value)
                : value,
        z.number().min(min).max(max),
    );
const id = z.preprocess(
    // Of other numbers it is not known how they were written: 1.10 comes as 1.1.
    (value) => (Number.isSafeInteger(value) ? String(value) : value),
    z.string().regex(NAME),
);
const subjectField = z.string().regex(PRINTABLE).min(1).max(64).optional();
const unique = (values: readonly string[]) => new Set(values).size === values.length;

const team = z.strictObject({
    generation: integer(1, 999_999).optional(),
    accounts: z.array(z.string().regex(NAME)).min(1).refine(unique).optional(),
    ...permissionFields(boolean),
});
const teamNames = z
    .array(z.string().regex(NAME))
    .min(1)
    .refine(unique)
    .transform((names): Record<string, z.infer<typeof team>> =>
        Object.fromEntries(names.map((name) => [name, {}])),
    );
const teamRecord = z
    // A record would leave a key of this name out without a word.
    .custom<Record<string, unknown>>(
        (value) => !isObject(value) || !Object.hasOwn(value, "__proto__"),
    )
    .pipe(
        z.record(
            z.string().regex(NAME),
            z.preprocess((value) => value ?? {}, team),
        ),
    )
    .refine((teams) => Object.keys(teams).length > 0);

const PORT = { allowed: "a whole number from 1 to 65535" };

const KEYS = {
    hostname: {
        schema: hostName,
        allowed: `a DNS name in lower case, of ${HOST_NAME_LENGTH} characters at most, whose last part is no number, or an IP address`,
        default: "localhost",
        example: ["hostname", "registry.example.com"],
    },
    port: { ...PORT, schema: integer(1, 65535), default: 5000, example: ["port", "5000"] },
    bindAddress: {
        schema: ipAddress,
        allowed: "an IP address of the Docker host; 0.0.0.0 for all of them",
        default: "0.0.0.0",
        example: ["bindAddress", "0.0.0.0"],
    },
    address: {
        schema: ipAddress.refine((text) => text !== "0.0.0.0" && text !== "::"),
        allowed: "the IP address at which client hosts reach the registry",
        default: undefined,
        example: ["address", "192.0.2.10"],
    },
    subjectAltNames: {
        schema: z.array(alternativeName).refine(unique),
        allowed:
            "a list of different DNS names in lower case (*. in front is possible) and IP addresses",
        default: [],
        example: ["subjectAltNames[0]", "registry.internal"],
    },
    subject: {
        schema: z.strictObject({
            country: z
                .string()
                .regex(/^[A-Z]{2}$/)
                .optional(),
            province: subjectField,
            locality: subjectField,
            organization: subjectField,
            organizationalUnit: subjectField,
        }),
        allowed:
            "country (two capital letters), province, locality, organization, organizationalUnit (1 to 64 printable characters)",
        default: {},
        example: ["subject.organization", "'Example Inc'"],
    },
    keyAlgorithm: {
        schema: z.enum(["ECDSA", "RSA"]),
        allowed: "ECDSA or RSA",
        default: "ECDSA",
        example: ["keyAlgorithm", "ECDSA"],
    },
    authorities: {
        schema: z.array(id).min(1).refine(unique),
        allowed:
            "a list of one or more different ids of lower-case letters, digits, dots, dashes and underscores",
        default: ["1"],
        example: ["authorities[0]", "1"],
    },
    authorityValidityDays: {
        schema: integer(2, 36_500),
        allowed: "a whole number of days from 2 to 36500",
        default: 3650,
        example: ["authorityValidityDays", "3650"],
    },
    certificateValidityDays: {
        schema: integer(1, 36_500),
        allowed: "a whole number of days from 1 to 36500",
        default: 200,
        example: ["certificateValidityDays", "200"],
    },
    earlyRenewalDays: {
        schema: integer(0, 36_500),
        allowed: "a whole number of days from 0 to 36500",
        default: 30,
        example: ["earlyRenewalDays", "30"],
    },
    teams: {
        schema: z.union([teamNames, teamRecord]),
        allowed:
            "a list of team names, or an object {name: {generation: 1 or higher, accounts: [user names], push, pull, delete: [patterns of repository names, * stands for any characters], admin: true}}; a name has lower-case letters, digits, dots, dashes and underscores, 64 at most",
        default: { dev: {} },
        example: ["teams.dev.generation", "1"],
    },
    image: {
        schema: image.refine(
            (text) =>
                /(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$/.test(text) && !text.endsWith(":latest"),
        ),
        allowed:
            "an image with a fixed tag (not latest) or a digest, such as registry:3.1.1 or registry@sha256:<64 hex digits>",
        default: "registry:3.1.1",
        example: ["image", "registry:3.1.1"],
    },
    dockerHost: {
        schema: z.string().refine((text) => parseDockerEndpoint(text) !== undefined),
        allowed: "unix:///path, tcp://host:port or ssh://user@host[:port]",
        default: undefined,
        example: ["dockerHost", "ssh://ops@docker.example.com"],
    },
    containerName: {
        schema: z.string().regex(CONTAINER_NAME),
        allowed: "a name that Docker takes: 2 to 201 letters, digits, dots, dashes and underscores",
        default: undefined,
        example: ["containerName", "registry"],
    },
    dataPath: {
        schema: z.string().regex(PRINTABLE).refine(isFolder),
        allowed:
            "the absolute path of a folder on the Docker host, without :, empty parts, . and ..",
        default: undefined,
        example: ["dataPath", "/opt/docker-images"],
    },
    dataRetained: {
        schema: boolean,
        allowed: "true or false",
        default: true,
        example: ["dataRetained", "true"],
    },
    deleteEnabled: {
        schema: boolean,
        allowed: "true or false",
        default: true,
        example: ["deleteEnabled", "true"],
    },
    readOnly: {
        schema: boolean,
        allowed: "true or false",
        default: false,
        example: ["readOnly", "false"],
    },
    retention: {
        schema: retentionSchema(integer),
        allowed:
            "a list of rules {repositories, keepLast?, keepTags?, olderThanDays?}: a pattern of repository names in lower case, a number of tags, a list of different patterns of tags, a number of days; * in a pattern stands for any characters",
        default: [],
        example: ["retention[0].repositories", "'team/*'"],
    },
    metricsPort: {
        ...PORT,
        schema: integer(1, 65535),
        default: undefined,
        example: ["metricsPort", "5001"],
    },
    memoryMiB: {
        schema: integer(128, 1_048_576),
        allowed: "a whole number of MiB from 128 to 1048576",
        default: 2048,
        example: ["memoryMiB", "2048"],
    },
    cpuShares: {
        schema: integer(2, 262_144),
        allowed: "a whole number from 2 to 262144",
        default: 1024,
        example: ["cpuShares", "1024"],
    },
    swarm: {
        schema: z.union([
            boolean,
            z.strictObject({
                constraints: z.array(z.string().max(1024).regex(CONSTRAINT)).min(1).optional(),
                memoryMiB: integer(64, 1_048_576).optional(),
                cpus: number(0.1, 1024).optional(),
            }),
        ]),
        allowed:
            "true, false, or an object {constraints: [Docker's placement constraints, such as node.labels.disk==ssd], memoryMiB: 64 or more, cpus: 0.1 or more}: limits of each replica",
        default: undefined,
        example: ["swarm", "true"],
    },
    replicas: {
        schema: integer(1, 100),
        allowed: "a whole number from 1 to 100",
        default: undefined,
        example: ["replicas", "3"],
    },
    gateway: {
        schema: boolean,
        allowed:
            "true or false; true where a team has permissions or the registry is a service of a Swarm",
        default: undefined,
        example: ["gateway", "true"],
    },
    gatewayImage: {
        schema: image,
        allowed: "an image of Caddy 2.11 or later, with a tag or a digest",
        default: "caddy:2.11.9",
        example: ["gatewayImage", "caddy:2.11.9"],
    },
    gatewayMetricsPort: {
        ...PORT,
        schema: integer(1, 65535),
        default: undefined,
        example: ["gatewayMetricsPort", "5002"],
    },
    redisImage: {
        schema: image,
        allowed: "an image of Redis 7 or later, with a tag or a digest",
        default: "redis:8.10.2-alpine",
        example: ["redisImage", "redis:8.10.2-alpine"],
    },
} satisfies Record<Exclude<SettingsKey, ObjectKey>, Key<unknown>>;

type Keys = typeof KEYS;
type Values = {
    [K in keyof Keys]:
        z.infer<Keys[K]["schema"]> | (Keys[K]["default"] extends undefined ? undefined : never);
};

/** Keys that are objects of many fields, which lib/{client,storage,mirror}-config.ts read. */
export const OBJECT_KEYS = ["clients", "ssh", "storage", "redis", "mirrors"] as const;
type ObjectKey = (typeof OBJECT_KEYS)[number];

/** All keys: those of a stack's configuration, of which the arguments of the component are the ones that make it. */
export type SettingsKey = keyof PrivateRegistryArgs | "retention";

/** Everything that a registry is made from: checked, complete, and in the form that its parts take it. */
export interface Settings<Secret = string> extends Limits, Services<Secret> {
    readonly hostname: string;
    readonly port: number;
    readonly bindAddress: string;
    readonly address?: string;
    readonly subjectAltNames: readonly string[];
    readonly subject: Subject;
    readonly keyAlgorithm: KeyAlgorithm;
    readonly authorities: readonly string[];
    readonly authorityValidityDays: number;
    readonly certificateValidityDays: number;
    readonly earlyRenewalDays: number;
    readonly teams: Readonly<Record<string, Team>>;
    readonly clients: Readonly<Record<string, ClientHost<Secret>>>;
    readonly image: string;
    readonly dockerHost: string;
    readonly containerName: string;
    /** Name of the volume that holds the images. */
    readonly dataVolume: string;
    readonly dataPath?: string;
    readonly dataRetained: boolean;
    /** A Redis of the registry's own, in the place of `redis`. */
    readonly redisServer?: RedisServerSettings;
    readonly deleteEnabled: boolean;
    readonly readOnly: boolean;
    readonly metricsPort?: number;
    /** The registry as a service of a Swarm, with replicas. Unset: it is one container. */
    readonly swarm?: SwarmSettings;
    /** A gateway in front of the registry. Unset: the registry itself has TLS and accounts. */
    readonly gateway?: GatewaySettings;
    readonly mirrors: Readonly<Record<string, Mirror<Secret>>>;
    /** Which tags `npm run retention` keeps. */
    readonly retention: readonly RetentionRule[];
    /** Names what belongs to this registry, on its Docker host and on client hosts. */
    readonly instance: string;
    /** Says on the containers' labels what they belong to. */
    readonly owner: string;
    /** How to tell somebody what to change in them. */
    readonly say: Advice;
}

/** The gateway's own settings. */
export interface GatewaySettings {
    /** Image of Caddy; by digest in production. */
    readonly image: string;
    /** Port for its Prometheus metrics on the Docker host's loopback. */
    readonly metricsPort?: number;
}

/** Where settings come from: values by key as somebody gave them, and what surrounds them. */
export interface Source extends MachineSurroundings {
    readonly values: ReadonlyMap<string, unknown>;
    /** The keys that there are. */
    readonly keys: readonly string[];
    /** What is wrong with how the values were given. */
    readonly problems: readonly ConfigProblem[];
    /** Whether the value of a key is not to be shown. */
    readonly isHidden: (key: string) => boolean;
    readonly say: Advice;
    readonly instance: string;
    readonly owner: string;
}

/** The plain keys with their defaults, for the project file and the documentation. */
export const CONFIG_KEYS: Readonly<Record<string, Key<unknown>>> = KEYS;
export const ALL_KEYS: readonly string[] = [...Object.keys(KEYS), ...OBJECT_KEYS];

/**
 * Checks what a source gives and completes it with the defaults. Throws one `pulumi.RunError` that names every problem. Secrets are
 * texts in it where they are texts in the source.
 */
export function readSource(source: Source): Settings<Late> {
    const { values: given, say, instance, owner } = source;
    const { values, problems } = readValues(given);
    const { clients, ...ofClients } = readClients(given.get("clients"), given.get("ssh"), source);
    const { services, hasOwnRedis, ...ofServices } = readServices(
        given.get("storage"),
        given.get("redis"),
    );
    const { mirrors, ...ofMirrors } = readMirrors(given.get("mirrors"));
    // What a host behind another one calls localhost is not on this machine either.
    const remoteHosts = Object.values(clients)
        .flatMap(({ login }) => [login?.jumpHost?.host, login?.host])
        .filter((host) => typeof host === "string");
    problems.push(
        ...ofClients.problems,
        ...unknownKeys(given, source.keys),
        ...source.problems,
        ...ofServices.problems,
        ...ofMirrors.problems,
        ...portProblems(values, mirrors),
        ...contradictions(values, source),
        ...swarmProblems(values, services, hasOwnRedis, instance),
        ...storageProblems(services, values),
        ...unreachable(values, remoteHosts),
    );
    if (problems.length > 0) {
        throw configError(
            problems.map((problem) => withoutSecret(problem, source)),
            say,
        );
    }
    // With no problem found, every key has its value or its default.
    const {
        gateway,
        gatewayImage,
        gatewayMetricsPort,
        redisImage,
        swarm = false,
        replicas,
        ...others
    } = values as Values;
    const { dockerHost, containerName, ...complete } = others;
    const isService = swarm !== false;
    const hasGateway = gateway ?? (isService || arePermissionsUsed(complete.teams));
    return {
        ...complete,
        ...services,
        ...(hasOwnRedis ? { redisServer: { image: redisImage } } : {}),
        mirrors,
        dockerHost: dockerHost ?? (source.dockerHost || "unix:///var/run/docker.sock"),
        containerName: containerName ?? instance,
        clients,
        swarm: isService
            ? { replicas: replicas ?? 1, ...(typeof swarm === "object" ? swarm : {}) }
            : undefined,
        gateway: hasGateway ? { image: gatewayImage, metricsPort: gatewayMetricsPort } : undefined,
        instance,
        dataVolume: `${instance}-data`,
        owner,
        say,
    };
}

/** What is kept secret is not shown. */
function withoutSecret(problem: ConfigProblem, { isHidden }: Source): ConfigProblem {
    const [key = ""] = problem.key.split(/[.[]/, 1);
    return isHidden(key) && problem.given !== undefined ? { ...problem, given: HIDDEN } : problem;
}

function readValues(given: ReadonlyMap<string, unknown>) {
    const values: Partial<Record<string, unknown>> = {};
    const problems: ConfigProblem[] = [];
    for (const [name, key] of Object.entries(CONFIG_KEYS)) {
        const value = given.get(name) ?? key.default;
        if (value === undefined) {
            continue;
        }
        const result = key.schema.safeParse(value);
        if (result.success) {
            values[name] = result.data;
            continue;
        }
        const { issues } = result.error;
        const unknown = unknownFields(issues, name);
        // A field that nobody knows may be a password.
        problems.push(
            ...unknown.map((path) => ({
                key: path,
                given: HIDDEN,
                allowed: `no such field; ${name} is ${key.allowed}`,
                fix: ({ unset }: Advice) => unset(path),
            })),
        );
        if (!areUnknownFieldsAll(issues)) {
            const mayBeSecret = unknown.length > 0 || (name === "teams" && isUnread(issues));
            problems.push({
                key: name,
                given: mayBeSecret ? HIDDEN : value,
                allowed: key.allowed,
                fix: ({ set }) => set(...key.example),
            });
        }
    }
    return { values: values as Partial<Values>, problems };
}

function unknownKeys(
    given: ReadonlyMap<string, unknown>,
    keys: readonly string[],
): ConfigProblem[] {
    return [...given]
        .filter(([name, value]) => !keys.includes(name) && value !== undefined)
        .map(([name]) => ({
            key: name,
            given: HIDDEN,
            allowed: `no such key; the keys are ${keys.join(", ")}`,
            fix: ({ unsetKey }) => unsetKey(name),
        }));
}

/** Ports of one machine that must differ. */
function portProblems(
    values: Partial<Values>,
    mirrors: Readonly<Record<string, Mirror<unknown>>>,
): ConfigProblem[] {
    const ports = [
        ...(["port", "metricsPort", "gatewayMetricsPort"] as const).flatMap(
            (key): [string, number][] => (values[key] === undefined ? [] : [[key, values[key]]]),
        ),
        ...mirrorPorts(mirrors).map(({ key, port }): [string, number] => [key, port]),
    ];
    const taken = new Set(ports.map(([, port]) => port));
    return ports.flatMap(([key, given], index) => {
        const [other] = ports.slice(0, index).find(([, port]) => port === given) ?? [];
        if (other === undefined) return [];
        let free = given === 65535 ? 5001 : given + 1;
        while (taken.has(free)) free += 1;
        return [
            {
                key,
                given,
                allowed: `a port other than \`${other}\``,
                fix: ({ set }: Advice) => set(key, String(free)),
            },
        ];
    });
}

function gatewayProblems({
    gateway,
    gatewayMetricsPort,
    teams = {},
    swarm = false,
}: Partial<Values>): ConfigProblem[] {
    const isNeeded = arePermissionsUsed(teams) || swarm !== false;
    return [
        ...(gateway === false && isNeeded
            ? [
                  {
                      key: "gateway",
                      given: gateway,
                      allowed:
                          "true, or unset, where a team has permissions or the registry is a service of a Swarm: without one there is neither",
                      fix: ({ unset }: Advice) => unset("gateway"),
                  },
              ]
            : []),
        ...(gatewayMetricsPort !== undefined && gateway !== true && !isNeeded
            ? [
                  {
                      key: "gatewayMetricsPort",
                      given: gatewayMetricsPort,
                      allowed: "set only where there is a gateway",
                      fix: ({ set }: Advice) => set("gateway", "true"),
                  },
              ]
            : []),
    ];
}

/** What a registry needs to have replicas. */
function swarmProblems(
    { swarm = false, replicas, metricsPort, containerName }: Partial<Values>,
    services: Services<unknown>,
    hasOwnRedis: boolean,
    instance: string,
): ConfigProblem[] {
    const problem = (key: string, given: unknown, allowed: string, fix: Fix) => [
        { key, given, allowed, fix },
    ];
    if (swarm === false) {
        return replicas === undefined
            ? []
            : problem(
                  "replicas",
                  replicas,
                  "set only with `swarm`: replicas are a service of a Swarm",
                  ({ set }) => set("swarm", "true"),
              );
    }
    return [
        ...serviceNameProblems(containerName, instance, services, hasOwnRedis),
        ...(services.s3 !== undefined
            ? []
            : problem(
                  "swarm",
                  swarm,
                  "set only with `storage.s3`: replicas cannot share a volume or a folder",
                  ({ set }) => set("storage.s3.bucket", "<bucket>"),
              )),
        ...(metricsPort === undefined
            ? []
            : problem(
                  "metricsPort",
                  metricsPort,
                  "unset with `swarm`: replicas publish nothing; gatewayMetricsPort has the gateway's",
                  ({ unset }) => unset("metricsPort"),
              )),
    ];
}

/** A Swarm names services as DNS does, and its secrets in 64 characters, of which the file and its hash take some. */
function serviceNameProblems(
    containerName: string | undefined,
    instance: string,
    services: Services<unknown>,
    hasOwnRedis: boolean,
): ConfigProblem[] {
    const name = containerName ?? instance;
    const files = [
        "config.yml",
        ...serviceFileNames(services),
        ...(hasOwnRedis ? Object.values(REDIS_FILES) : []),
    ];
    const longest =
        64 - "--0123456789abcdef".length - Math.max(...files.map((file) => file.length));
    return /^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$/.test(name) && name.length <= longest
        ? []
        : [
              {
                  key: "containerName",
                  given: name,
                  allowed: `with \`swarm\`, a name of letters, digits, dashes and underscores, ${longest} at most${containerName === undefined ? " (this one is made from project and stack)" : ""}`,
                  fix: ({ set }) => set("containerName", "registry"),
              },
          ];
}

/** A path that Docker leaves as it is, and that a file system can hold. */
function isFolder(text: string): boolean {
    const parts = text.split("/");
    return (
        text.startsWith("/") &&
        !text.includes(":") &&
        Buffer.byteLength(text) < 4096 &&
        parts
            .slice(1)
            .every((part) => !["", ".", ".."].includes(part) && Buffer.byteLength(part) < 256)
    );
}

/** Values that are right each by itself and cannot stand together. */
function contradictions(values: Partial<Values>, { dockerHost }: Source): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    const { authorityValidityDays, certificateValidityDays, earlyRenewalDays } = values;
    if (certificateValidityDays !== undefined && earlyRenewalDays !== undefined) {
        if (earlyRenewalDays >= certificateValidityDays) {
            problems.push({
                key: "earlyRenewalDays",
                given: earlyRenewalDays,
                allowed: `less than certificateValidityDays (${certificateValidityDays}): else every up would make a new certificate`,
                fix: ({ set }) =>
                    set("earlyRenewalDays", String(Math.floor(certificateValidityDays / 3))),
            });
        } else if (
            authorityValidityDays !== undefined &&
            authorityValidityDays <= certificateValidityDays + earlyRenewalDays
        ) {
            problems.push({
                key: "authorityValidityDays",
                given: authorityValidityDays,
                allowed: `more than certificateValidityDays + earlyRenewalDays (${certificateValidityDays + earlyRenewalDays}): an authority outlives what it signs`,
                fix: ({ set }) =>
                    set(
                        "authorityValidityDays",
                        String((certificateValidityDays + earlyRenewalDays) * 10),
                    ),
            });
        }
    }
    const users = new Map<string, string>();
    for (const [name, { accounts = [name] }] of Object.entries(values.teams ?? {})) {
        for (const user of accounts) {
            const holder = users.get(user);
            if (holder !== undefined) {
                const path = propertyPath(propertyPath("teams", name), "accounts");
                const index = accounts.indexOf(user);
                problems.push({
                    key: path,
                    given: accounts,
                    allowed: `user names that no other team has; ${user} is one of ${holder}`,
                    fix: ({ set }) => set(`${path}[${index}]`, `${user}-2`),
                });
            }
            users.set(user, name);
        }
    }
    problems.push(...gatewayProblems(values));
    problems.push(...retentionProblems(values.retention ?? [], values.deleteEnabled ?? true));
    if (values.dataPath !== undefined && values.dataRetained === false) {
        problems.push({
            key: "dataRetained",
            given: false,
            allowed: "true when dataPath is set: a folder of yours is never deleted",
            fix: ({ unset }) =>
                `${unset("dataRetained")} (and delete the folder yourself after destroy)`,
        });
    }
    if (
        values.dockerHost === undefined &&
        dockerHost &&
        parseDockerEndpoint(dockerHost) === undefined
    ) {
        problems.push({
            key: "dockerHost",
            given: dockerHost,
            allowed: `${KEYS.dockerHost.allowed} (this value is from the environment variable DOCKER_HOST)`,
            fix: ({ set }) =>
                `unset DOCKER_HOST, or ${set("dockerHost", "unix:///var/run/docker.sock")}`,
        });
    }
    return problems;
}

/** What would keep other hosts from reaching the registry, however well they were set up. */
function unreachable(
    { hostname = "", address, bindAddress = "", port, dockerHost }: Partial<Values>,
    remoteHosts: readonly string[],
): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    if (port === 443 && !/[.:]/.test(hostname) && hostname !== "localhost") {
        problems.push({
            key: "hostname",
            given: hostname,
            allowed:
                "a name with a dot when port is 443: without both, clients take it for a part of an image's name",
            fix: ({ set }) => set("hostname", "registry.example.com"),
        });
    }
    if (remoteHosts.length === 0) {
        return problems;
    }
    const endpoint = parseDockerEndpoint(dockerHost ?? "");
    const machine = endpoint === undefined ? "" : dockerMachine(endpoint);
    const areElsewhere = remoteHosts.some((host) => host !== machine && !isLoopback(host));
    for (const [key, given, right] of [
        ["hostname", hostname, "registry.example.com"],
        ["address", address, "192.0.2.10"],
        ["bindAddress", bindAddress, "0.0.0.0"],
    ] as const) {
        if (given !== undefined && isLoopback(given) && areElsewhere) {
            problems.push({
                key,
                given,
                allowed:
                    "one that means the registry on the client hosts too: each has a localhost of its own",
                fix: ({ set }) => set(key, right),
            });
        }
    }
    return problems;
}
