import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
    REDIS,
    REDIS_FILES,
    REDIS_MEMORY_MIB,
    redisConfig,
    redisHealthTest,
    redisPlace,
} from "../lib/redis-config";
import type { RedisCache } from "../lib/storage-config";
import {
    healthcheckOf,
    imageOf,
    limits,
    LOADING,
    OWNER_LABEL,
    SCRATCH,
    SERVING,
    SETTINGS_LABEL,
    sha256,
    upload,
} from "./container-parts";

export interface RedisServerArgs {
    /** Image of Redis, with a tag or a digest. One that the Docker host has already is not pulled. */
    readonly image: string;
    /** The registry's container; this one is named after it. */
    readonly containerName: string;
    /** Compared with other containers. */
    readonly cpuShares: number;
    /** Says which stack the containers belong to. */
    readonly owner: string;
}

/** How the registry reaches a Redis of its own. */
export interface RedisLink {
    /** All but what is only known when it is made. */
    readonly place: RedisCache;
    /** The same with its password. Secret. */
    readonly cache: pulumi.Output<RedisCache>;
}

const LOAD_SCRIPT = readFileSync(join(__dirname, "load-settings.sh"), "utf8");

/**
 * A Redis of the registry's own, in a container beside it, on a network that leads nowhere else. It keeps everything in memory
 * and nothing that is missed when it goes.
 */
export class RedisServer extends pulumi.ComponentResource {
    public readonly link: RedisLink;
    /** Name of the network that it shares with the registry. */
    public readonly network: pulumi.Output<string>;
    public readonly container: docker.Container;

    constructor(
        name: string,
        private readonly args: RedisServerArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("private-registry:index:RedisServer", name, {}, opts);

        const image = imageOf(name, args.image, this);
        const password = createRedisPassword(name, this);
        const config = password.apply((clear) => redisConfig(sha256(clear), false));
        const settings = new docker.Volume(`${name}-settings`, {}, { parent: this });
        const network = new docker.Network(
            `${name}-network`,
            { driver: "bridge", internal: true },
            { parent: this },
        );
        const loader = this.createLoader(`${name}-loader`, image, settings, {
            [REDIS_FILES.config]: config,
            [REDIS_FILES.password]: password,
        });

        this.network = network.name;
        this.container = this.createContainer(
            `${name}-container`,
            image,
            settings,
            // The hash of a text with a 256-bit secret's hash in it says nothing about the secret.
            pulumi.unsecret(config.apply((text) => sha256(text))),
            loader,
        );
        this.link = redisLink(redisPlace(REDIS.alias), { password });
        this.registerOutputs({ network: this.network });
    }

    private createLoader(
        name: string,
        image: docker.RemoteImage,
        settings: docker.Volume,
        files: Readonly<Record<string, pulumi.Output<string>>>,
    ): docker.Container {
        return new docker.Container(
            name,
            {
                ...LOADING,
                ...this.limits(),
                image: image.imageId,
                command: [LOAD_SCRIPT],
                uploads: Object.entries(files).map(([file, text]) => upload(file, text)),
                volumes: [{ containerPath: "/settings", volumeName: settings.name }],
                labels: [{ label: OWNER_LABEL, value: this.args.owner }],
                tmpfs: { [IMAGE_DATA]: "size=1m" },
                capabilities: { drops: ["ALL"] },
            },
            { parent: this, deleteBeforeReplace: true },
        );
    }

    private createContainer(
        name: string,
        image: docker.RemoteImage,
        settings: docker.Volume,
        settingsHash: pulumi.Output<string>,
        loader: docker.Container,
    ): docker.Container {
        const { args } = this;
        return new docker.Container(
            name,
            {
                name: redisContainer(args.containerName),
                image: image.imageId,
                // The official image's own would first change the user, for which it needs what this one may not do.
                entrypoints: ["redis-server"],
                command: [`${REDIS.settings}/${REDIS_FILES.config}`],
                labels: [
                    { label: OWNER_LABEL, value: args.owner },
                    { label: SETTINGS_LABEL, value: settingsHash },
                ],
                networksAdvanced: [{ name: this.network, aliases: [REDIS.alias] }],
                volumes: [
                    { containerPath: REDIS.settings, volumeName: settings.name, readOnly: true },
                ],
                ...SERVING,
                ...this.limits(),
                tmpfs: { ...SCRATCH, [IMAGE_DATA]: "size=1m" },
                capabilities: { drops: ["ALL"] },
                healthcheck: healthcheckOf(redisHealthTest(false)),
            },
            {
                parent: this,
                deleteBeforeReplace: true,
                replaceOnChanges: ["tmpfs"],
                dependsOn: [loader],
            },
        );
    }

    private limits() {
        return limits({ memoryMiB: REDIS_MEMORY_MIB, cpuShares: this.args.cpuShares });
    }
}

/** Where the official image declares a volume, which Docker would make anew for every container. */
export const IMAGE_DATA = "/data";

/** What a registry's own Redis is called, as a container and as a service. */
export function redisContainer(containerName: string): string {
    return `${containerName}-redis`;
}

export function createRedisPassword(name: string, parent: pulumi.Resource): pulumi.Output<string> {
    return new random.RandomPassword(`${name}-password`, { length: 43, special: false }, { parent })
        .result;
}

/** With a certificate it is reached by TLS. */
export function redisLink(
    place: RedisCache,
    secrets: {
        readonly password: pulumi.Output<string>;
        readonly caCertificate?: pulumi.Output<string>;
    },
): RedisLink {
    return {
        place: {
            ...place,
            password: "",
            ...(secrets.caCertificate === undefined ? {} : { caCertificate: "" }),
        },
        cache: pulumi.output(secrets).apply((known) => ({ ...place, ...known })),
    };
}
