import { posix } from "node:path";
import { parse } from "yaml";
import type { Settings } from "../../lib/settings";
import { ACCESS, accessConfig } from "../../lib/access-config";
import { registryName } from "../../lib/address";
import { gatewayConfig } from "../../lib/gateway-config";
import { htpasswdText } from "../../lib/htpasswd";
import { arePermissionsUsed } from "../../lib/permissions";
import { registryConfig, serviceFiles } from "../../lib/registry-config";

const HASH = `$2b$05$${"a".repeat(53)}`;

/** What does not stand where it should, or more than should, in the files that settings come to. */
export function misplaced(settings: Settings): string[] {
    return [
        ...registryFile(settings),
        ...mirrorFiles(settings),
        ...accountFiles(settings),
        ...serviceLines(settings),
        ...clientPlaces(settings),
    ];
}

/** Go's YAML is that of version 1.1: what it reads has to be what was meant. */
function registryFile({ s3, redis, gateway, swarm, ...settings }: Settings): string[] {
    const direct = gateway === undefined ? "directly" : "on-socket";
    const render = (services: Pick<Settings, "s3" | "redis">) =>
        registryConfig({
            ...settings,
            ...services,
            httpSecret: "secret",
            metricsPublished: settings.metricsPort !== undefined,
            listens: swarm === undefined ? direct : "to-gateway",
        });
    const read = parse(render({ s3, redis }), { version: "1.1" }) as {
        readonly storage: { readonly s3?: Record<string, unknown> };
        readonly redis?: Record<string, unknown>;
    };
    const problems: string[] = [];
    const want = (what: string, is: unknown, should: unknown) => {
        if (is !== should) problems.push(`${what}: ${JSON.stringify(is)}`);
    };
    if (s3 !== undefined) {
        const driver = read.storage.s3 ?? {};
        want("bucket", driver.bucket, s3.bucket);
        want("region", driver.region, s3.region);
        want("endpoint", driver.regionendpoint, s3.endpoint);
        want("accesskey", driver.accesskey, s3.accessKey);
        want("secretkey", driver.secretkey, s3.secretKey);
        want(
            "keys of s3",
            Object.keys(driver).length,
            s3.endpoint === undefined
                ? s3.rootDirectory === ""
                    ? 6
                    : 7
                : s3.rootDirectory === ""
                  ? 7
                  : 8,
        );
    }
    if (redis !== undefined) {
        want("username", read.redis?.username, redis.username);
        want("password", read.redis?.password, redis.password);
        want("db", read.redis?.db, redis.db);
        want("addresses", (read.redis?.addrs as unknown[]).length, 1);
    }
    want(
        "sections",
        Object.keys(read).sort().join(),
        [
            "version",
            "log",
            "storage",
            "http",
            "health",
            ...(direct === "directly" && swarm === undefined ? ["auth"] : []),
            ...(redis === undefined ? [] : ["redis"]),
        ]
            .sort()
            .join(),
    );
    return problems;
}

/** What each mirror's registry reads, and what its program prints: the login as it was given. */
function mirrorFiles({ mirrors }: Settings): string[] {
    return Object.values(mirrors).flatMap(({ upstream, anonymous }) => {
        const text = registryConfig({
            httpSecret: "secret",
            deleteEnabled: false,
            readOnly: false,
            metricsPublished: false,
            listens: anonymous ? "openly" : "directly",
            upstream,
        });
        const { proxy } = parse(text, { version: "1.1" }) as {
            readonly proxy: Record<string, unknown>;
        };
        const files = serviceFiles({ upstream });
        const { username = "", password = "" } = upstream.credentials ?? {};
        const is = [proxy.remoteurl, proxy.ttl, files["upstream-credentials.json"]];
        const should = [
            upstream.url,
            upstream.ttl,
            `${JSON.stringify({ Username: username, Secret: password })}\n`,
        ];
        return JSON.stringify(is) === JSON.stringify(should) ? [] : [`mirror: ${text}`];
    });
}

/** One line and one account for each user name, and nothing that Caddy would replace by something else. */
function accountFiles({ teams, gateway, swarm, containerName }: Settings): string[] {
    const names = Object.entries(teams).flatMap(([name, { accounts = [name] }]) => accounts);
    const accounts = names.map((username) => ({ username, hash: HASH }));
    const problems: string[] = [];
    const lines = htpasswdText(accounts).split("\n").slice(0, -1);
    const users = lines.map((line) => /^([^:\s#]+):\$2b\$05\$[./A-Za-z0-9]{53}$/.exec(line)?.[1]);
    if (users.sort().join("\n") !== [...names].sort().join("\n"))
        problems.push(`htpasswd: ${lines.join("|")}`);
    if (gateway === undefined) return problems;
    const access = arePermissionsUsed(teams)
        ? Object.entries(teams).map(([name, team]) => ({
              ...team,
              accounts: team.accounts ?? [name],
          }))
        : undefined;
    const text = accessConfig({ accounts, teams: access });
    const service = swarm === undefined ? undefined : containerName;
    const gatewayText = gatewayConfig({
        service,
        metricsPublished: gateway.metricsPort !== undefined,
    });
    for (const [name, json] of [
        ["access", text],
        ["gateway", gatewayText],
    ] as const) {
        const values = strings(JSON.parse(json)).filter((value) => !value.startsWith('{"errors"'));
        for (const value of values) {
            const rest = value
                .replaceAll(/\{(?:http|time)\.[A-Za-z0-9._-]+\}/g, "")
                .replaceAll(/\{32,\}|\{0,\d+\}/g, "");
            if (/[{}]/.test(rest)) problems.push(`${name}: ${value}`);
            if (value.startsWith("^/v2/")) new RegExp(value);
        }
    }
    if (!text.includes(ACCESS.socket)) problems.push("access: no socket");
    return problems;
}

function strings(value: unknown): string[] {
    if (typeof value === "string") return [value];
    return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}

/** What the registry's shell reads: one line of two words, and commands of just the lengths that they say. */
function serviceLines(settings: Settings): string[] {
    const files = serviceFiles(settings);
    const problems: string[] = [];
    const address = files["redis-address"];
    if (address !== undefined && !/^[0-9a-z.:-]+ \d+\n$/.test(address))
        problems.push(`redis-address: ${address}`);
    const forget = files["redis-forget"];
    if (forget !== undefined) {
        const { username, password, db } = settings.redis ?? {};
        const login =
            password === undefined
                ? []
                : [["AUTH", ...(username === undefined ? [] : [username]), password]];
        const commands = [...login, ["SELECT", String(db)], ["FLUSHDB"], ["QUIT"]];
        if (JSON.stringify(readResp(forget)) !== JSON.stringify(commands))
            problems.push("redis-forget");
    }
    return problems;
}

/** Redis' own way of reading: by lengths in bytes. */
function readResp(text: string): string[][] {
    const bytes = Buffer.from(text);
    const commands: string[][] = [];
    let at = 0;
    const line = () => {
        const end = bytes.indexOf("\r\n", at);
        const found = bytes.toString("utf8", at, end);
        at = end + 2;
        return found;
    };
    while (at < bytes.length) {
        const words = Number(line().slice(1));
        commands.push(
            Array.from({ length: words }, () => {
                const length = Number(line().slice(1));
                const word = bytes.toString("utf8", at, at + length);
                at += length + 2;
                return word;
            }),
        );
    }
    return commands;
}

/** A folder of its own in certs.d, a line of two words in /etc/hosts, an address that a client can parse. */
function clientPlaces({ hostname, port, address }: Settings): string[] {
    const registry = registryName(hostname, port);
    const folder = posix.join("/etc/docker/certs.d", registry, "ca.crt");
    const problems: string[] = [];
    if (!/^\/etc\/docker\/certs\.d\/[A-Za-z0-9.:[\]-]{1,220}\/ca\.crt$/.test(folder))
        problems.push(folder);
    if (!URL.canParse(`https://${registry}/v2/`)) problems.push(`no address: ${registry}`);
    const line = `${address ?? "192.0.2.1"} ${hostname}`;
    if (!/^[0-9a-fA-F.:]+ [a-zA-Z0-9.:-]+$/.test(line)) problems.push(`/etc/hosts: ${line}`);
    return problems;
}
