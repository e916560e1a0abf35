import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** A resource as the program declared it. */
export interface Declared {
    readonly type: string;
    readonly name: string;
    readonly opts: pulumi.CustomResourceOptions;
    readonly resource: pulumi.Resource;
}

/** A resource as it reaches the engine: its inputs are serialised, secrets with Pulumi's mark. */
export interface Registered {
    readonly type: string;
    readonly name: string;
    readonly inputs: Record<string, unknown>;
}

/** What a program under test asked for. */
export interface Recording {
    readonly declared: Declared[];
    readonly registered: Registered[];
}

const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_VALUE = "1b47061264138c4ac30d75fd1eb44270";

/** Whether a serialised value carries the mark of a secret. */
export function isMarkedSecret(value: unknown): boolean {
    return (
        typeof value === "object" &&
        value !== null &&
        (value as Record<string, unknown>)[SECRET_SIGNATURE] === SECRET_VALUE
    );
}

/** A serialised value without the mark of a secret. */
export function unwrap<T>(value: unknown): T {
    return (isMarkedSecret(value) ? (value as { value: unknown }).value : value) as T;
}

/** A real certificate, since the program reads what it is given. */
const CERTIFICATE = execFileSync(
    "openssl",
    [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=mock",
        "-keyout",
        "/dev/null",
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
);

/** What each provider would answer besides the inputs. A mock has to mark secrets itself. */
function outputs(type: string, name: string): Record<string, unknown> {
    switch (type) {
        case "tls:index/privateKey:PrivateKey":
            return { privateKeyPem: pulumi.secret(`key of ${name}`) };
        case "tls:index/selfSignedCert:SelfSignedCert":
        case "tls:index/locallySignedCert:LocallySignedCert":
            return { certPem: CERTIFICATE, validityEndTime: "2030-01-02T03:04:05.678901234+01:00" };
        case "tls:index/certRequest:CertRequest":
            return { certRequestPem: `request of ${name}` };
        case "random:index/randomPassword:RandomPassword":
            return { result: pulumi.secret(`password of ${name}`) };
        case "random:index/randomBytes:RandomBytes":
            return { base64: pulumi.secret(randomBytes(16).toString("base64")) };
        case "command:local:Command":
        case "command:remote:Command":
            return { stdout: "", stderr: "" };
        case "docker:index/remoteImage:RemoteImage":
            return { imageId: "sha256:0000" };
        case "docker:index/container:Container":
            return { exitCode: 0 };
        case "docker:index/volume:Volume":
        case "docker:index/network:Network":
            return { name: `name of ${name}` };
        default:
            return {};
    }
}

/** Starts a recording. In a preview, whatever a provider computes is unknown. */
export function record(preview: boolean): Recording {
    const recording: Recording = { declared: [], registered: [] };
    void pulumi.runtime.setMocks(
        {
            newResource: ({ type, name, inputs }) => {
                recording.registered.push({
                    type,
                    name,
                    inputs: inputs as Record<string, unknown>,
                });
                return {
                    id: preview ? undefined : `id of ${name}`,
                    state: preview ? inputs : { ...outputs(type, name), ...inputs },
                };
            },
            call: () => ({}),
        },
        "private-registry",
        "test",
        preview,
    );
    return recording;
}

/** Passed as an option to the component under test: notes every resource below it as it was declared. */
export function noteDeclarations(recording: Recording): pulumi.ResourceTransformation {
    return ({ type, name, opts, resource }) => {
        recording.declared.push({ type, name, opts, resource });
        return undefined;
    };
}

/** Waits until every declared resource is registered. Awaiting an Output itself would not wait. */
export async function settled(recording: Recording): Promise<string[]> {
    return Promise.all(recording.declared.map(({ resource }) => value(resource.urn)));
}

/** The value of an output; `undefined` when it is unknown. */
export function value<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve) => {
        pulumi.output(output).apply((known) => resolve(known as T));
    });
}
