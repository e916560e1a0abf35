import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { LINK_NAME } from "../lib/gateway-config";
import type { Late } from "../lib/late";
import {
    CONTAINER,
    DRAIN_SECONDS,
    registryConfig,
    serviceEnvironment,
} from "../lib/registry-config";
import type { RedisServerSettings, Services } from "../lib/storage-config";
import { healthTest, OWNER_LABEL } from "./container-parts";
import { connect } from "./connections";
import { RedisService } from "./redis-service";
import type { ServiceLink } from "./registry-server";
import {
    createInnerCertificate,
    createSecret,
    MEBIBYTE,
    memoryMount,
    mountSecret,
    type SecretFile,
    taskHealthcheck,
    TASKS,
} from "./swarm-parts";

/** How a registry is spread over a Swarm. */
export interface SwarmSettings {
    /** How many registries run at the same time. */
    readonly replicas: number;
    /** Where they may run, as Docker's placement constraints. Default: on any node. */
    readonly constraints?: readonly string[];
    /** What one of them may use at most. Default: what other containers of the stack may. Unit: MiB. */
    readonly memoryMiB?: number;
    /** What one of them may use at most. Unit: CPUs. */
    readonly cpus?: number;
}

export interface RegistryServiceArgs extends SwarmSettings, Services<Late> {
    /** A Redis of its own, instead of `redis`. */
    readonly redisServer?: RedisServerSettings;
    /** Image of the registry, which every node has or can pull. */
    readonly image: string;
    /** Name of the service. */
    readonly containerName: string;
    readonly deleteEnabled: boolean;
    readonly readOnly: boolean;
    /** Says which stack the service belongs to. */
    readonly owner: string;
}

const NANO = 1e9;

/**
 * The registry as a service of a Swarm: as many replicas as are asked for, all with the same bucket and the same secrets, for
 * the gateway alone. What changes them replaces one after the other, each new one serving before an old one goes.
 */
export class RegistryService extends pulumi.ComponentResource {
    /** Changes when what runs does. */
    public readonly containerId: pulumi.Output<string>;
    public readonly loaderExitCode = 0;
    /** How the gateway reaches it. */
    public readonly link: ServiceLink;

    private readonly redis?: RedisService;

    constructor(
        name: string,
        private readonly args: RegistryServiceArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("private-registry:index:RegistryService", name, {}, opts);

        const network = new docker.Network(
            `${name}-network`,
            { name: `${args.containerName}-replicas`, driver: "overlay", attachable: true },
            { parent: this },
        );
        if (args.redisServer !== undefined) {
            this.redis = new RedisService(
                `${name}-redis`,
                { ...args, ...args.redisServer, network: network.id },
                { parent: this },
            );
        }
        // One certificate for both ends: whoever has its key is the gateway or a replica.
        const { certificate, privateKey } = createInnerCertificate(
            `${name}-link`,
            {
                subject: { commonName: LINK_NAME },
                dnsNames: [LINK_NAME],
                allowedUses: ["digital_signature", "server_auth", "client_auth"],
            },
            this,
        );
        const files = { ...this.files(name), "tls.crt": certificate, "tls.key": privateKey };
        const secrets = Object.entries(files).map(([file, text]) =>
            createSecret(name, file, text, args, this),
        );
        const service = this.createService(`${name}-service`, network, secrets);

        this.link = {
            kind: "service",
            service: args.containerName,
            network: network.name,
            certificate,
            privateKey,
        };
        const names = secrets.map(({ secret }) => secret.name);
        this.containerId = pulumi.all([service.id, ...names]).apply((parts) => parts.join(" "));
        this.registerOutputs({ containerId: this.containerId });
    }

    private files(name: string): Record<string, pulumi.Output<string>> {
        const { deleteEnabled, readOnly, s3, redis } = this.args;
        const httpSecret = new random.RandomPassword(
            `${name}-http-secret`,
            { length: 43, special: false },
            { parent: this },
        );
        const { all, files } = connect({ s3, redis }, this.redis?.link);
        const config = pulumi.all([httpSecret.result, all]).apply(([secret, others]) =>
            registryConfig({
                httpSecret: secret,
                deleteEnabled,
                readOnly,
                ...others,
                metricsPublished: false,
                listens: "to-gateway",
            }),
        );
        const others = files.map(([file, text]) => [file, pulumi.secret(text)] as const);
        return { "config.yml": config, ...Object.fromEntries(others) };
    }

    private createService(
        name: string,
        network: docker.Network,
        secrets: readonly SecretFile[],
    ): docker.Service {
        const { args } = this;
        const environment = ["OTEL_TRACES_EXPORTER=none", ...serviceEnvironment(args)];
        return new docker.Service(
            name,
            {
                name: args.containerName,
                labels: [{ label: OWNER_LABEL, value: args.owner }],
                mode: { replicated: { replicas: args.replicas } },
                // No address of its own: the gateway finds the replicas, and chooses.
                endpointSpec: { mode: "dnsrr" },
                convergeConfig: { delay: "1s", timeout: "5m" },
                updateConfig: {
                    order: "start-first",
                    parallelism: 1,
                    failureAction: "rollback",
                    monitor: "10s",
                },
                rollbackConfig: { order: "start-first", parallelism: 1, monitor: "5s" },
                taskSpec: {
                    containerSpec: {
                        image: args.image,
                        commands: ["registry"],
                        args: ["serve", `${CONTAINER.settings}/config.yml`],
                        env: Object.fromEntries(
                            environment.map((line) => {
                                const at = line.indexOf("=");
                                return [line.slice(0, at), line.slice(at + 1)];
                            }),
                        ),
                        readOnly: true,
                        capDrops: ["ALL"],
                        mounts: [
                            memoryMount("/tmp", 64, 0o1777),
                            // The image declares a volume there.
                            memoryMount(CONTAINER.data, 1, 0o700),
                        ],
                        secrets: secrets.map((each) => mountSecret(CONTAINER.settings, each)),
                        healthcheck: taskHealthcheck(
                            healthTest(`http://127.0.0.1:${CONTAINER.debugPort}/debug/health`),
                        ),
                        stopGracePeriod: `${DRAIN_SECONDS + 5}s`,
                    },
                    networksAdvanceds: [{ id: network.id }],
                    placement: { constraints: [...(args.constraints ?? [])] },
                    resources: {
                        limits: {
                            memoryBytes: args.memoryMiB && args.memoryMiB * MEBIBYTE,
                            nanoCpus: args.cpus && args.cpus * NANO,
                        },
                    },
                    ...TASKS,
                },
            },
            {
                parent: this,
                deleteBeforeReplace: true,
                ...(this.redis === undefined ? {} : { dependsOn: [this.redis.service] }),
            },
        );
    }
}
