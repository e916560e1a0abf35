import { X509Certificate } from "node:crypto";

/** SHA-256 fingerprint of one PEM certificate, written as `openssl x509 -fingerprint` does. */
export function fingerprint(certificatePem: string): string {
    return new X509Certificate(certificatePem).fingerprint256;
}

/** One PEM text of several certificates, in the order given. */
export function bundle(certificatePems: readonly string[]): string {
    return certificatePems.map((pem) => `${pem.trimEnd()}\n`).join("");
}

const DAY = 86_400_000;

/** Whole days from now until a time in RFC 3339; negative when it has passed. */
export function daysUntil(time: string): number {
    return Math.floor((Date.parse(time) - Date.now()) / DAY);
}
