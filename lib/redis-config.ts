import type { RedisCache } from "./storage-config";

/** A Redis of the registry's own. */
export const REDIS = {
    port: 6379,
    /** Its name on a network that only the two are on. */
    alias: "redis",
    settings: "/etc/private-registry",
} as const;

/** Names of its settings. */
export const REDIS_FILES = {
    config: "redis.conf",
    /** For its health check, and for people who look inside. */
    password: "redis-password",
    certificate: "redis.crt",
    privateKey: "redis.key",
} as const;

/** What it remembers at most: some 70,000 blobs, of 900 bytes each. With what it needs besides it stays below the least `memoryMiB`. Unit: MiB. */
const REMEMBERED_MIB = 64;
/** Unit: MiB. */
export const REDIS_MEMORY_MIB = 128;

/** Where the registry finds it; everything but what is only known when it is made. */
export function redisPlace(host: string): RedisCache {
    return { host, port: REDIS.port, db: 0 };
}

/**
 * Its whole configuration. It writes nothing to a disk, forgets what was not asked for longest, and lets the one account do what
 * the registry does: read, write, and empty it.
 *
 * @param passwordHash SHA-256 of the password, hex: what is wrong in a configuration stands in the log
 * @param isEncrypted whether it is reached by TLS, and in no other way
 * @see https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
 */
export function redisConfig(passwordHash: string, isEncrypted: boolean): string {
    const file = (name: string) => `${REDIS.settings}/${name}`;
    return [
        ...(isEncrypted
            ? [
                  "port 0",
                  `tls-port ${REDIS.port}`,
                  `tls-cert-file ${file(REDIS_FILES.certificate)}`,
                  `tls-key-file ${file(REDIS_FILES.privateKey)}`,
                  "tls-auth-clients no",
              ]
            : [`port ${REDIS.port}`]),
        `user default reset on #${passwordHash} ~* -@all +@read +@write +@connection +@transaction -@dangerous +flushdb +info`,
        `maxmemory ${REMEMBERED_MIB}mb`,
        "maxmemory-policy allkeys-lru",
        'save ""',
        "appendonly no",
        "dir /tmp",
        "",
    ].join("\n");
}

/** What its health check runs: the question is answered, with the login. Whoever lists processes does not see the password. */
export function redisHealthTest(isEncrypted: boolean): string[] {
    const tls = isEncrypted ? ` --tls --cacert ${REDIS.settings}/${REDIS_FILES.certificate}` : "";
    return [
        "CMD-SHELL",
        `REDISCLI_AUTH=$(cat ${REDIS.settings}/${REDIS_FILES.password}) redis-cli${tls} ping | grep -q PONG`,
    ];
}
