import { isIP } from "node:net";
import { z } from "zod";
import type { ClientHost, SshLogin } from "../components/client-trust";
import type { ConfigProblem } from "./config-problems";
import { isHostName, NAME } from "./names";
import { type Target, TARGETS } from "./trust-script";

/** What the program's surroundings offer for logging in. */
export interface LoginSurroundings {
    /** Value of the environment variable SSH_AUTH_SOCK. */
    readonly sshAgent: string | undefined;
    /** The user's home folder. */
    readonly home: string;
    /** Text of a file, its path relative to the project; throws when it cannot be read. */
    readonly readFile: (path: string) => string;
}

interface Field {
    readonly schema: z.ZodType;
    readonly allowed: string;
    readonly example: string;
    /** Its value is never shown. */
    readonly isSecret?: true;
}

const boolean = z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean(),
);
const trueOrFalse = { schema: boolean, allowed: "true or false" };
const host = z.string().refine((text) => isIP(text) !== 0 || isHostName(text.toLowerCase()));
const HOST_KEY =
    /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/]+=*( [^\n]*)?$/;

const LOGIN_FIELDS = {
    user: {
        schema: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.@-]{0,63}$/),
        allowed: "a user name",
        example: "root",
    },
    port: {
        schema: z.preprocess(
            (value) => (typeof value === "string" && /^\d{1,5}$/.test(value) ? +value : value),
            z.int().min(1).max(65535),
        ),
        allowed: "a whole number from 1 to 65535",
        example: "22",
    },
    privateKeyPath: {
        schema: z.string().min(1),
        allowed: "the path of a private key",
        example: "~/.ssh/id_ed25519",
    },
    privateKey: {
        schema: z.string().regex(/^-----BEGIN [A-Z ]*PRIVATE KEY-----\s/),
        allowed: "a private key, PEM",
        example: "< ~/.ssh/id_ed25519",
        isSecret: true,
    },
    privateKeyPassword: {
        schema: z.string().min(1),
        allowed: "the passphrase of the private key",
        example: "",
        isSecret: true,
    },
    password: {
        schema: z.string().min(1),
        allowed: "the user's password",
        example: "",
        isSecret: true,
    },
    agent: {
        ...trueOrFalse,
        allowed: "true or false: whether to log in with the keys of the SSH agent",
        example: "true",
    },
    hostKeyChecked: {
        ...trueOrFalse,
        allowed: "true or false: false lets hosts without a hostKey pass, with a warning for each",
        example: "true",
    },
} satisfies Record<string, Field>;

const HOST_FIELDS = {
    host: {
        schema: host,
        allowed: "the name or address of the host",
        example: "192.0.2.21",
    },
    hostKey: {
        schema: z.string().regex(HOST_KEY),
        allowed:
            "the host's public key, ed25519 or ecdsa, as in `ssh-ed25519 AAAA…`; an rsa key is refused by the servers of today",
        example: "'ssh-ed25519 AAAA…' (npm run host-keys prints it)",
    },
} satisfies Record<string, Field>;

const JUMP_FIELDS: Readonly<Record<string, Field>> = { ...HOST_FIELDS, ...LOGIN_FIELDS };
const SSH_FIELDS: Readonly<Record<string, Field>> = {
    ...LOGIN_FIELDS,
    jumpHost: {
        schema: z.record(z.string(), z.unknown()),
        allowed: "an object {host, hostKey, …} with the fields of ssh",
        example: "",
    },
};
const CLIENT_FIELDS: Readonly<Record<string, Field>> = {
    ...HOST_FIELDS,
    ...SSH_FIELDS,
    sudo: { ...trueOrFalse, example: "true" },
    local: {
        ...trueOrFalse,
        allowed: "true or false: true for the machine that runs Pulumi",
        example: "true",
    },
    targets: {
        schema: z
            .array(z.enum(TARGETS))
            .min(1)
            .refine((targets) => new Set(targets).size === targets.length),
        allowed: `a list of ${TARGETS.join(", ")}; found stands for what the host has of the four that follow it`,
        example: "found",
    },
};

/** What a client or the defaults hold, once each field is known to be right. */
interface LoginFields {
    readonly user?: string;
    readonly port?: number;
    readonly privateKeyPath?: string;
    readonly privateKey?: string;
    readonly privateKeyPassword?: string;
    readonly password?: string;
    readonly agent?: boolean;
    readonly hostKeyChecked?: boolean;
    readonly host?: string;
    readonly hostKey?: string;
    readonly jumpHost?: LoginFields;
}
interface ClientFields extends LoginFields {
    readonly sudo?: boolean;
    readonly local?: boolean;
    readonly targets?: readonly Target[];
}

type Credentials = Partial<
    Pick<SshLogin, "privateKey" | "privateKeyPassword" | "password" | "agentSocket">
>;

/** What `clients` and `ssh` come to: the hosts, or what is wrong with them. */
export interface ClientConfig {
    readonly clients: Record<string, ClientHost>;
    readonly problems: ConfigProblem[];
}

/** Fields that say with what to log in: a client that has one of them takes none from `ssh`. */
const CREDENTIALS = [
    "privateKeyPath",
    "privateKey",
    "privateKeyPassword",
    "password",
    "agent",
] as const;
const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** Reads the client hosts and the defaults of their logins, as they stand in the stack's configuration. */
export function readClients(
    clients: unknown,
    ssh: unknown,
    surroundings: LoginSurroundings,
): ClientConfig {
    const reader = new Reader(surroundings);
    const defaults = reader.loginDefaults(ssh);
    const hosts = reader.clients(clients, defaults);
    return { clients: hosts, problems: reader.problems };
}

class Reader {
    public readonly problems: ConfigProblem[] = [];

    public constructor(private readonly surroundings: LoginSurroundings) {}

    public loginDefaults(ssh: unknown): LoginFields {
        const fields = this.object("ssh", ssh ?? {}, SSH_FIELDS);
        return this.withJumpHost("ssh", fields);
    }

    public clients(clients: unknown, defaults: LoginFields): Record<string, ClientHost> {
        if (!isObject(clients ?? {})) {
            this.refuse("clients", clients, "an object {name: {host, …}}", "clients.build1.host");
            return {};
        }
        const hosts: [string, ClientHost][] = [];
        for (const [key, value] of Object.entries(clients ?? {})) {
            const path = `clients.${key}`;
            if (!NAME.test(key)) {
                this.problems.push({
                    key: "clients",
                    given: key,
                    allowed:
                        "names of lower-case letters, digits, dots, dashes and underscores, 64 at most",
                    fix: "give it such a name in the stack's configuration file",
                });
                continue;
            }
            const found = this.problems.length;
            const fields: ClientFields = this.withJumpHost(
                path,
                this.object(path, value ?? {}, CLIENT_FIELDS),
            );
            const { local = false, sudo = true, targets = ["found"] } = fields;
            const login = local ? undefined : this.login(path, fields, defaults);
            if (local) this.refuseLoginOfLocal(path, fields);
            if (this.problems.length === found) hosts.push([key, { login, sudo, targets }]);
        }
        return Object.fromEntries(hosts);
    }

    /** Checks an object field by field, so that each problem is named by its path. */
    private object(
        path: string,
        value: unknown,
        fields: Readonly<Record<string, Field>>,
    ): ClientFields {
        if (!isObject(value)) {
            this.problems.push({
                key: path,
                given: HIDDEN,
                allowed: `an object with the fields ${Object.keys(fields).join(", ")}`,
                fix: `pulumi config rm --path ${path}`,
            });
            return {};
        }
        const right: [string, unknown][] = [];
        for (const [name, given] of Object.entries(value)) {
            const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
            if (field === undefined) {
                this.problems.push({
                    key: `${path}.${name}`,
                    given: HIDDEN,
                    allowed: `no such field; the fields are ${Object.keys(fields).join(", ")}`,
                    fix: `pulumi config rm --path ${path}.${name}`,
                });
                continue;
            }
            const result = field.schema.safeParse(given);
            if (result.success) {
                right.push([name, result.data]);
            } else {
                this.refuseField(`${path}.${name}`, given, field);
            }
        }
        return Object.fromEntries(right);
    }

    private refuseField(path: string, given: unknown, field: Field): void {
        this.problems.push({
            key: path,
            given: field.isSecret === true ? HIDDEN : given,
            allowed: field.allowed,
            fix: `pulumi config set ${field.isSecret === true ? "--secret " : ""}--path ${path} ${field.example}`.trimEnd(),
        });
    }

    private refuse(key: string, given: unknown, allowed: string, example: string): void {
        this.problems.push({
            key,
            given,
            allowed,
            fix: `pulumi config set --path ${example} 192.0.2.21`,
        });
    }

    private withJumpHost(path: string, fields: ClientFields): ClientFields {
        return fields.jumpHost === undefined
            ? fields
            : {
                  ...fields,
                  jumpHost: this.object(`${path}.jumpHost`, fields.jumpHost, JUMP_FIELDS),
              };
    }

    private refuseLoginOfLocal(path: string, fields: ClientFields): void {
        const ofLocal = ["local", "sudo", "targets"];
        for (const name of Object.keys(fields).filter((key) => !ofLocal.includes(key))) {
            this.problems.push({
                key: `${path}.${name}`,
                given: HIDDEN,
                allowed: "nothing, where local is true: this machine is not logged in to",
                fix: `pulumi config rm --path ${path}.${name}`,
            });
        }
    }

    private login(path: string, fields: LoginFields, defaults: LoginFields): SshLogin | undefined {
        const merged = merge(fields, defaults);
        const jump = merged.jumpHost;
        const jumpPath = `${fields.jumpHost === undefined ? "ssh" : path}.jumpHost`;
        const jumpHost =
            jump === undefined
                ? undefined
                : this.endpoint(jumpPath, merge(jump, { ...merged, port: undefined }));
        const own = this.endpoint(path, merged);
        return own === undefined || (jump !== undefined && jumpHost === undefined)
            ? undefined
            : { ...own, jumpHost };
    }

    private endpoint(path: string, fields: LoginFields): SshLogin | undefined {
        const { host, hostKey, hostKeyChecked = true, user = "root", port = 22 } = fields;
        if (host === undefined) {
            this.missing(`${path}.host`, HOST_FIELDS.host);
            return undefined;
        }
        if (hostKey === undefined && hostKeyChecked) {
            this.problems.push({
                key: `${path}.hostKey`,
                given: undefined,
                allowed: HOST_FIELDS.hostKey.allowed,
                fix: "npm run host-keys shows the keys to compare and to set; without any check: pulumi config set --path ssh.hostKeyChecked false",
            });
        }
        const credentials = this.credentials(path, fields);
        if (credentials === undefined) {
            return undefined;
        }
        return { host, port, user, hostKey, ...credentials };
    }

    private missing(path: string, field: Field): void {
        if (!this.problems.some(({ key }) => key === path || path.startsWith(`${key}.`))) {
            this.refuseField(path, undefined, field);
        }
    }

    private credentials(path: string, fields: LoginFields): Credentials | undefined {
        const { privateKeyPassword, password, agent = false } = fields;
        const { sshAgent } = this.surroundings;
        if (agent && !sshAgent) {
            this.report({
                key: `${path}.agent`,
                given: true,
                allowed: "false where no SSH agent runs: SSH_AUTH_SOCK is not set",
                fix: "start one (eval $(ssh-agent) && ssh-add), or set ssh.privateKeyPath",
            });
            return undefined;
        }
        const agentSocket = agent ? sshAgent : undefined;
        if (fields.privateKey !== undefined) {
            return { privateKey: fields.privateKey, privateKeyPassword, password, agentSocket };
        }
        if (fields.privateKeyPath !== undefined) {
            const privateKey = this.readKey(path, fields.privateKeyPath);
            return privateKey === undefined
                ? undefined
                : { privateKey, privateKeyPassword, password, agentSocket };
        }
        if (password !== undefined || agentSocket !== undefined) {
            return { password, agentSocket };
        }
        return this.usualCredentials();
    }

    /** What `ssh` itself would try: the agent, else the first of the user's own keys. */
    private usualCredentials(): Credentials | undefined {
        if (this.surroundings.sshAgent) {
            return { agentSocket: this.surroundings.sshAgent };
        }
        for (const name of DEFAULT_KEYS) {
            try {
                return { privateKey: this.surroundings.readFile(this.resolve(`~/.ssh/${name}`)) };
            } catch {
                // The next one, then.
            }
        }
        this.report({
            key: "ssh",
            given: undefined,
            allowed: "something to log in with: privateKeyPath, privateKey, agent or password",
            fix: "pulumi config set --path ssh.privateKeyPath ~/.ssh/id_ed25519",
        });
        return undefined;
    }

    private readKey(path: string, file: string): string | undefined {
        let allowed: string;
        try {
            const text = this.surroundings.readFile(this.resolve(file));
            if (LOGIN_FIELDS.privateKey.schema.safeParse(text).success) {
                return text;
            }
            allowed = "the path of a private key in PEM; this file holds something else";
        } catch (error) {
            allowed = `the path of a private key that can be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
        }
        this.report({
            key: `${path}.privateKeyPath`,
            given: file,
            allowed,
            fix: "pulumi config set --path ssh.privateKeyPath ~/.ssh/id_ed25519",
        });
        return undefined;
    }

    private resolve(path: string): string {
        return path.startsWith("~/") ? `${this.surroundings.home}${path.slice(1)}` : path;
    }

    /** One problem of the defaults would come once for every client. */
    private report(problem: ConfigProblem): void {
        const isKnown = this.problems.some(
            ({ given, allowed }) => given === problem.given && allowed === problem.allowed,
        );
        if (!isKnown) this.problems.push(problem);
    }
}

/** Stands for a value that may be a secret. */
const HIDDEN = "[not shown]";

/** A host's own fields win; with any credential of its own it takes none of the defaults. */
function merge(fields: LoginFields, defaults: LoginFields): LoginFields {
    const hasOwn = CREDENTIALS.some((name) => fields[name] !== undefined);
    const left = new Set<string>(["host", "hostKey", ...(hasOwn ? CREDENTIALS : [])]);
    const inherited = Object.entries(defaults).filter(
        ([name, value]) => !left.has(name) && value !== undefined,
    );
    return { ...Object.fromEntries(inherited), ...fields };
}

function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
