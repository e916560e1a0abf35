import type { ClientHost, SshLogin } from "../components/client-trust";
import type { ClientArgs } from "../components/private-registry-args";
import {
    CLIENT_FIELDS,
    HOST_FIELDS,
    JUMP_FIELDS,
    type LoginFields,
    SSH_FIELDS,
} from "./client-fields";
import { type ConfigProblem, HIDDEN } from "./config-problems";
import { type Field, fieldProblem, readFields, readNamed } from "./object-fields";
import type { Late } from "./late";
import { propertyPath } from "./property-path";
import { findCredentials, type LoginSurroundings } from "./ssh-credentials";

/** What `clients` and `ssh` come to: the hosts, or what is wrong with them. */
export interface ClientConfig {
    readonly clients: Record<string, ClientHost<Late>>;
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

    public clients(clients: unknown, defaults: LoginFields): Record<string, ClientHost<Late>> {
        const entries = readNamed(
            "clients",
            clients,
            {
                allowed: "an object {name: {host, …}}",
                fix: ({ set }) => set("clients.build1.host", "192.0.2.21"),
            },
            this.problems,
        );
        const hosts: [string, ClientHost<Late>][] = [];
        for (const { name: key, path, value } of entries) {
            const found = this.problems.length;
            const fields: ClientArgs = this.withJumpHost(
                path,
                this.object(path, value ?? {}, CLIENT_FIELDS),
            );
            const { local = false, sudo = true, targets = ["found"] } = fields;
            const login = local ? undefined : this.login(path, fields, defaults);
            if (local) this.refuseLoginOfLocal(path, fields);
            if (this.problems.length > found || (!local && login === undefined)) continue;
            this.refuseTwin(path, login, hosts);
            hosts.push([key, { login, sudo, targets }]);
        }
        return Object.fromEntries(hosts);
    }

    /** Of two clients on one host, each would take back what the other one wrote. */
    private refuseTwin(
        path: string,
        login: SshLogin<Late> | undefined,
        others: readonly [string, ClientHost<Late>][],
    ): void {
        const twin = others.find(([, other]) => placeOf(other.login) === placeOf(login));
        if (twin !== undefined) {
            this.problems.push({
                key: login === undefined ? `${path}.local` : `${path}.host`,
                given: login?.host ?? true,
                allowed: `a host that no other client has; ${propertyPath("clients", twin[0])} is the same one`,
                fix: ({ unset }) => unset(path),
            });
        }
    }

    private object(
        path: string,
        value: unknown,
        fields: Readonly<Record<string, Field>>,
    ): ClientArgs {
        return readFields(path, value, fields, this.problems);
    }

    private withJumpHost(path: string, fields: ClientArgs): ClientArgs {
        return fields.jumpHost === undefined
            ? fields
            : {
                  ...fields,
                  jumpHost: this.object(`${path}.jumpHost`, fields.jumpHost, JUMP_FIELDS),
              };
    }

    private refuseLoginOfLocal(path: string, fields: ClientArgs): void {
        const ofLocal = ["local", "sudo", "targets"];
        for (const name of Object.keys(fields).filter((key) => !ofLocal.includes(key))) {
            this.problems.push({
                key: `${path}.${name}`,
                given: HIDDEN,
                allowed: "nothing, where local is true: this machine is not logged in to",
                fix: ({ unset }) => unset(propertyPath(path, name)),
            });
        }
    }

    private login(
        path: string,
        fields: LoginFields,
        defaults: LoginFields,
    ): SshLogin<Late> | undefined {
        const merged = merge(fields, defaults);
        const credentialsPath = hasCredentials(fields) ? path : "ssh";
        const jump = merged.jumpHost;
        const jumpPath = `${fields.jumpHost === undefined ? "ssh" : path}.jumpHost`;
        const jumpHost =
            jump === undefined
                ? undefined
                : this.endpoint(
                      jumpPath,
                      merge(jump, { ...merged, port: undefined }),
                      hasCredentials(jump) ? jumpPath : credentialsPath,
                  );
        const own = this.endpoint(path, merged, credentialsPath);
        return own === undefined || (jump !== undefined && jumpHost === undefined)
            ? undefined
            : { ...own, jumpHost };
    }

    /** @param credentialsPath where the fields that say with what to log in come from */
    private endpoint(
        path: string,
        fields: LoginFields,
        credentialsPath: string,
    ): SshLogin<Late> | undefined {
        const { host, hostKey, hostKeyChecked = true, user = "root", port = 22 } = fields;
        if (host === undefined) {
            this.missing(`${path}.host`, HOST_FIELDS.host);
            return undefined;
        }
        if (hostKey === undefined && hostKeyChecked && !this.isNamed(`${path}.hostKey`)) {
            this.problems.push({
                key: `${path}.hostKey`,
                given: undefined,
                allowed: HOST_FIELDS.hostKey.allowed,
                fix: ({ hostKeys, set }) =>
                    `${hostKeys}; without any check: ${set("ssh.hostKeyChecked", "false")}`,
            });
        }
        const credentials = findCredentials(credentialsPath, fields, this.surroundings);
        if ("problem" in credentials) {
            this.report(credentials.problem);
            return undefined;
        }
        return { host, port, user, hostKey, ...credentials };
    }

    private missing(path: string, field: Field): void {
        if (!this.isNamed(path)) {
            this.problems.push(fieldProblem(path, undefined, field));
        }
    }

    /** Whether a problem has been found already with this field or with what it is a part of. */
    private isNamed(path: string): boolean {
        return this.problems.some(({ key }) => key === path || path.startsWith(`${key}.`));
    }

    /** One problem of the defaults would come once for every client. */
    private report(problem: ConfigProblem): void {
        const isKnown = this.problems.some(
            ({ given, allowed }) => given === problem.given && allowed === problem.allowed,
        );
        if (!isKnown) this.problems.push(problem);
    }
}

function hasCredentials(fields: LoginFields): boolean {
    return CREDENTIALS.some((name) => fields[name] !== undefined);
}

/** A host's own fields win; with any credential of its own it takes none of the defaults. */
function merge(fields: LoginFields, defaults: LoginFields): LoginFields {
    const left = new Set<string>([
        "host",
        "hostKey",
        ...(hasCredentials(fields) ? CREDENTIALS : []),
    ]);
    const inherited = Object.entries(defaults).filter(
        ([name, value]) => !left.has(name) && value !== undefined,
    );
    return { ...Object.fromEntries(inherited), ...fields };
}

/** What tells hosts apart, as far as the configuration does; one whose address is not known yet is like no other. */
function placeOf(login: SshLogin<Late> | undefined): unknown {
    if (login === undefined) return "local";
    const { host, port, jumpHost } = login;
    return typeof host === "string"
        ? `${String(placeOf(jumpHost))} ${host.toLowerCase()} ${port}`
        : Symbol("a place of its own");
}
