import { run } from "./run";
import type { TestStack } from "./stack";

/** The property of each kind of resource that must stay what it is until somebody asks for a new one. */
const KEPT: Readonly<Record<string, string>> = {
    "tls:index/privateKey:PrivateKey": "privateKeyPem",
    "tls:index/selfSignedCert:SelfSignedCert": "certPem",
    "random:index/randomPassword:RandomPassword": "result",
    "random:index/randomBytes:RandomBytes": "base64",
};

interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly delete?: boolean;
    readonly outputs?: Readonly<Record<string, string | { readonly plaintext: string }>>;
}

/**
 * What a stack's state holds and nothing else does, by the name of the resource: keys, the authority's certificate,
 * passwords with their salts, and the registry's own secret.
 */
export async function secretsOf({ folder, environment }: TestStack) {
    // Not part of what is printed: secrets are asked for here.
    const { code, stdout, stderr } = await run("pulumi", ["stack", "export", "--show-secrets"], {
        cwd: folder,
        env: environment,
    });
    if (code !== 0) throw new Error(stderr);
    const { resources = [] } = (JSON.parse(stdout) as { deployment: { resources?: Resource[] } })
        .deployment;
    return Object.fromEntries(
        resources.flatMap(({ urn, type, outputs, delete: isOld }) => {
            const value = outputs?.[KEPT[type] ?? ""];
            if (value === undefined || isOld === true) return [];
            const text = typeof value === "string" ? value : String(JSON.parse(value.plaintext));
            return [[urn.split("::").at(-1) ?? urn, text]];
        }),
    );
}
