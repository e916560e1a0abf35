import {
    type Json,
    type JsonObject,
    ERROR_LOG,
    fits,
    HEADER_BYTES,
    HEALTH,
    isOneOf,
    plainServer,
    refusal,
    type Route,
} from "./caddy";
import type { HashedAccount } from "./htpasswd";
import {
    allowedMount,
    allowedRequests,
    CATALOG_ADDRESS,
    DIGEST_ADDRESS,
    REPOSITORY_ADDRESS,
    type RequestRule,
    START_ADDRESS,
    type TeamAccess,
} from "./permissions";
import { REALM } from "./registry-config";

/** Where things lie inside the container that knows the accounts. */
export const ACCESS = {
    config: "/settings/access.json",
    /** Folder of the socket that answers the gateway. */
    sockets: "/run/access",
    socket: "/run/access/access.sock",
    /** Folder of the socket that takes a new configuration. */
    control: "/run/control",
    controlSocket: "/run/control/control.sock",
    /** Health. Its container has no network but its own loopback. */
    localPort: 5001,
} as const;

/** What the gateway tells of a request. */
export const ASKED = { method: "X-Forwarded-Method", address: "X-Forwarded-Uri" } as const;
/** What it is told about one that may go on. */
export const ANSWERED = { user: "Remote-User", mount: "Mount" } as const;
/** The value of `Mount` for an upload that has to bring its bytes. */
export const NO_MOUNT = "no";

export interface AccessConfigArgs {
    readonly accounts: readonly HashedAccount[];
    /** Teams with their permissions; without it every account may do everything. */
    readonly teams?: readonly TeamAccess[];
}

const METHOD = `{http.request.header.${ASKED.method}}`;
const ADDRESS = `{http.request.header.${ASKED.address}}`;
const AUTHORIZATION = "{http.request.header.Authorization}";
const USER = "{http.auth.user.id}";

/**
 * Who may do what: a Caddy that the gateway asks about each request, and that answers 200, 401 or 403. It
 * stands by itself so that it can be given other accounts while requests run: of a question that is lost in such a
 * moment the gateway asks again. Holds the accounts' hashes.
 */
export function accessConfig({ accounts, teams }: AccessConfigArgs): string {
    const config = {
        admin: { listen: `unix/${ACCESS.controlSocket}|0600`, config: { persist: false } },
        logging: { logs: { default: ERROR_LOG } },
        apps: {
            http: {
                servers: {
                    access: {
                        ...plainServer(`unix/${ACCESS.socket}|0600`, [
                            ...unknownNames(accounts),
                            { handle: [authentication(accounts)] },
                            ...(teams === undefined ? [] : permissionRoutes(teams)),
                            { handle: [granted()] },
                        ]),
                        // All that the gateway takes, and the address once more.
                        max_header_bytes: 2 * HEADER_BYTES,
                        errors: {
                            routes: [
                                {
                                    match: [isOneOf("{http.error.status_code}", ["401"])],
                                    handle: [
                                        refusal(401, "UNAUTHORIZED", "authentication required"),
                                    ],
                                },
                            ],
                        },
                    },
                    local: plainServer(`127.0.0.1:${ACCESS.localPort}`, [HEALTH]),
                },
            },
        },
    };
    return `${JSON.stringify(config, null, 1)}\n`;
}

/** The user name of nobody: no team can have it, since names are in lower case. */
const NOBODY = "Nobody";
/** With a beginning of the password, so that base64 of what follows stands by itself. */
const NOBODY_BASIC = Buffer.from(`${NOBODY}:  `).toString("base64");
/** A hash of cost 5 that no password has: its salt and its sum are zero. */
const NOBODY_HASH = `$2b$05$${".".repeat(53)}`;

/**
 * Caddy checks the password of a name that it does not know against a hash of cost 14: a second of work for whoever
 * asks, and for whoever measures a sign that there is no such name. So such a request goes on as one of an account that
 * nobody has, whose hash costs as much as the others', with a password that is never the same and so in no cache.
 */
function unknownNames(accounts: readonly HashedAccount[]): Route[] {
    const known = accounts.map(({ username }) => basicPrefix(username)).join("|");
    const isKnown = fits(AUTHORIZATION, `(?i:^basic )(?:${known})[A-Za-z0-9+/]*=*$`);
    const set = { Authorization: [`Basic ${NOBODY_BASIC}{time.now.unix_ms}AAA`] };
    return [
        {
            match: [{ not: [fits(AUTHORIZATION, "^$"), isKnown] }],
            handle: [{ handler: "headers", request: { set } }],
        },
    ];
}

/** How `user:` begins in base64, as a regular expression: its last character also has bits of what follows. */
export function basicPrefix(username: string): string {
    const bytes = Buffer.from(`${username}:`);
    const rest = bytes.subarray(bytes.length - (bytes.length % 3));
    const whole = escape(bytes.subarray(0, bytes.length - rest.length).toString("base64"));
    if (rest.length === 0) {
        return whole;
    }
    const next = Array.from({ length: 256 }, (_, byte) =>
        Buffer.from([...rest, byte, 0])
            .toString("base64")
            .slice(0, rest.length + 1),
    );
    return `${whole}(?:${[...new Set(next)].map(escape).join("|")})`;
}

function authentication(accounts: readonly HashedAccount[]): Json {
    const nobody = { username: NOBODY, hash: NOBODY_HASH };
    return {
        handler: "authentication",
        providers: {
            http_basic: {
                realm: REALM,
                hash: { algorithm: "bcrypt" },
                // A right password is hashed once, and then looked up.
                hash_cache: {},
                accounts: [...accounts, nobody].map(({ username, hash }) => ({
                    username,
                    password: hash,
                })),
            },
        },
    };
}

function granted(): JsonObject {
    return {
        handler: "static_response",
        status_code: 200,
        headers: { [ANSWERED.user]: [USER] },
    };
}

/** After these only what is permitted goes on. */
function permissionRoutes(teams: readonly TeamAccess[]): Route[] {
    const others = teams.filter(({ admin }) => admin !== true);
    return [
        {
            // A mistake in a digest is the client's, and is called by its name.
            match: [{ ...fits(ADDRESS, DIGEST_ADDRESS), not: [fits(ADDRESS, REPOSITORY_ADDRESS)] }],
            handle: [refusal(400, "DIGEST_INVALID", "what the address names is not a digest")],
            terminal: true,
        },
        {
            // An address with two readings is nobody's, so that nobody is asked for it in another's name.
            match: [
                {
                    not: [START_ADDRESS, CATALOG_ADDRESS, REPOSITORY_ADDRESS].map((pattern) =>
                        fits(ADDRESS, pattern),
                    ),
                },
            ],
            handle: [refusal(404, "NOT_FOUND", "the registry's API has no such address")],
            terminal: true,
        },
        ...others.map((team) => ({
            match: [isOneOf(USER, team.accounts)],
            handle: [{ handler: "subroute", routes: teamRoutes(team) }],
        })),
        {
            // Whoever is in no team at all.
            match: [
                {
                    not: [
                        isOneOf(
                            USER,
                            teams.flatMap(({ accounts }) => accounts),
                        ),
                    ],
                },
            ],
            handle: [denied()],
            terminal: true,
        },
    ];
}

function teamRoutes(team: TeamAccess): Route[] {
    const mount = allowedMount(team);
    const isUpload = isOneOf(METHOD, ["POST"]);
    return [
        {
            match: [{ not: allowedRequests(team).map(isRequest) }],
            handle: [denied()],
            terminal: true,
        },
        {
            match: [{ ...isUpload, ...(mount === undefined ? {} : { not: [isRequest(mount)] }) }],
            handle: [{ handler: "headers", response: { set: { [ANSWERED.mount]: [NO_MOUNT] } } }],
        },
    ];
}

function isRequest({ methods, address }: RequestRule): JsonObject {
    return { ...isOneOf(METHOD, methods), ...fits(ADDRESS, address) };
}

function denied(): JsonObject {
    return refusal(403, "DENIED", "the permissions of this account's team do not allow this");
}

const escape = (text: string) => text.replace(/[+/]/g, "\\$&");
