import { isIP } from "node:net";

/** Plain names of things that a user names: teams, authorities, client hosts. */
export const NAME = /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/;

const DNS_NAME =
    /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Whether a text is an IP address or a DNS name in lower case. */
export function isHostName(text: string): boolean {
    // A name of digits and dots only would be taken for an address by some clients.
    return isIP(text) !== 0 || (DNS_NAME.test(text) && !/^[\d.]+$/.test(text));
}
