import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { bundle, fingerprint } from "../lib/certificates";
import type { SubjectAltNames } from "../lib/address";

/** The fields of a certificate's subject besides its common name, as openssl's C, ST, L, O and OU. */
export interface Subject {
    /** Two letters, as ISO 3166 has them. */
    readonly country?: string;
    readonly province?: string;
    readonly locality?: string;
    readonly organization?: string;
    readonly organizationalUnit?: string;
}

/** Algorithm of keys: `ECDSA` (P-256) or `RSA` (2048 bits). */
export type KeyAlgorithm = "ECDSA" | "RSA";

export interface CertificateAuthorityArgs {
    /** Ids of the authorities. The first one signs; all of them are trusted. */
    readonly authorities: readonly string[];
    readonly subject: Subject;
    /** Of the server's key, and of the keys of authorities that are made from now on: each keeps the one that it has. */
    readonly keyAlgorithm: KeyAlgorithm;
    /** Days that an authority's certificate is valid. */
    readonly authorityValidityDays: number;
    /** Days that a server certificate is valid. */
    readonly certificateValidityDays: number;
    /** Days before its end at which an `up` replaces a server certificate. */
    readonly earlyRenewalDays: number;
}

/** A server's key and the certificate that the signing authority issued for it. */
export interface ServerCertificate {
    readonly certificate: pulumi.Output<string>;
    /** Secret. */
    readonly privateKey: pulumi.Output<string>;
    /** End of validity, RFC 3339 in UTC. */
    readonly expires: pulumi.Output<string>;
}

interface Authority {
    readonly key: tls.PrivateKey;
    readonly certificate: tls.SelfSignedCert;
}

/** X.509's upper bound for a common name. */
const COMMON_NAME_LENGTH = 64;

/**
 * The stack's own certificate authority: one or more authorities, each with a key and a self-signed
 * certificate. Several exist only during a rotation. Their private keys never leave the state.
 */
export class CertificateAuthority extends pulumi.ComponentResource {
    /** Certificates of all authorities, PEM. Ordered by id, so that changing who signs leaves it as it is. */
    public readonly bundle: pulumi.Output<string>;
    /** SHA-256 fingerprints of the certificates in `bundle`, in its order. */
    public readonly fingerprints: pulumi.Output<string[]>;

    private readonly signing: Authority;

    constructor(
        private readonly name: string,
        private readonly args: CertificateAuthorityArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("private-registry:index:CertificateAuthority", name, {}, opts);

        const byId = new Map(args.authorities.map((id) => [id, this.createAuthority(id)]));
        const [signingId] = args.authorities;
        const signing = signingId === undefined ? undefined : byId.get(signingId);
        if (signing === undefined) {
            throw new Error("a certificate authority needs at least one id in `authorities`");
        }
        this.signing = signing;

        const certificates = pulumi.all(
            [...byId]
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([, { certificate }]) => certificate.certPem),
        );
        this.bundle = certificates.apply(bundle);
        this.fingerprints = certificates.apply((pems) => pems.map(fingerprint));
        this.registerOutputs({ fingerprints: this.fingerprints });
    }

    /**
     * Issues a certificate for a TLS server with these names. Its resources become this authority's children.
     *
     * @param after what must have succeeded before a certificate is issued anew
     */
    public issueServerCertificate(
        role: string,
        commonName: string,
        names: SubjectAltNames,
        after?: pulumi.Resource,
    ): ServerCertificate {
        const { args } = this;
        const prefix = `${this.name}-${role}`;
        const key = this.createKey(`${prefix}-key`);
        const request = new tls.CertRequest(
            `${prefix}-request`,
            { privateKeyPem: key.privateKeyPem, subject: this.subject(commonName), ...names },
            { parent: this },
        );
        const certificate = new tls.LocallySignedCert(
            `${prefix}-cert`,
            {
                caCertPem: this.signing.certificate.certPem,
                caPrivateKeyPem: this.signing.key.privateKeyPem,
                certRequestPem: request.certRequestPem,
                validityPeriodHours: args.certificateValidityDays * 24,
                earlyRenewalHours: args.earlyRenewalDays * 24,
                // An RSA key also encrypts the session key in the cipher suites of TLS 1.2 that use it so.
                allowedUses: [
                    "digital_signature",
                    ...(args.keyAlgorithm === "RSA" ? ["key_encipherment"] : []),
                    "server_auth",
                ],
            },
            { parent: this, dependsOn: after },
        );
        return {
            certificate: certificate.certPem,
            privateKey: key.privateKeyPem,
            expires: certificate.validityEndTime.apply((time) => new Date(time).toISOString()),
        };
    }

    private createAuthority(id: string): Authority {
        const { args, name } = this;
        // With another key it would be another authority, which no client trusts yet: that is what a further id is for.
        const key = this.createKey(`${name}-key-${id}`, ["algorithm", "rsaBits", "ecdsaCurve"]);
        const certificate = new tls.SelfSignedCert(
            `${name}-cert-${id}`,
            {
                privateKeyPem: key.privateKeyPem,
                subject: this.subject(`private-registry authority ${id}`),
                isCaCertificate: true,
                setSubjectKeyId: true,
                allowedUses: ["cert_signing", "crl_signing"],
                validityPeriodHours: args.authorityValidityDays * 24,
                // Renewed, with the same key, while it still outlives every certificate that it signs.
                earlyRenewalHours: (args.certificateValidityDays + args.earlyRenewalDays) * 24,
            },
            { parent: this },
        );
        return { key, certificate };
    }

    private createKey(name: string, ignoreChanges: string[] = []): tls.PrivateKey {
        const algorithm =
            this.args.keyAlgorithm === "RSA"
                ? { algorithm: "RSA", rsaBits: 2048 }
                : { algorithm: "ECDSA", ecdsaCurve: "P256" };
        return new tls.PrivateKey(name, algorithm, { parent: this, ignoreChanges });
    }

    private subject(commonName: string) {
        // Clients look at the alternative names only, so a name too long for the subject is left out of it.
        return commonName.length <= COMMON_NAME_LENGTH
            ? { ...this.args.subject, commonName }
            : { ...this.args.subject };
    }
}
