import * as pulumi from "@pulumi/pulumi";
import type { Late } from "../lib/late";
import type { Mirror } from "../lib/mirror-config";
import type { Limits } from "./container-parts";
import { RegistryServer } from "./registry-server";
import { ServerProof } from "./server-proof";

export interface MirrorCachesArgs extends Limits {
    /** By name. */
    readonly mirrors: Readonly<Record<string, Mirror<Late>>>;
    readonly hostname: string;
    /** Address at which they are reached from the machine that runs Pulumi. */
    readonly address: string;
    /** Address of the Docker host that their ports are published on. */
    readonly bindAddress: string;
    /** Image of the registry. */
    readonly image: string;
    /** The registry's container; theirs are named after it. */
    readonly containerName: string;
    /** Names their volumes. */
    readonly instance: string;
    readonly owner: string;
    /** Certificates to trust, PEM. */
    readonly caBundle: pulumi.Input<string>;
    /** PEM. */
    readonly certificate: pulumi.Input<string>;
    /** PEM, secret. */
    readonly privateKey: pulumi.Input<string>;
    /** Accounts as the text of an htpasswd file, secret. */
    readonly htpasswd: pulumi.Input<string>;
    /** Password by user name, secret. */
    readonly passwords: pulumi.Input<Record<string, string>>;
}

/**
 * Pull-through caches, each a registry of its own that takes no pushes, under the registry's name and with its certificate, on
 * a port of its own: Docker takes no path in the address of a mirror. What they keep goes with them.
 */
export class MirrorCaches extends pulumi.ComponentResource {
    constructor(name: string, args: MirrorCachesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("private-registry:index:MirrorCaches", name, {}, opts);
        for (const [key, mirror] of Object.entries(args.mirrors)) {
            this.createMirror(`${name}-${key}`, key, mirror, args);
        }
        this.registerOutputs({});
    }

    private createMirror(
        name: string,
        key: string,
        { upstream, port, anonymous }: Mirror<Late>,
        args: MirrorCachesArgs,
    ): void {
        const { certificate, privateKey } = args;
        const containerName = mirrorContainer(args.containerName, key);
        const server = new RegistryServer(
            name,
            {
                image: args.image,
                memoryMiB: args.memoryMiB,
                cpuShares: args.cpuShares,
                containerName,
                dataVolume: `${args.instance}-mirror-${key}`,
                dataRetained: false,
                bindAddress: args.bindAddress,
                port,
                deleteEnabled: false,
                readOnly: false,
                owner: args.owner,
                upstream,
                direct: {
                    certificate,
                    privateKey,
                    htpasswd: anonymous ? undefined : args.htpasswd,
                },
            },
            { parent: this },
        );
        new ServerProof(
            `${name}-proof`,
            {
                hostname: args.hostname,
                address: args.address,
                port,
                containerName,
                caBundle: args.caBundle,
                certificate,
                anonymous,
                passwords: anonymous ? {} : args.passwords,
                containerId: server.containerId,
                loaderExitCode: server.loaderExitCode,
            },
            { parent: this },
        );
    }
}

/** What a mirror's container is called. */
export function mirrorContainer(containerName: string, mirror: string): string {
    return `${containerName}-mirror-${mirror}`;
}
