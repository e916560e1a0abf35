import { z } from "zod";
import { isLoopback, isServiceUrl, parseHostAndPort } from "./address";
import type { Advice } from "./advice";
import { type ConfigProblem, HIDDEN } from "./config-problems";
import type { Late } from "./late";
import { type Field, isObject, PEM_FIELD, readFields, requireField } from "./object-fields";
import { boolean, integer } from "./scalars";

/** A bucket that holds the images instead of a volume or folder. */
export interface S3Storage<Secret = string> {
    readonly bucket: string;
    readonly region: string;
    /** Address of a service other than Amazon's: scheme, host, port. */
    readonly endpoint?: string;
    /** Whether the bucket stands in the path and not in the host's name. */
    readonly forcePathStyle: boolean;
    /** In front of every key, without slashes at its ends; may be empty. */
    readonly rootDirectory: string;
    /** Secret. */
    readonly accessKey: Secret;
    /** Secret. */
    readonly secretKey: Secret;
    /** Whether the service is asked to encrypt what it keeps. */
    readonly encrypt: boolean;
    /** Whether clients are sent to the bucket for the bytes of a layer. */
    readonly redirect: boolean;
    /** Certificates of the authorities to trust with the endpoint, PEM. */
    readonly caCertificate?: string;
}

/** A Redis database that remembers what is known of blobs. Nothing else may be in it. */
export interface RedisCache<Secret = string> {
    readonly host: string;
    readonly port: number;
    readonly username?: string;
    /** Secret. */
    readonly password?: Secret;
    readonly db: number;
    /** Certificates of the authorities to trust, PEM. With it the connection is TLS. */
    readonly caCertificate?: string;
}

/** A Redis that is made for the registry. */
export interface RedisServerSettings {
    /** Image of Redis; by digest in production. */
    readonly image: string;
}

/** Where images lie, when not in a volume or folder, and what remembers their blobs, when not the registry itself. */
export interface Services<Secret = string> {
    readonly s3?: S3Storage<Secret>;
    readonly redis?: RedisCache<Secret>;
}

const trueOrFalse = { schema: boolean, allowed: "true or false", example: "true" };
const secret = z.string().regex(/^[\x21-\x7e]{1,512}$/);
export const S3_FIELDS = {
    bucket: {
        schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
        allowed: "the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes",
        example: "registry-images",
    },
    region: {
        schema: z.string().regex(/^[a-z0-9-]{1,64}$/),
        allowed: "the bucket's region; us-east-1 where a service knows none",
        example: "us-east-1",
    },
    endpoint: {
        schema: z.string().refine(isServiceUrl),
        allowed:
            "https://host[:port], or http:// where the network is trusted; not a loopback address: the registry's container would find only itself there",
        example: "https://s3.example.com",
    },
    forcePathStyle: trueOrFalse,
    rootDirectory: {
        schema: z
            .string()
            .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/)
            .refine((text) => !text.split("/").some((part) => /^\.+$/.test(part))),
        allowed:
            "folders with a slash in between, of letters, digits, dots, dashes and underscores",
        example: "registry",
    },
    accessKey: {
        schema: secret,
        allowed: "the id of an access key",
        example: "",
        isSecret: true,
        isLate: true,
    },
    secretKey: {
        schema: secret,
        allowed: "the secret of that key",
        example: "",
        isSecret: true,
        isLate: true,
    },
    encrypt: trueOrFalse,
    redirect: trueOrFalse,
    caCertificate: PEM_FIELD,
} satisfies Record<string, Field>;

export const REDIS_FIELDS = {
    address: {
        schema: z.string().refine((text) => parseAddress(text) !== undefined),
        allowed:
            "host:port, as the registry's container reaches it; not a loopback address: there is only the container itself",
        example: "redis.example.com:6379",
    },
    username: {
        schema: z.string().regex(/^[\x21-\x7e]{1,128}$/),
        allowed: "the name of a Redis user",
        example: "registry",
    },
    password: {
        schema: secret,
        allowed: "the password of Redis",
        example: "",
        isSecret: true,
        isLate: true,
    },
    db: {
        schema: integer(0, 65535),
        allowed: "the number of a database that nothing else uses",
        example: "0",
    },
    caCertificate: PEM_FIELD,
} satisfies Record<string, Field>;

type Partials<T> = { [K in keyof T]?: T[K] };
type RedisFields = Partials<Omit<RedisCache<Late>, "host" | "port">> & {
    readonly address?: string;
};

/** What to call a bucket in a message. */
export function bucketName({ bucket, endpoint, region }: S3Storage<unknown>): string {
    return `the bucket ${bucket} at ${endpoint ?? `Amazon's S3 in ${region}`}`;
}

/** Reads `storage` and `redis` as they stand in the stack's configuration. */
export function readServices(
    storage: unknown,
    redis: unknown,
): {
    readonly services: Services<Late>;
    /** Whether the registry is to have a Redis of its own. */
    readonly hasOwnRedis: boolean;
    readonly problems: ConfigProblem[];
} {
    const problems: ConfigProblem[] = [];
    const own = boolean.safeParse(redis);
    const services: Services<Late> = {
        ...(storage === undefined ? {} : { s3: readS3(storage, problems) }),
        ...(redis === undefined || own.success ? {} : { redis: readRedis(redis, problems) }),
    };
    return { services, hasOwnRedis: own.data === true, problems };
}

function readS3(storage: unknown, problems: ConfigProblem[]): S3Storage<Late> | undefined {
    if (!isObject(storage) || Object.keys(storage).join() !== "s3") {
        problems.push({
            key: "storage",
            given: HIDDEN,
            allowed: "an object with the field s3",
            fix: ({ set }) => set("storage.s3.bucket", "registry-images"),
        });
        return undefined;
    }
    const given: Partials<S3Storage<Late>> = readFields(
        "storage.s3",
        storage.s3,
        S3_FIELDS,
        problems,
    );
    for (const name of ["bucket", "region", "accessKey", "secretKey"] as const) {
        requireField("storage.s3", name, given[name], S3_FIELDS[name], problems);
    }
    const { endpoint, bucket = "", region = "", accessKey = "", secretKey = "" } = given;
    return {
        forcePathStyle: endpoint !== undefined,
        rootDirectory: "",
        encrypt: false,
        redirect: false,
        ...given,
        ...{ bucket, region, accessKey, secretKey },
    };
}

function readRedis(redis: unknown, problems: ConfigProblem[]): RedisCache<Late> | undefined {
    if (!isObject(redis)) {
        problems.push({
            key: "redis",
            given: HIDDEN,
            allowed: `true for one of the registry's own, false, or an object with the fields ${Object.keys(REDIS_FIELDS).join(", ")}`,
            fix: ({ set }) => set("redis", "true"),
        });
        return undefined;
    }
    const given: RedisFields = readFields("redis", redis, REDIS_FIELDS, problems);
    requireField("redis", "address", given.address, REDIS_FIELDS.address, problems);
    const { address = "", db = 0, ...rest } = given;
    if (rest.username !== undefined && rest.password === undefined) {
        requireField("redis", "password", undefined, REDIS_FIELDS.password, problems);
    }
    const place = parseAddress(address);
    return place === undefined ? undefined : { ...place, db, ...rest };
}

/** What cannot stand beside a bucket. */
export function storageProblems(
    { s3 }: Services<unknown>,
    { dataPath, dataRetained }: { readonly dataPath?: string; readonly dataRetained?: boolean },
): ConfigProblem[] {
    if (s3 === undefined) return [];
    return [
        ...(dataPath === undefined
            ? []
            : [
                  {
                      key: "dataPath",
                      given: dataPath,
                      allowed:
                          "nothing beside storage.s3: the images lie in the bucket. The folder stays as it is",
                      fix: ({ unset }: Advice) => unset("dataPath"),
                  },
              ]),
        ...(dataRetained === false
            ? [
                  {
                      key: "dataRetained",
                      given: false,
                      allowed:
                          "true beside storage.s3: a bucket of yours is never emptied; delete it yourself after destroy",
                      fix: ({ unset }: Advice) => unset("dataRetained"),
                  },
              ]
            : []),
    ];
}

function parseAddress(text: string): { readonly host: string; readonly port: number } | undefined {
    const { host = "", port } = parseHostAndPort(text) ?? {};
    return port === undefined || isLoopback(host) ? undefined : { host, port };
}
