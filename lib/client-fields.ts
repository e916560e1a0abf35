import { isIP } from "node:net";
import { z } from "zod";
import type { HostArgs, SshArgs } from "../components/private-registry-args";
import { isHostName } from "./names";
import { type Field, isObject } from "./object-fields";
import { boolean, integer, PRINTABLE, wellFormed } from "./scalars";
import { TARGETS } from "./trust-script";

const trueOrFalse = { schema: boolean, allowed: "true or false" };
const host = z.string().refine((text) => isIP(text) !== 0 || isHostName(text.toLowerCase()));
const HOST_KEY =
    /^(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com) ([A-Za-z0-9+/]+=*)(?: .*)?$/;

/** A line of a public key whose second word is a key of the kind that the first one says. */
function isHostKey(line: string): boolean {
    const [, kind = "", base64 = ""] = HOST_KEY.exec(line) ?? [];
    const key = Buffer.from(base64, "base64");
    const length = kind.length;
    return (
        length > 0 &&
        PRINTABLE.test(line) &&
        key.length > 4 + length &&
        key.readUInt32BE(0) === length &&
        key.toString("latin1", 4, 4 + length) === kind
    );
}

export const LOGIN_FIELDS = {
    user: {
        schema: z.string().regex(/^[A-Za-z_][A-Za-z0-9_.@-]{0,63}$/),
        allowed: "a user name",
        example: "root",
    },
    port: {
        schema: integer(1, 65535),
        allowed: "a whole number from 1 to 65535",
        example: "22",
    },
    privateKeyPath: {
        schema: wellFormed,
        allowed: "the path of a private key",
        example: "~/.ssh/id_ed25519",
    },
    privateKey: {
        schema: wellFormed.regex(/^-----BEGIN [A-Z ]*PRIVATE KEY-----\s/),
        allowed: "a private key, PEM",
        example: "< ~/.ssh/id_ed25519",
        isSecret: true,
        isLate: true,
    },
    privateKeyPassword: {
        schema: wellFormed,
        allowed: "the passphrase of the private key",
        example: "",
        isSecret: true,
        isLate: true,
    },
    password: {
        schema: wellFormed,
        allowed: "the user's password",
        example: "",
        isSecret: true,
        isLate: true,
    },
    agent: {
        ...trueOrFalse,
        allowed: "true or false: whether to log in with the keys of the SSH agent",
        example: "true",
    },
    hostKeyChecked: {
        ...trueOrFalse,
        allowed: "true or false: false lets hosts without a hostKey pass, with a warning for each",
        example: "true",
    },
} satisfies Record<string, Field>;

export const HOST_FIELDS = {
    host: {
        schema: host,
        allowed: "the name or address of the host",
        example: "192.0.2.21",
        isLate: true,
    },
    hostKey: {
        schema: z.string().refine(isHostKey),
        allowed:
            "the host's public key, ed25519 or ecdsa, as in `ssh-ed25519 AAAA…`; an rsa key is refused by the servers of today",
        example: "'ssh-ed25519 AAAA…'",
        source: ({ hostKeys }) => hostKeys,
        isLate: true,
    },
} satisfies Record<string, Field>;

export const JUMP_FIELDS: Readonly<Record<string, Field>> = { ...HOST_FIELDS, ...LOGIN_FIELDS };
export const SSH_FIELDS: Readonly<Record<string, Field>> = {
    ...LOGIN_FIELDS,
    jumpHost: {
        // A record would leave a field called __proto__ out without a word.
        schema: z.custom(isObject),
        allowed: "an object {host, hostKey, …} with the fields of ssh",
        example: "",
    },
};
export const CLIENT_FIELDS: Readonly<Record<string, Field>> = {
    ...HOST_FIELDS,
    ...SSH_FIELDS,
    sudo: { ...trueOrFalse, example: "true" },
    local: {
        ...trueOrFalse,
        allowed: "true or false: true for the machine that runs Pulumi",
        example: "true",
    },
    targets: {
        schema: z
            .array(z.enum(TARGETS))
            .min(1)
            .refine((targets) => new Set(targets).size === targets.length),
        allowed: `a list of ${TARGETS.join(", ")}; found stands for what the host has of the four that follow it`,
        example: "found",
    },
};

/** What the defaults hold, or a client of a login, once each field is known to be right. */
export type LoginFields = HostArgs & Pick<SshArgs, "jumpHost">;
