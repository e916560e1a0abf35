import { quotePath } from "./property-path";
import { shellQuote } from "./shell-quote";

/** How to tell somebody what to change, in the place where the values of a registry stand. */
export interface Advice {
    /** What the values are called, at the beginning of a sentence about its problems. */
    readonly subject: string;
    /** What is certain when they were refused. */
    readonly end: string;
    /** Says to set a value; `value` is a word as a shell has it, quoted where it needs to be. */
    readonly set: (path: string, value?: string, isSecret?: boolean) => string;
    readonly unset: (path: string) => string;
    /** The same for a key of which nothing is known. */
    readonly unsetKey: (key: string) => string;
    readonly show: (path: string) => string;
    /** Where the keys of client hosts are found. */
    readonly hostKeys: string;
}

/** What to do about a problem: the same everywhere, or in the words of the place. */
export type Fix = string | ((say: Advice) => string);

/**
 * For the configuration of a stack: commands to paste.
 *
 * @param pulumi what runs Pulumi where they are pasted
 * @param stack the one to change, when it is not the one that is selected
 */
export function ofConfiguration(pulumi: "pulumi" | "./pulumiw", stack = ""): Advice {
    const option = stack === "" ? "" : ` --stack ${shellQuote(stack)}`;
    const config = (verb: string) => `${pulumi} config ${verb}${option}`;
    return {
        subject: "the configuration has",
        end: "; nothing was changed",
        set: (path, value = "", isSecret = false) =>
            `${config("set")} ${isSecret ? "--secret " : ""}${argument(path)} ${value}`.trimEnd(),
        unset: (path) => `${config("rm")} ${argument(path)}`,
        unsetKey: (key) => `${config("rm")} ${shellQuote(key)}`,
        show: (path) => `${config("get")} ${argument(path)}`,
        hostKeys: `npm run host-keys${option && ` --${option}`} shows the keys to compare and to set`,
    };
}

/** For the arguments of a component in somebody's program: code, to be written there. */
export function ofArguments(name?: string): Advice {
    return {
        subject: `the arguments of PrivateRegistry ${name === undefined ? "" : `${JSON.stringify(name)} `}have`,
        end: "",
        set: (path, value = "", isSecret = false) =>
            `${path}: ${isSecret ? SECRET_CODE : code(value)}`,
        unset: (path) => `leave out ${path}`,
        unsetKey: (key) => `leave out ${key}`,
        show: (path) => path,
        hostKeys:
            "each host has its own in /etc/ssh/ssh_host_ed25519_key.pub: take it from there, not over the network",
    };
}

/** A key, or a path in it, as an argument in a command line: `port`, `--path mirrors.hub.port`. */
function argument(path: string): string {
    return /[.[]/.test(path) ? `--path ${quotePath(path)}` : path;
}

const SECRET_CODE = 'new pulumi.Config().requireSecret("…")';

/** A word of a shell as it stands in a program. */
function code(word: string): string {
    if (word.startsWith("< ")) return `readFileSync(${JSON.stringify(word.slice(2))}, "utf8")`;
    return /^(?:true|false|\d+|'.*)$/.test(word) ? word : JSON.stringify(word);
}
