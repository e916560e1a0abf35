import { type LoginFields, LOGIN_FIELDS } from "./client-fields";
import type { Fix } from "./advice";
import type { ConfigProblem } from "./config-problems";
import type { Late } from "./late";

/** What the program's surroundings offer for logging in. */
export interface LoginSurroundings {
    /** Value of the environment variable SSH_AUTH_SOCK. */
    readonly sshAgent: string | undefined;
    /** The user's home folder. */
    readonly home: string;
    /** Text of a file, its path relative to the project; throws when it cannot be read. */
    readonly readFile: (path: string) => string;
}

/** With what to log in. */
export interface Credentials {
    /** PEM. */
    readonly privateKey?: Late;
    readonly privateKeyPassword?: Late;
    readonly password?: Late;
    readonly agent?: boolean;
}

const DEFAULT_KEYS = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];
const KEY_FIX: Fix = ({ set }) => set("ssh.privateKeyPath", "~/.ssh/id_ed25519");

/**
 * Finds what the fields of a login name: the text of the key, the password, or that it is the agent. Without any, it is
 * what `ssh` itself would try: the agent, else the first of the user's own keys.
 */
export function findCredentials(
    path: string,
    fields: LoginFields,
    surroundings: LoginSurroundings,
): Credentials | { readonly problem: ConfigProblem } {
    const { privateKey, privateKeyPath, privateKeyPassword, password, agent = false } = fields;
    const { sshAgent } = surroundings;
    if (agent && !sshAgent) {
        return problem(
            `${path}.agent`,
            true,
            "false where no SSH agent runs: SSH_AUTH_SOCK is not set",
            "start one (eval $(ssh-agent) && ssh-add), or set ssh.privateKeyPath",
        );
    }
    const others = { privateKeyPassword, password, agent };
    if (privateKey !== undefined) {
        return { privateKey, ...others };
    }
    if (privateKeyPath !== undefined) {
        const key = readKey(privateKeyPath, surroundings);
        return "text" in key
            ? { privateKey: key.text, ...others }
            : problem(`${path}.privateKeyPath`, privateKeyPath, key.allowed, KEY_FIX);
    }
    if (password !== undefined || agent) {
        return others;
    }
    // The agent has no use for a passphrase, and is not asked where it was refused.
    if (sshAgent && fields.agent !== false && privateKeyPassword === undefined) {
        return { agent: true };
    }
    for (const file of DEFAULT_KEYS) {
        const key = readKey(file, surroundings);
        if ("text" in key) {
            return { privateKey: key.text, ...others };
        }
    }
    return problem(
        "ssh",
        undefined,
        "something to log in with: privateKeyPath, privateKey, agent or password",
        KEY_FIX,
    );
}

function readKey(
    path: string,
    { home, readFile }: LoginSurroundings,
): { readonly text: string } | { readonly allowed: string } {
    try {
        const text = readFile(path.startsWith("~/") ? `${home}${path.slice(1)}` : path);
        return LOGIN_FIELDS.privateKey.schema.safeParse(text).success
            ? { text }
            : { allowed: "the path of a private key in PEM; this file holds something else" };
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return { allowed: `the path of a private key that can be read (${code ?? String(error)})` };
    }
}

function problem(
    key: string,
    given: unknown,
    allowed: string,
    fix: Fix,
): { readonly problem: ConfigProblem } {
    return { problem: { key, given, allowed, fix } };
}
