import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Late } from "../lib/late";
import {
    type MirrorEndpoint,
    type Target,
    trustScript,
    type TrustSettings,
} from "../lib/trust-script";

/** How a client host is logged in to. */
export interface SshLogin<Text = string> {
    /** Name or address. */
    readonly host: Text;
    readonly port: number;
    readonly user: string;
    /** The host's public key as in `known_hosts`, without the name: it must show this one. Unset: any key is accepted. */
    readonly hostKey?: Text;
    /** PEM, secret. */
    readonly privateKey?: Text;
    /** Secret. */
    readonly privateKeyPassword?: Text;
    /** Secret. */
    readonly password?: Text;
    /** Whether to log in with the keys of the SSH agent that SSH_AUTH_SOCK leads to when it is done. */
    readonly agent?: boolean;
    /** The host on the way, when this one is not reached directly. */
    readonly jumpHost?: SshLogin<Text>;
}

/** A host that shall trust the registry. */
export interface ClientHost<Text = string> {
    /** How to log in. Unset: it is the machine that runs Pulumi. */
    readonly login?: SshLogin<Text>;
    /** Whether a user who is not root becomes root with `sudo -n`. */
    readonly sudo: boolean;
    readonly targets: readonly Target[];
}

export interface ClientTrustArgs {
    /** By name. The name is the host's identity: under another one it is another host. */
    readonly clients: Readonly<Record<string, ClientHost<Late>>>;
    /** Names on the hosts what belongs to this stack. */
    readonly instance: string;
    readonly hostname: string;
    readonly port: number;
    /** The registry as image names have it. */
    readonly registry: string;
    /** What the hosts map the name to in /etc/hosts. Unset: their own name resolution knows it. */
    readonly address?: string;
    /** Certificates to trust, PEM. */
    readonly caBundle: pulumi.Input<string>;
    /** Whether the registry has to answer each host. */
    readonly proofRequired: boolean;
    /** Pull-through caches that the hosts shall pull through, of different registries. */
    readonly mirrors?: readonly MirrorEndpoint[];
}

const readPart = (name: string) =>
    readFileSync(join(__dirname, "trust-host", `${name}.sh`), "utf8");

/** What the script puts before something that somebody has to do by hand. */
const WARNING = "warning: ";

/**
 * Attempts at a connection beyond the first, and seconds for each: a host that is dead or says
 * nothing is given up after 3 x 7 s. The provider's own 11 x 15 s would let everybody wait for
 * three minutes.
 */
const DIAL = { dialErrorLimit: 2, perDialTimeout: 7 };

/**
 * What a run on a host may take, when something hangs there. More than a slow one needs: 90 s for a
 * login over a jump host, half a minute for a new list of the system's certificates, and 15 s for
 * the proof of the registry and of each mirror.
 */
const LIMIT = "5m";

/**
 * Trust in the registry on every client host: its name, the authorities' certificates where the
 * host's software looks for them, and the proof that the registry answers from there. Removing a
 * host puts back what was there before. One connection and one resource per host and change.
 */
export class ClientTrust extends pulumi.ComponentResource {
    constructor(name: string, args: ClientTrustArgs, opts?: pulumi.ComponentResourceOptions) {
        super("private-registry:index:ClientTrust", name, {}, opts);
        for (const [key, client] of Object.entries(args.clients)) {
            this.createTrust(`${name}-${key}`, key, client, args, opts?.dependsOn);
        }
        this.registerOutputs({});
    }

    private createTrust(
        name: string,
        key: string,
        { login, sudo, targets }: ClientHost<Late>,
        args: ClientTrustArgs,
        dependsOn: pulumi.ComponentResourceOptions["dependsOn"],
    ): void {
        const script = {
            // Without `update`, an update runs this one too.
            create: asRoot("apply", sudo),
            delete: asRoot("remove", sudo),
            stdin: pulumi
                .output(args.caBundle)
                .apply((bundle) =>
                    trustScript({ ...trustSettings(args), client: key, targets, bundle }, readPart),
                ),
            logging: command.remote.Logging.Stdout,
            // Servers refuse variables, and no script wants these.
            addPreviousOutputInEnv: false,
        };
        // Whatever replaces it: the old one removes what the new one would have written before.
        const options = {
            parent: this,
            deleteBeforeReplace: true,
            dependsOn,
            customTimeouts: { create: LIMIT, update: LIMIT, delete: LIMIT },
        };
        const trust =
            login === undefined
                ? new command.local.Command(name, script, options)
                : new command.remote.Command(
                      name,
                      { ...script, connection: connection(login) },
                      options,
                  );
        const warn = (text: string) => void pulumi.log.warn(`${key}: ${text}`, trust);
        for (const { host } of login === undefined ? [] : unverified(login)) {
            pulumi
                .output(host)
                .apply((place) =>
                    warn(
                        `the host key of ${place} is not verified (hostKeyChecked: false), so another machine could pose as it; set its hostKey`,
                    ),
                );
        }
        // The engine names the host and the cause; that its outputs never come is no news, and not worth a stack trace.
        for (const output of Object.values(trust).filter((value) =>
            pulumi.Output.isInstance(value),
        )) {
            pulumi.recover(output, () => undefined);
        }
        pulumi
            .recover(trust.stdout, () => "")
            .apply((lines) => {
                for (const line of lines.split("\n").filter((text) => text.startsWith(WARNING))) {
                    warn(line.slice(WARNING.length));
                }
            });
    }
}

function trustSettings(args: ClientTrustArgs): Omit<TrustSettings, "targets" | "bundle"> {
    const { instance, hostname, port, registry, address, proofRequired, mirrors } = args;
    return { stack: instance, hostname, port, registry, address, proofRequired, mirrors };
}

/** The command line that runs the script on standard input as root. The user's own shell may be any. */
function asRoot(mode: "apply" | "remove", sudo: boolean): string {
    const become = sudo
        ? `if sudo -n -l sh -s ${mode} >/dev/null 2>&1; then exec sudo -n sh -s ${mode}; fi; echo "$(id -un) is not root and may not become root with sudo -n without a password; allow it in sudoers, or log in as root" >&2`
        : `echo "$(id -un) is not root, and sudo is off for this client; log in as root, or set sudo" >&2`;
    return `sh -c 'if [ "$(id -u)" = 0 ]; then exec sh -s ${mode}; fi; ${become}; exit 1'`;
}

function connection(login: SshLogin<Late>): command.types.input.remote.ConnectionArgs {
    const { jumpHost } = login;
    return {
        ...endpoint(login),
        ...(jumpHost === undefined ? {} : { proxy: endpoint(jumpHost) }),
    };
}

function endpoint(login: SshLogin<Late>): command.types.input.remote.ProxyConnectionArgs {
    const { host, port, user, hostKey, privateKey, privateKeyPassword, password } = login;
    return {
        host,
        port,
        user,
        hostKey,
        privateKey: secret(privateKey),
        privateKeyPassword: secret(privateKeyPassword),
        password: secret(password),
        // Unset, the provider takes SSH_AUTH_SOCK of each run: another session has another socket, which must not count as
        // another login. Empty, it takes none: a stale one would keep a key from being used.
        agentSocketPath: login.agent === true ? undefined : "",
        ...DIAL,
    };
}

function secret(text: Late | undefined): pulumi.Output<string> | undefined {
    return text === undefined ? undefined : pulumi.secret(text);
}

/** The hosts on the way and at its end whose key nobody has pinned. */
function unverified(login: SshLogin<Late>): SshLogin<Late>[] {
    const hosts = login.jumpHost === undefined ? [login] : [login.jumpHost, login];
    return hosts.filter(({ hostKey }) => hostKey === undefined);
}
