import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { OWNER_LABEL, sha256 } from "./container-parts";

/** A file that a service reads, as a secret of its Swarm. */
export interface SecretFile {
    readonly file: string;
    readonly secret: docker.Secret;
}

/** Named by its content: a Swarm's secret cannot change, and the service goes over to the new one before the old one goes. */
export function createSecret(
    name: string,
    file: string,
    text: pulumi.Input<string>,
    { containerName, owner }: { readonly containerName: string; readonly owner: string },
    parent: pulumi.Resource,
): SecretFile {
    const content = pulumi.secret(text);
    // The hash of a text with a key or a 256-bit secret in it says nothing about it.
    const digest = pulumi.unsecret(content.apply((clear) => sha256(clear).slice(0, 16)));
    const role = file.replaceAll(".", "-");
    const secret = new docker.Secret(
        `${name}-${role}`,
        {
            name: pulumi.interpolate`${containerName}-${role}-${digest}`,
            data: content.apply((clear) => Buffer.from(clear).toString("base64")),
            labels: [{ label: OWNER_LABEL, value: owner }],
        },
        { parent, deleteBeforeReplace: false },
    );
    return { file, secret };
}

/** The same as a service takes it: readable by its user alone. */
export function mountSecret(folder: string, { file, secret }: SecretFile) {
    return {
        secretId: secret.id,
        secretName: secret.name,
        fileName: `${folder}/${file}`,
        fileMode: 0o400,
    };
}
