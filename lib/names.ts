import { isIP } from "node:net";

/** Plain names of things that a user names: teams, authorities, client hosts. */
export const NAME = /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/;

const DNS_NAME =
    /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** What clients take for an address, whole or not, decimal or hexadecimal: `registry.1`, `0x7f.1`. */
const NUMBER_AT_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** Whether a text is an IP address or a DNS name in lower case. */
export function isHostName(text: string): boolean {
    return isAddress(text) || isDnsName(text);
}

export function isDnsName(text: string): boolean {
    return DNS_NAME.test(text) && !NUMBER_AT_END.test(text);
}

/** Whether a text is an IP address that means the same everywhere: one with a zone (`%eth0`) is of one host alone. */
export function isAddress(text: string): boolean {
    return isIP(text) !== 0 && !text.includes("%");
}
