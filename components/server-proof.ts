import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

export interface ServerProofArgs {
    /** The name that clients type; the certificate must be valid for it. */
    readonly hostname: string;
    /** Address at which the registry is reached from the machine that runs Pulumi. */
    readonly address: string;
    readonly port: number;
    readonly containerName: string;
    /** Certificates to trust, PEM. */
    readonly caBundle: pulumi.Input<string>;
    /** The certificate that must be served, PEM. */
    readonly certificate: pulumi.Input<string>;
    /** Whether a request without an account must be answered and not refused. */
    readonly anonymous?: boolean;
    /** Password by user name, secret. Each must be accepted. */
    readonly passwords: pulumi.Input<Record<string, string>>;
    /** What to call a storage outside of the Docker host, which the registry must be able to use. Unset: there is none. */
    readonly storage?: string;
    readonly containerId: pulumi.Input<string>;
    readonly loaderExitCode: pulumi.Input<number>;
}

const PROGRAM = readFileSync(join(__dirname, "prove-registry.js"), "utf8");

/**
 * Asks the running registry, over TLS and with only the stack's own authority trusted, whether it
 * serves the right certificate, refuses a request without account (unless it is for anybody), accepts
 * every account and can use its storage. A failed proof is not kept, so every `up` asks again until it
 * holds; a container that came up unhealthy would be reported once.
 */
export class ServerProof extends pulumi.ComponentResource {
    constructor(name: string, args: ServerProofArgs, opts?: pulumi.ComponentResourceOptions) {
        super("private-registry:index:ServerProof", name, {}, opts);

        const input = pulumi.output({ ...args }).apply((values) => JSON.stringify(values));
        const proof = new command.local.Command(
            `${name}-command`,
            {
                // Program and input go in on stdin: an error message shows the command line.
                create: "exec node -",
                stdin: pulumi.secret(pulumi.interpolate`${PROGRAM}\nprove(${input});\n`),
                addPreviousOutputInEnv: false,
            },
            { parent: this },
        );
        this.registerOutputs({ result: proof.stdout });
    }
}
