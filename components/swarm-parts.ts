import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { OWNER_LABEL, sha256 } from "./container-parts";

export const MEBIBYTE = 1024 * 1024;
const HOURS_A_DAY = 24;
/** Both ends belong to the stack and change together, so it need not end soon. */
const INNER_CERTIFICATE_DAYS = 3650;

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

/** A key with a certificate that it has signed itself, for what only the stack's own services say to each other. */
export function createInnerCertificate(
    name: string,
    names: Pick<tls.SelfSignedCertArgs, "subject" | "dnsNames" | "allowedUses">,
    parent: pulumi.Resource,
) {
    const key = new tls.PrivateKey(
        `${name}-key`,
        { algorithm: "ECDSA", ecdsaCurve: "P256" },
        { parent },
    );
    const certificate = new tls.SelfSignedCert(
        `${name}-cert`,
        {
            ...names,
            privateKeyPem: key.privateKeyPem,
            validityPeriodHours: INNER_CERTIFICATE_DAYS * HOURS_A_DAY,
            earlyRenewalHours: (INNER_CERTIFICATE_DAYS / 10) * HOURS_A_DAY,
        },
        { parent },
    );
    return { certificate: certificate.certPem, privateKey: key.privateKeyPem };
}

/** Memory in the place of a folder. */
export function memoryMount(target: string, sizeMiB: number, mode: number) {
    return { type: "tmpfs", target, tmpfsOptions: { sizeBytes: sizeMiB * MEBIBYTE, mode } };
}

/** How the tasks of every service go on after their end, and what is kept of what they say. */
export const TASKS = {
    restartPolicy: { condition: "any", delay: "1s", maxAttempts: 0, window: "0s" },
    logDriver: { name: "json-file", options: { "max-size": "10m", "max-file": "3" } },
};

/** A task's health check. Others wait for it, so it comes soon. */
export function taskHealthcheck(tests: string[]) {
    return { tests, interval: "5s", timeout: "5s", startPeriod: "10s", retries: 3 };
}
