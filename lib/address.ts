import { isIP, isIPv6, SocketAddress } from "node:net";
import { isHostName } from "./names";

/** `host:port` as clients type it, with an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
    return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads what `hostAndPort` writes; the port may be missing. */
export function parseHostAndPort(
    text: string,
): { readonly host: string; readonly port?: number } | undefined {
    const [, inBrackets, plain, port] =
        /^(?:\[([^\]]+)\]|([^:]+))(?::([1-9]\d{0,4}))?$/.exec(text) ?? [];
    const host = inBrackets ?? plain ?? "";
    const isHost = inBrackets === undefined ? !isIPv6(host) && isHostName(host) : isIPv6(host);
    if (!isHost || host.includes("%") || (port !== undefined && +port > 65535)) return undefined;
    return port === undefined ? { host } : { host, port: +port };
}

/** The registry as image names and `certs.d` have it: `host:port`, without the port where that is HTTPS's own. */
export function registryName(hostname: string, port: number): string {
    return port === 443
        ? hostAndPort(hostname, port).slice(0, -":443".length)
        : hostAndPort(hostname, port);
}

/** The names that a server certificate is valid for, in the two kinds that X.509 knows. */
export interface SubjectAltNames {
    readonly dnsNames: string[];
    readonly ipAddresses: string[];
}

/**
 * Sorts names and addresses into the two kinds, each without repetition and in a fixed order:
 * the order is part of a certificate request, so another order would mean another certificate.
 */
export function subjectAltNames(names: readonly (string | undefined)[]): SubjectAltNames {
    const unique = [...new Set(names.filter((name) => name !== undefined))].sort();
    return {
        dnsNames: unique.filter((name) => isIP(name) === 0),
        ipAddresses: unique.filter((name) => isIP(name) !== 0),
    };
}

/** An address in the form in which systems print it: IPv6 is short and in lower case. Two texts of one address are then the same. */
export function canonicalAddress(address: string): string {
    return isIPv6(address) ? new SocketAddress({ address, family: "ipv6" }).address : address;
}

/** Whether an address to listen on means every address of the host. */
export function isWildcard(address: string): boolean {
    return address === "0.0.0.0" || address === "::";
}

/** Whether a name or an address means the machine itself, wherever it is used. */
export function isLoopback(host: string): boolean {
    return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** What a URL's reader would put up with and another one not: blanks around it, tabs within, a single slash, a password. */
const SERVICE_URL = /^https?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[1-9]\d{0,4})?$/;

/** Whether a text is the address of an HTTP service, scheme, host and port alone, that is not on the machine that asks. */
export function isServiceUrl(text: string): boolean {
    if (!SERVICE_URL.test(text) || !URL.canParse(text)) {
        return false;
    }
    return !isLoopback(new URL(text).hostname.replace(/^\[(.*)\]$/, "$1"));
}
