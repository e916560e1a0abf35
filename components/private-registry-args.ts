import type { Late } from "../lib/late";
import type { Target } from "../lib/trust-script";
import type { KeyAlgorithm, Subject } from "./certificate-authority";
import type { Team } from "./team-accounts";

/**
 * What a registry is to be like. Everything has a default. What decides which resources there are, and what they are called, is a
 * plain value; what is only passed on (secrets, and addresses and keys of client hosts) may be an Output.
 */
export interface PrivateRegistryArgs {
    /**
     * The name that clients type, and the certificate's: a DNS name in lower case, or an IP address.
     *
     * @default "localhost"
     * @example "registry.example.com"
     */
    readonly hostname?: string;
    /**
     * Port of the Docker host that the registry is published on. With 443 images are named without a port.
     *
     * @default 5000
     */
    readonly port?: number;
    /**
     * Address of the Docker host that the port is published on; `127.0.0.1` for nobody but that host.
     *
     * @default "0.0.0.0"
     */
    readonly bindAddress?: string;
    /**
     * IP address at which client hosts reach the registry: it gets into their `/etc/hosts` and into the certificate. Without it
     * their DNS has to know `hostname`.
     *
     * @example "192.0.2.10"
     */
    readonly address?: string;
    /**
     * Further names (`*.` in front is possible) and addresses in the certificate, besides `hostname`, `address`, `localhost` and
     * `127.0.0.1`.
     *
     * @default []
     */
    readonly subjectAltNames?: readonly string[];
    /**
     * Whose certificates these are.
     *
     * @default {}
     */
    readonly subject?: Subject;
    /**
     * Algorithm of the server's key, and of the keys of authorities that are made from now on: each keeps the one that it has.
     *
     * @default "ECDSA"
     */
    readonly keyAlgorithm?: KeyAlgorithm;
    /**
     * Ids of the certificate authorities: the first one signs, all of them are trusted. An exchange without a gap is three
     * deployments: `["1", "2"]`, `["2", "1"]`, `["2"]`.
     *
     * @default ["1"]
     */
    readonly authorities?: readonly string[];
    /**
     * How long an authority's certificate is valid. Unit: days.
     *
     * @default 3650
     */
    readonly authorityValidityDays?: number;
    /**
     * How long a server certificate is valid. Unit: days.
     *
     * @default 200
     */
    readonly certificateValidityDays?: number;
    /**
     * How long before its end a deployment replaces a server certificate. Nothing renews it without one. Unit: days.
     *
     * @default 30
     */
    readonly earlyRenewalDays?: number;
    /**
     * The teams: their names, or what each has, by name. Each is given an account with a generated password, see
     * `PrivateRegistry.teams`. As soon as one team has a permission, the others may do only what theirs say.
     *
     * @default { dev: {} }
     * @example { web: { push: ["web/*"], pull: ["base/*"] }, ops: { admin: true } }
     */
    readonly teams?: readonly string[] | Readonly<Record<string, Team>>;
    /**
     * Hosts that shall trust the registry, by a name of your choice. It stands for the host: under another one it is another
     * host. What was changed on a host is taken back when it is left out.
     *
     * @default {}
     * @example { build1: { host: "192.0.2.21", hostKey: "ssh-ed25519 AAAA…" } }
     */
    readonly clients?: Readonly<Record<string, ClientArgs>>;
    /**
     * Defaults of the clients' logins. A client with a credential of its own takes none from here.
     *
     * @default {}
     */
    readonly ssh?: SshArgs;
    /**
     * Image of the registry (CNCF distribution 3.1 or later), with a fixed tag or, in production, a digest.
     *
     * @default "registry:3.1.1"
     */
    readonly image?: string;
    /**
     * The Docker host: `unix:///path`, `tcp://host:port` or `ssh://user@host`. Without it, the environment variable DOCKER_HOST, else
     * this machine's Docker.
     */
    readonly dockerHost?: string;
    /** Name of the registry's container; what stands beside it is named after it. Without it, `<project>-<stack>-<name>`. */
    readonly containerName?: string;
    /** Folder on the Docker host that holds the images, instead of a volume. Never deleted. */
    readonly dataPath?: string;
    /**
     * Whether the volume with the images stays when the registry is destroyed.
     *
     * @default true
     */
    readonly dataRetained?: boolean;
    /** A bucket that holds the images, instead of a volume or a folder. Never emptied. */
    readonly storage?: { readonly s3: S3Args };
    /** What remembers blobs instead of the registry's memory: `true` for a Redis of its own, or one of yours. */
    readonly redis?: boolean | RedisArgs;
    /**
     * Image of the registry's own Redis, 7 or later.
     *
     * @default "redis:8.10.2-alpine"
     */
    readonly redisImage?: string;
    /**
     * Whether images can be deleted.
     *
     * @default true
     */
    readonly deleteEnabled?: boolean;
    /**
     * Whether pushes are refused.
     *
     * @default false
     */
    readonly readOnly?: boolean;
    /** Port for Prometheus metrics on the Docker host's loopback, with profiles of the process: not for others. */
    readonly metricsPort?: number;
    /**
     * Memory that each container may use at most, files lately read and written included. Unit: MiB.
     *
     * @default 2048
     */
    readonly memoryMiB?: number;
    /**
     * Weight of each container where all processors are busy; Docker's own is 1024.
     *
     * @default 1024
     */
    readonly cpuShares?: number;
    /** The registry as a service of a Swarm, which `dockerHost` manages; its images are on `storage.s3`. */
    readonly swarm?: boolean | SwarmArgs;
    /** How many registries the Swarm runs. Only with `swarm`, where it is 1 without. */
    readonly replicas?: number;
    /**
     * A gateway in front of the registry: accounts, permissions and certificates change without a restart. Without a value there is
     * one where a team has permissions, and in a Swarm.
     */
    readonly gateway?: boolean;
    /**
     * Image of the gateway: Caddy 2.11 or later.
     *
     * @default "caddy:2.11.9"
     */
    readonly gatewayImage?: string;
    /** Port for the gateway's Prometheus metrics on the Docker host's loopback. */
    readonly gatewayMetricsPort?: number;
    /**
     * Pull-through caches of other registries, by a name of your choice. Client hosts ask them first.
     *
     * @default {}
     * @example { hub: { upstream: "docker.io", port: 5010 } }
     */
    readonly mirrors?: Readonly<Record<string, MirrorArgs>>;
}

/** How to log in over SSH. Without any credential: the agent, else `~/.ssh/id_ed25519`, `id_ecdsa` or `id_rsa`. */
export interface SshArgs {
    /** Default: `root`. */
    readonly user?: string;
    /** Default: 22. */
    readonly port?: number;
    /** Path of a private key on the machine that runs Pulumi; `~/` is your home folder. */
    readonly privateKeyPath?: string;
    /** Private key, PEM. Kept secret. */
    readonly privateKey?: Late;
    /** Passphrase of the private key. Kept secret. */
    readonly privateKeyPassword?: Late;
    /** Password of the user. Kept secret. */
    readonly password?: Late;
    /** Whether to log in with the keys of the SSH agent. Default: false. */
    readonly agent?: boolean;
    /** `false` lets a host without `hostKey` pass, with a warning for each. Default: true. */
    readonly hostKeyChecked?: boolean;
    /** The host on the way, where hosts are not reached directly. */
    readonly jumpHost?: HostArgs;
}

/** A host, and how to log in to it. */
export interface HostArgs extends Omit<SshArgs, "jumpHost"> {
    /** Name or address. May be an Output. */
    readonly host?: Late;
    /** Public key of the host, ed25519 or ecdsa, as in `ssh-ed25519 AAAA…`. May be an Output. */
    readonly hostKey?: Late;
}

/** A host that shall trust the registry: `host` and `hostKey`, or `local`. */
export interface ClientArgs extends HostArgs {
    /** The host on the way, in the place of that of `ssh`. */
    readonly jumpHost?: HostArgs;
    /** `true`: it is the machine that runs Pulumi, and nobody logs in. Default: false. */
    readonly local?: boolean;
    /** Whether a user who is not root becomes root with `sudo -n`. Default: true. */
    readonly sudo?: boolean;
    /** What is set up: `found` stands for what the host has of docker, containerd, podman and buildkit. Default: `["found"]`. */
    readonly targets?: readonly Target[];
}

/** A bucket of Amazon's S3, or of a service that speaks as it does. */
export interface S3Args {
    readonly bucket: string;
    /** `us-east-1` where a service knows none. */
    readonly region: string;
    /** Id of an access key. May be an Output. */
    readonly accessKey: Late;
    /** Secret of that key. Kept secret. */
    readonly secretKey: Late;
    /** `https://host[:port]` of another service than Amazon's. */
    readonly endpoint?: string;
    /** Certificates of the authorities to trust with the endpoint, PEM. */
    readonly caCertificate?: string;
    /** Whether the bucket stands in the path and not in the host's name. Default: true with an endpoint. */
    readonly forcePathStyle?: boolean;
    /** Folder in the bucket. Default: its root. */
    readonly rootDirectory?: string;
    /** Whether the service is asked to encrypt what it keeps. Default: false. */
    readonly encrypt?: boolean;
    /** Whether clients are sent to the bucket for the bytes of a layer. Default: false. */
    readonly redirect?: boolean;
}

/** A Redis of yours. Nothing else may be in its database. */
export interface RedisArgs {
    /** `host:port`, as the registry's container reaches it. */
    readonly address: string;
    readonly username?: string;
    /** Kept secret. */
    readonly password?: Late;
    /** Number of the database. Default: 0. */
    readonly db?: number;
    /** Certificates of the authorities to trust, PEM. With it the connection is TLS. */
    readonly caCertificate?: string;
}

/** Where replicas may run, and what each may use. */
export interface SwarmArgs {
    /** Docker's placement constraints, such as `node.labels.disk==ssd`. Default: any node. */
    readonly constraints?: readonly string[];
    /** Unit: MiB. Default: that of `PrivateRegistryArgs`. */
    readonly memoryMiB?: number;
    /** Unit: CPUs. Default: no limit. */
    readonly cpus?: number;
}

/** A pull-through cache of another registry. */
export interface MirrorArgs {
    /** The registry as images name it (`docker.io`), or its address (`https://registry.example.com`). */
    readonly upstream: string;
    /** Port of the Docker host that it is published on. */
    readonly port: number;
    /** The registry as images name it, where `upstream` has its images under another address. */
    readonly registry?: string;
    /** With what to log in there. */
    readonly credentials?: {
        readonly username: string;
        /** Kept secret. */
        readonly password: Late;
    };
    /** How long images are kept: `168h`, `30m`; `0s`: until the mirror is left out. Default: `168h`. */
    readonly ttl?: string;
    /** Whether anybody may pull from it; otherwise it takes the teams' accounts. Default: true without `credentials`. */
    readonly anonymous?: boolean;
    /** Certificates of the authorities to trust with the upstream besides the public ones, PEM. */
    readonly caCertificate?: string;
    /** `http://host:port` of a proxy on the way there, without a login. */
    readonly proxy?: string;
}
