import { X509Certificate } from "node:crypto";

/** SHA-256 fingerprint of one PEM certificate, written as `openssl x509 -fingerprint` does. */
export function fingerprint(certificatePem: string): string {
    return new X509Certificate(certificatePem).fingerprint256;
}

/** One PEM text of several certificates, in the order given. */
export function bundle(certificatePems: readonly string[]): string {
    return certificatePems.map((pem) => `${pem.trimEnd()}\n`).join("");
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g;

/** Whether a text holds one or more certificates, PEM, each of which can be read. Lines in between are comments. */
export function areCertificates(text: string): boolean {
    const found = text.match(CERTIFICATE) ?? [];
    return (
        found.length > 0 &&
        found.length === text.split("-----BEGIN CERTIFICATE-----").length - 1 &&
        !/[\p{Cs}\0]/u.test(text) &&
        found.every(isCertificate)
    );
}

function isCertificate(pem: string): boolean {
    try {
        return new X509Certificate(pem).raw.length > 0;
    } catch {
        return false;
    }
}

const DAY = 86_400_000;

/** Whole days from now until a time in RFC 3339; negative when it has passed. */
export function daysUntil(time: string): number {
    return Math.floor((Date.parse(time) - Date.now()) / DAY);
}
