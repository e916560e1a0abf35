import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Late } from "../lib/late";
import {
    CONTAINER,
    CREDENTIAL_HELPER,
    registryConfig,
    type RegistryConfigArgs,
    serviceEnvironment,
    type Connections,
} from "../lib/registry-config";
import type { RedisServerSettings } from "../lib/storage-config";
import {
    healthcheck,
    imageOf,
    type Limits,
    limits,
    LOADING,
    OWNER_LABEL,
    SCRATCH,
    SERVING,
    SETTINGS_LABEL,
    sha256,
    tcpPort,
    upload,
} from "./container-parts";
import { connect } from "./connections";
import { RedisServer } from "./redis-server";

/**
 * With `s3` the images lie in that bucket, and neither volume nor folder is used. With `upstream` it fetches them from there,
 * and takes none from anybody else.
 */
export interface RegistryServerArgs extends Connections<Late>, Limits {
    /** A Redis of its own, instead of `redis`. */
    readonly redisServer?: RedisServerSettings;
    /** Image of the registry, with a tag or a digest. One that the Docker host has already is not pulled. */
    readonly image: string;
    readonly containerName: string;
    /** Name of the volume that holds the images, unless `dataPath` is given. */
    readonly dataVolume: string;
    /** Folder on the Docker host that holds the images instead of a volume. Never deleted. */
    readonly dataPath?: string;
    /** Whether the volume with the images stays when the stack is destroyed. */
    readonly dataRetained: boolean;
    /** Address of the Docker host that the port is published on. */
    readonly bindAddress: string;
    readonly port: number;
    /** Port on the Docker host's loopback for Prometheus metrics. Unset: not published. */
    readonly metricsPort?: number;
    readonly deleteEnabled: boolean;
    readonly readOnly: boolean;
    /** Says which stack the containers belong to. */
    readonly owner: string;
    /** TLS and accounts of its own. Unset: a gateway has them, and the registry listens on a socket for it alone. */
    readonly direct?: DirectAccess;
}

/** What a registry needs that clients talk to without a gateway. */
export interface DirectAccess {
    /** PEM. */
    readonly certificate: pulumi.Input<string>;
    /** PEM, secret. */
    readonly privateKey: pulumi.Input<string>;
    /** Accounts as the text of an htpasswd file, secret. Unset: anybody may do what it does. */
    readonly htpasswd?: pulumi.Input<string>;
}

/** How a gateway reaches the registry. */
export type RegistryLink = SocketLink | ServiceLink;

/** By a socket in a volume. */
export interface SocketLink {
    readonly kind: "socket";
    readonly volume: pulumi.Input<string>;
}

/** By the replicas of a service, over TLS in which both sides show one and the same certificate. */
export interface ServiceLink {
    readonly kind: "service";
    /** Name of the service. */
    readonly service: string;
    /** Name of the overlay network that both are on. */
    readonly network: pulumi.Input<string>;
    /** PEM. */
    readonly certificate: pulumi.Output<string>;
    /** PEM, secret. */
    readonly privateKey: pulumi.Output<string>;
}

const script = (file: string) => readFileSync(join(__dirname, file), "utf8");
const LOAD_SCRIPT = script("load-settings.sh");
const SERVE_SCRIPT = script("serve-registry.sh");
const HOLD_SCRIPT = script("hold-registry.sh");
const WAIT_SCRIPT = script("wait-for-redis.sh");

/** The registry's configuration, and the one that it has while a maintenance run needs it read-only. */
interface Configurations {
    readonly normal: string;
    readonly readOnly: string;
}

/**
 * The registry itself: its image, the volume with the images (stateful: kept on destroy unless told
 * otherwise), the settings that it reads, and a container that may do nothing but serve them.
 */
export class RegistryServer extends pulumi.ComponentResource {
    /** Id of the registry's container. A new one means that the registry was restarted. */
    public readonly containerId: pulumi.Output<string>;
    /** How the last load of settings ended: 0 when all files are in place. */
    public readonly loaderExitCode: pulumi.Output<number>;
    /** How the gateway reaches it, when there is one. */
    public readonly link?: RegistryLink;

    private readonly redis?: RedisServer;
    private readonly connections: ReturnType<typeof connect>;

    constructor(
        name: string,
        private readonly args: RegistryServerArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("private-registry:index:RegistryServer", name, {}, opts);

        if (args.redisServer !== undefined) {
            this.redis = new RedisServer(
                `${name}-redis`,
                { ...args, ...args.redisServer },
                { parent: this },
            );
        }
        const { s3, redis, upstream } = args;
        this.connections = connect({ s3, redis, upstream }, this.redis?.link);
        const image = imageOf(name, args.image, this);
        const config = this.createConfig(name);
        const settings = new docker.Volume(`${name}-settings`, {}, { parent: this });
        const loader = this.createLoader(`${name}-loader`, image, settings, config);
        if (args.direct === undefined) {
            const sockets = new docker.Volume(`${name}-sockets`, {}, { parent: this });
            this.link = { kind: "socket", volume: sockets.name };
        }
        const container = this.createContainer(
            `${name}-container`,
            image,
            settings,
            config,
            loader,
        );

        this.containerId = container.id;
        this.loaderExitCode = loader.exitCode;
        this.registerOutputs({ containerId: this.containerId });
    }

    private createConfig(name: string): pulumi.Output<Configurations> {
        const { deleteEnabled, readOnly, metricsPort } = this.args;
        const httpSecret = new random.RandomPassword(
            `${name}-http-secret`,
            { length: 43, special: false },
            { parent: this },
        );
        return pulumi.all([httpSecret.result, this.connections.all]).apply(([secret, others]) => {
            const args: Omit<RegistryConfigArgs, "readOnly"> = {
                httpSecret: secret,
                deleteEnabled,
                metricsPublished: metricsPort !== undefined,
                listens: this.listens(),
                ...others,
            };
            return {
                normal: registryConfig({ ...args, readOnly }),
                readOnly: registryConfig({ ...args, readOnly: true }),
            };
        });
    }

    private listens(): RegistryConfigArgs["listens"] {
        const { direct } = this.args;
        if (direct === undefined) return "on-socket";
        return direct.htpasswd === undefined ? "openly" : "directly";
    }

    /**
     * A short-lived container that puts the settings into their volume and ends. The registry's own
     * container cannot take them: Docker refuses uploads into a container with a read-only root.
     * Accounts change by replacing this one only; the registry reads a new htpasswd by itself.
     */
    private createLoader(
        name: string,
        image: docker.RemoteImage,
        settings: docker.Volume,
        config: pulumi.Output<Configurations>,
    ): docker.Container {
        const { args } = this;
        return new docker.Container(
            name,
            {
                ...LOADING,
                ...limits(args),
                image: image.imageId,
                command: [LOAD_SCRIPT],
                uploads: [
                    upload("config.yml", config.normal),
                    upload("config-read-only.yml", config.readOnly),
                    upload("serve.sh", SERVE_SCRIPT),
                    upload("hold.sh", HOLD_SCRIPT),
                    ...(args.direct?.htpasswd === undefined
                        ? []
                        : [upload("htpasswd", args.direct.htpasswd)]),
                    ...(args.direct === undefined
                        ? []
                        : [
                              upload("tls.crt", args.direct.certificate),
                              upload("tls.key", args.direct.privateKey),
                          ]),
                    ...(this.redis === undefined ? [] : [upload("wait.sh", WAIT_SCRIPT)]),
                    ...this.connections.files.map(([file, text]) =>
                        upload(file, pulumi.secret(text), file === CREDENTIAL_HELPER),
                    ),
                ],
                volumes: [{ containerPath: "/settings", volumeName: settings.name }],
                labels: [{ label: OWNER_LABEL, value: args.owner }],
                // The image declares a volume there, which Docker would make anew for every load.
                tmpfs: { [CONTAINER.data]: "size=1m" },
                capabilities: { drops: ["ALL"] },
            },
            { parent: this, deleteBeforeReplace: true },
        );
    }

    private createContainer(
        name: string,
        image: docker.RemoteImage,
        settings: docker.Volume,
        config: pulumi.Output<Configurations>,
        loader: docker.Container,
    ): docker.Container {
        const { args } = this;
        const ports = this.ports();
        const leadsOut = ports.length > 0 || args.s3 !== undefined || args.redis !== undefined;
        const networks = [
            ...(leadsOut ? [{ name: this.createNetwork(name) }] : []),
            ...(this.redis === undefined ? [] : [{ name: this.redis.network }]),
        ];
        return new docker.Container(
            name,
            {
                name: args.containerName,
                image: image.imageId,
                entrypoints: ["/bin/sh"],
                command: [
                    `${CONTAINER.settings}/${this.redis === undefined ? "serve.sh" : "wait.sh"}`,
                ],
                // Version 3 would send traces to a collector on localhost and log that it cannot.
                envs: ["OTEL_TRACES_EXPORTER=none", ...serviceEnvironment(args)],
                labels: [
                    { label: OWNER_LABEL, value: args.owner },
                    { label: SETTINGS_LABEL, value: this.settingsHash(config) },
                ],
                ...(networks.length === 0
                    ? { networkMode: "none" }
                    : { networksAdvanced: networks, ports }),
                volumes: [
                    {
                        containerPath: CONTAINER.settings,
                        volumeName: settings.name,
                        readOnly: true,
                    },
                    ...this.dataVolumes(name),
                    ...(this.link?.kind === "socket"
                        ? [{ containerPath: CONTAINER.sockets, volumeName: this.link.volume }]
                        : []),
                ],
                ...SERVING,
                ...limits(args),
                tmpfs: {
                    ...SCRATCH,
                    ...(args.s3 === undefined ? {} : { [CONTAINER.data]: "size=1m" }),
                },
                capabilities: { drops: ["ALL"] },
                // An upstream that swallows what is sent to it is given up after 3 s and not after 30: until then others wait.
                ...(args.upstream === undefined
                    ? {}
                    : { sysctls: { "net.ipv4.tcp_syn_retries": "1" } }),
                healthcheck: healthcheck(`http://127.0.0.1:${CONTAINER.debugPort}/debug/health`),
            },
            {
                parent: this,
                // Name and port are fixed, so the old container has to go first.
                deleteBeforeReplace: true,
                // The provider takes changes of these without a word and leaves the container as it is.
                replaceOnChanges: ["tmpfs"],
                // What the loader put in place is not data that this container reads.
                dependsOn: [loader, ...(this.redis === undefined ? [] : [this.redis.container])],
            },
        );
    }

    private createNetwork(name: string): pulumi.Output<string> {
        return new docker.Network(`${name}-network`, { driver: "bridge" }, { parent: this }).name;
    }

    private ports() {
        const { bindAddress, port, metricsPort, direct } = this.args;
        return [
            ...(direct === undefined ? [] : [tcpPort(CONTAINER.port, port, bindAddress)]),
            // The debug server has no accounts and shows profiles of the process: loopback only.
            ...(metricsPort === undefined
                ? []
                : [tcpPort(CONTAINER.debugPort, metricsPort, "127.0.0.1")]),
        ];
    }

    private dataVolumes(name: string) {
        const { dataPath, dataRetained, dataVolume, s3 } = this.args;
        const containerPath = CONTAINER.data;
        if (s3 !== undefined) {
            return [];
        }
        if (dataPath !== undefined) {
            return [{ containerPath, hostPath: dataPath }];
        }
        const volume = new docker.Volume(
            `${name}-data`,
            { name: dataVolume },
            { parent: this, retainOnDelete: dataRetained },
        );
        return [{ containerPath, volumeName: volume.name }];
    }

    /**
     * Changes exactly when the registry has to be started anew: it reads its configuration and its
     * certificates once, as its shell does its script. The accounts are not part of it.
     */
    private settingsHash(config: pulumi.Output<Configurations>): pulumi.Output<string> {
        const hash = pulumi
            .all([
                config.normal,
                this.args.direct?.certificate ?? "",
                SERVE_SCRIPT,
                ...(this.redis === undefined ? [] : [WAIT_SCRIPT]),
                ...this.connections.files.map(([, text]) => text),
            ])
            .apply((texts) => sha256(...texts));
        // The hash of a text with a 256-bit secret in it says nothing about the secret.
        return pulumi.unsecret(hash);
    }
}
