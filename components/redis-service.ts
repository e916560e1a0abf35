import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import {
    REDIS,
    REDIS_FILES,
    REDIS_MEMORY_MIB,
    redisConfig,
    redisHealthTest,
    redisPlace,
} from "../lib/redis-config";
import { OWNER_LABEL, sha256 } from "./container-parts";
import {
    createRedisPassword,
    IMAGE_DATA,
    redisContainer,
    type RedisLink,
    redisLink,
} from "./redis-server";
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

export interface RedisServiceArgs {
    /** Image of Redis, which every node has or can pull. */
    readonly image: string;
    /** The registry's service; this one is named after it. */
    readonly containerName: string;
    /** Where it may run, as Docker's placement constraints. Default: on any node. */
    readonly constraints?: readonly string[];
    /** Id of the overlay network that the replicas are on. */
    readonly network: pulumi.Input<string>;
    /** Says which stack the service belongs to. */
    readonly owner: string;
}

/**
 * The Redis of a registry with replicas: a service of one task on their network, by TLS, as that network may go from machine to
 * machine. Where it runs next, it begins with nothing.
 */
export class RedisService extends pulumi.ComponentResource {
    public readonly link: RedisLink;
    public readonly service: docker.Service;

    constructor(
        name: string,
        private readonly args: RedisServiceArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("private-registry:index:RedisService", name, {}, opts);

        const password = createRedisPassword(name, this);
        const { certificate, privateKey } = createInnerCertificate(
            name,
            {
                subject: { commonName: REDIS.alias },
                dnsNames: [redisContainer(args.containerName)],
                allowedUses: ["digital_signature", "server_auth"],
            },
            this,
        );
        const files = {
            [REDIS_FILES.config]: password.apply((clear) => redisConfig(sha256(clear), true)),
            [REDIS_FILES.password]: password,
            [REDIS_FILES.certificate]: certificate,
            [REDIS_FILES.privateKey]: privateKey,
        };
        const secrets = Object.entries(files).map(([file, text]) =>
            createSecret(name, file, text, args, this),
        );
        this.service = this.createService(`${name}-service`, secrets);
        this.link = redisLink(redisPlace(redisContainer(args.containerName)), {
            password,
            caCertificate: certificate,
        });
        this.registerOutputs({});
    }

    private createService(name: string, secrets: readonly SecretFile[]): docker.Service {
        const { args } = this;
        return new docker.Service(
            name,
            {
                name: redisContainer(args.containerName),
                labels: [{ label: OWNER_LABEL, value: args.owner }],
                mode: { replicated: { replicas: 1 } },
                endpointSpec: { mode: "dnsrr" },
                convergeConfig: { delay: "1s", timeout: "5m" },
                // Two at the same time would each know what the other does not.
                updateConfig: {
                    order: "stop-first",
                    parallelism: 1,
                    failureAction: "rollback",
                    monitor: "5s",
                },
                rollbackConfig: { order: "stop-first", parallelism: 1, monitor: "5s" },
                taskSpec: {
                    containerSpec: {
                        image: args.image,
                        commands: ["redis-server"],
                        args: [`${REDIS.settings}/${REDIS_FILES.config}`],
                        readOnly: true,
                        capDrops: ["ALL"],
                        mounts: [memoryMount("/tmp", 1, 0o1777), memoryMount(IMAGE_DATA, 1, 0o700)],
                        secrets: secrets.map((each) => mountSecret(REDIS.settings, each)),
                        healthcheck: taskHealthcheck(redisHealthTest(true)),
                        stopGracePeriod: "10s",
                    },
                    networksAdvanceds: [{ id: args.network }],
                    placement: { constraints: [...(args.constraints ?? [])] },
                    resources: { limits: { memoryBytes: REDIS_MEMORY_MIB * MEBIBYTE } },
                    ...TASKS,
                },
            },
            { parent: this, deleteBeforeReplace: true },
        );
    }
}
