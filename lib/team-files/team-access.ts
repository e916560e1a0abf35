import type { TeamHandOver } from "../hand-over";
import { shellQuote } from "../shell-quote";

/** What one team's files are made from: the registry as the stack's outputs have it, and the team's account. */
export interface TeamAccess {
    readonly team: string;
    /** The registry as image names have it. */
    readonly registry: string;
    readonly url: string;
    /** What machines that do not know the registry's name map it to. Unset: their own name resolution knows it. */
    readonly address?: string;
    /** Certificates of the authorities, PEM. */
    readonly caCertificate: string;
    /** SHA-256 fingerprints of these certificates. */
    readonly caFingerprints: readonly string[];
    readonly account: TeamHandOver;
}

/** One file of a hand-over. */
export interface TeamFile {
    readonly name: string;
    /** What it is for and how it is used, in lines of text. */
    readonly purpose: readonly string[];
    readonly text: string;
    /** Whether the password is in it, in whatever form. */
    readonly isSecret: boolean;
}

/** What stands in the place of a secret that nobody has asked to see, as in Pulumi's own output. */
export const HIDDEN = "[secret]";

/** Name and port of the registry, each by itself. */
export function hostAndPortOf({ url }: TeamAccess): { hostname: string; port: number } {
    // Not by URL's own reading, which knows better than DNS what a name is.
    const [, bracketed, plain = "", port = "443"] =
        /^https:\/\/(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(url) ?? [];
    return { hostname: bracketed ?? plain, port: Number(port) };
}

/** The login line with the password taken out of it. */
export function loginWithoutPassword({ account: { login, password } }: TeamAccess): string {
    return login.replaceAll(shellQuote(password), HIDDEN);
}
