import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { ACCESS, accessConfig } from "../lib/access-config";
import { GATEWAY, gatewayConfig } from "../lib/gateway-config";
import type { HashedAccount } from "../lib/htpasswd";
import { ACCESS_LABEL, describePermissions, type TeamAccess } from "../lib/permissions";
import { CONTAINER as REGISTRY } from "../lib/registry-config";
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
import type { RegistryLink } from "./registry-server";

export interface GatewayArgs extends Limits {
    /** Image of Caddy, with a tag or a digest. One that the Docker host has already is not pulled. */
    readonly image: string;
    readonly containerName: string;
    readonly bindAddress: string;
    readonly port: number;
    /** Port on the Docker host's loopback for Prometheus metrics. Unset: none are kept. */
    readonly metricsPort?: number;
    /** Says which stack the containers belong to. */
    readonly owner: string;
    /** PEM. */
    readonly certificate: pulumi.Input<string>;
    /** PEM, secret. */
    readonly privateKey: pulumi.Input<string>;
    /** Secret. */
    readonly accounts: pulumi.Input<HashedAccount[]>;
    /** Teams with their permissions; unset: every account may do everything. */
    readonly teams?: readonly TeamAccess[];
    readonly registry: RegistryLink;
}

const LOAD_SCRIPT = readFileSync(join(__dirname, "load-gateway.sh"), "utf8");

/**
 * What clients talk to in the registry's place: one container with TLS that passes requests on, and one that says who may do
 * what. Accounts, permissions and certificates change while both run.
 */
export class Gateway extends pulumi.ComponentResource {
    /** Ids of both containers. */
    public readonly containerIds: pulumi.Output<string>;
    /** How the last load of settings ended: 0 when all are in place and in use. */
    public readonly loaderExitCode: pulumi.Output<number>;

    constructor(
        name: string,
        private readonly args: GatewayArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("private-registry:index:Gateway", name, {}, opts);

        const image = imageOf(name, args.image, this);
        const volume = (role: string) =>
            new docker.Volume(`${name}-${role}`, {}, { parent: this }).name;
        const volumes = {
            settings: volume("settings"),
            control: volume("control"),
            access: volume("access-sockets"),
        };
        const config = gatewayConfig({
            service: args.registry.kind === "service" ? args.registry.service : undefined,
            metricsPublished: args.metricsPort !== undefined,
        });
        const loader = this.createLoader(`${name}-loader`, image, volumes, config);
        const access = this.createAccess(`${name}-access`, image, volumes, loader);
        const container = this.createContainer(`${name}-container`, image, volumes, config, access);

        this.containerIds = pulumi.interpolate`${access.id} ${container.id}`;
        this.loaderExitCode = loader.exitCode;
        this.registerOutputs({ containerIds: this.containerIds });
    }

    private createLoader(
        name: string,
        image: docker.RemoteImage,
        volumes: Volumes,
        config: string,
    ): docker.Container {
        const { args } = this;
        const access = pulumi
            .output(args.accounts)
            .apply((accounts) => accessConfig({ accounts, teams: args.teams }));
        return new docker.Container(
            name,
            {
                ...LOADING,
                ...limits(args),
                image: image.imageId,
                command: [LOAD_SCRIPT],
                uploads: [
                    ...this.linkFiles().map(([file, text]) => upload(file, text)),
                    upload("gateway.json", config),
                    upload("access.json", access),
                    upload(
                        GATEWAY.certificate,
                        pulumi.interpolate`${args.certificate}${args.privateKey}`,
                    ),
                ],
                envs: HOME,
                volumes: [
                    { containerPath: GATEWAY.settings, volumeName: volumes.settings },
                    { containerPath: ACCESS.control, volumeName: volumes.control },
                ],
                labels: [{ label: OWNER_LABEL, value: args.owner }, ...rights(args.teams)],
                capabilities: CAPABILITIES,
            },
            { parent: this, deleteBeforeReplace: true },
        );
    }

    /** Knows the accounts, and answers the gateway alone. */
    private createAccess(
        name: string,
        image: docker.RemoteImage,
        volumes: Volumes,
        loader: docker.Container,
    ): docker.Container {
        return new docker.Container(
            name,
            {
                ...this.serving(`${this.args.containerName}-access`, image, ACCESS.config),
                labels: [{ label: OWNER_LABEL, value: this.args.owner }],
                networkMode: "none",
                volumes: [
                    readOnly(GATEWAY.settings, volumes.settings),
                    { containerPath: ACCESS.control, volumeName: volumes.control },
                    { containerPath: ACCESS.sockets, volumeName: volumes.access },
                ],
                healthcheck: healthcheck(`http://127.0.0.1:${ACCESS.localPort}/health`),
            },
            {
                parent: this,
                deleteBeforeReplace: true,
                replaceOnChanges: ["tmpfs"],
                dependsOn: [loader],
            },
        );
    }

    private createContainer(
        name: string,
        image: docker.RemoteImage,
        volumes: Volumes,
        config: string,
        access: docker.Container,
    ): docker.Container {
        const { args } = this;
        const network = new docker.Network(
            `${name}-network`,
            { driver: "bridge" },
            { parent: this },
        );
        return new docker.Container(
            name,
            {
                ...this.serving(`${args.containerName}-gateway`, image, GATEWAY.config),
                labels: [
                    { label: OWNER_LABEL, value: args.owner },
                    { label: SETTINGS_LABEL, value: this.settingsHash(config) },
                ],
                networksAdvanced: [
                    { name: network.name },
                    ...(args.registry.kind === "service" ? [{ name: args.registry.network }] : []),
                ],
                ports: [
                    tcpPort(GATEWAY.port, args.port, args.bindAddress),
                    ...(args.metricsPort === undefined
                        ? []
                        : [tcpPort(GATEWAY.localPort, args.metricsPort, "127.0.0.1")]),
                ],
                volumes: [
                    readOnly(GATEWAY.settings, volumes.settings),
                    readOnly(ACCESS.sockets, volumes.access),
                    ...(args.registry.kind === "socket"
                        ? [readOnly(REGISTRY.sockets, args.registry.volume)]
                        : []),
                ],
                healthcheck: healthcheck(`http://127.0.0.1:${GATEWAY.localPort}/health`),
            },
            {
                parent: this,
                // Name and port are fixed, so the old container has to go first.
                deleteBeforeReplace: true,
                replaceOnChanges: ["tmpfs"],
                dependsOn: [access],
            },
        );
    }

    private linkFiles(): [string, pulumi.Output<string>][] {
        const { registry } = this.args;
        return registry.kind === "service"
            ? [
                  [GATEWAY.linkCertificate, registry.certificate],
                  [GATEWAY.linkKey, registry.privateKey],
              ]
            : [];
    }

    /** Changes exactly when the gateway has to be started anew: it reads these files once. */
    private settingsHash(config: string): pulumi.Output<string> {
        return pulumi
            .all([
                config,
                ...this.linkFiles().map(([file, text]) => (file === GATEWAY.linkKey ? "" : text)),
            ])
            .apply((texts) => sha256(...texts));
    }

    /** What both serving containers have in common: they may do nothing but serve. */
    private serving(containerName: string, image: docker.RemoteImage, config: string) {
        return {
            name: containerName,
            image: image.imageId,
            entrypoints: ["caddy"],
            command: ["run", "--config", config],
            envs: HOME,
            ...SERVING,
            ...limits(this.args),
            tmpfs: SCRATCH,
            capabilities: CAPABILITIES,
        };
    }
}

type Volumes = Readonly<Record<"settings" | "control" | "access", pulumi.Output<string>>>;

/** Caddy wants a place for what it keeps, and keeps nothing here. */
const HOME = ["HOME=/tmp", "XDG_CONFIG_HOME=/tmp", "XDG_DATA_HOME=/tmp"];
/** The official image's program carries this one in its file, and does not start where it cannot have it. */
const CAPABILITIES = { adds: ["CAP_NET_BIND_SERVICE"], drops: ["ALL"] };

/** What each account may do, where a preview and an operator can read it. */
function rights(teams: readonly TeamAccess[] = []) {
    return teams.flatMap((team) =>
        team.accounts.map((account) => ({
            label: `${ACCESS_LABEL}${account}`,
            value: describePermissions(team),
        })),
    );
}

function readOnly(containerPath: string, volumeName: pulumi.Input<string>) {
    return { containerPath, volumeName, readOnly: true };
}
