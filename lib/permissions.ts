import { z } from "zod";

/** What a team may do, as patterns of repository names; `*` stands for any characters, slashes too. */
export interface Permissions {
    /** Repositories that the team pushes to and pulls from. */
    readonly push?: readonly string[];
    /** Repositories that it pulls from. */
    readonly pull?: readonly string[];
    /** Repositories that it deletes images and tags in. */
    readonly delete?: readonly string[];
    /** Everything, and the list of all repositories. */
    readonly admin?: boolean;
}

/** A team's user names and what they may do. */
export interface TeamAccess extends Permissions {
    readonly accounts: readonly string[];
}

/** Beginning of the Docker labels that say what an account may do. */
export const ACCESS_LABEL = "private-registry.access.";

const FIELDS = ["push", "pull", "delete", "admin"] as const;

const patterns = z
    .array(z.string().regex(/^[a-z0-9*](?:[a-z0-9._/*-]{0,253}[a-z0-9*])?$/))
    .refine((list) => new Set(list).size === list.length);

/** The form of the fields; `boolean` reads true or false from a stack's file. */
export function permissionFields(boolean: z.ZodType<boolean>) {
    return {
        push: patterns.optional(),
        pull: patterns.optional(),
        delete: patterns.optional(),
        admin: boolean.optional(),
    };
}

/** Whether any of the teams has a permission of its own. Then whoever has none may do nothing. */
export function arePermissionsUsed(teams: Readonly<Record<string, Permissions>>): boolean {
    return Object.values(teams).some((team) => FIELDS.some((field) => team[field] !== undefined));
}

/** What a team may do, in the words of an access review; the same for the same rights in another order. */
export function describePermissions({ push = [], pull = [], ...team }: Permissions): string {
    if (team.admin === true) {
        return "everything";
    }
    const rights: readonly (readonly [string, readonly string[]])[] = [
        ["pushes and pulls", push],
        ["pulls", pull],
        ["deletes", team.delete ?? []],
    ];
    const granted = rights.filter(([, list]) => list.length > 0);
    return granted.length === 0
        ? "nothing"
        : granted.map(([does, list]) => `${does} ${[...list].sort().join(", ")}`).join("; ");
}

/** One kind of request: its methods and the form of its address, path and query as they come over the line. */
export interface RequestRule {
    readonly methods: readonly string[];
    /** A regular expression that JavaScript and Go read alike. */
    readonly address: string;
}

const COMPONENT = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*";
const REPOSITORY = `${COMPONENT}(?:/${COMPONENT})*`;
const TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
/** Programs that encode more than they have to write the colon as %3A. */
const DIGEST = "[A-Za-z][A-Za-z0-9+._-]*(?::|%3[Aa])[0-9a-fA-F]{32,}";
const REFERENCE = `(?:${TAG}|${DIGEST})`;
const UPLOAD = "[A-Za-z0-9_.=-]+";
const QUERY = "(?:\\?.*)?";
/** In a query most programs encode it. */
const ENCODED_SLASH = "(?:/|%2[Ff])";

/**
 * What may follow a repository's name. Each form fixes the number of parts behind the name and what they are, so no
 * address has two readings, and none that another part of the way would clean up (`..`, `//`, `%2e`) has one.
 */
const PULLED = `(?:manifests/${REFERENCE}|blobs/${DIGEST}|referrers/${DIGEST}|tags/list)`;
const NEW_UPLOAD = "blobs/uploads/";

/** Every address of the API that names a repository. */
export const REPOSITORY_ADDRESS = `^/v2/${REPOSITORY}/(?:${PULLED}|${NEW_UPLOAD}(?:${UPLOAD})?)${QUERY}$`;
/** Those of them, and more, in which a digest is meant: what stands there has a colon, and is no tag. */
export const DIGEST_ADDRESS = `^/v2/${REPOSITORY}/(?:manifests|blobs|referrers)/[^/?]*(?::|%3[Aa])[^/?]*${QUERY}$`;
/** The addresses that name none: the start page of the API, and for admins the list of all repositories. */
export const START_ADDRESS = `^/v2/${QUERY}$`;
export const CATALOG_ADDRESS = `^/v2/_catalog${QUERY}$`;

/** What a team may ask for, admins aside: they may ask for everything. */
export function allowedRequests({ push = [], pull = [], ...team }: Permissions): RequestRule[] {
    const rule = (methods: readonly string[], list: readonly string[], rest: string) =>
        list.length === 0
            ? []
            : [{ methods, address: `^/v2/${anyOf(list)}/${rest}${QUERY}$` } satisfies RequestRule];
    return [
        { methods: ["GET", "HEAD"], address: START_ADDRESS },
        ...rule(["GET", "HEAD"], [...pull, ...push], PULLED),
        ...rule(["PUT"], push, `manifests/${REFERENCE}`),
        ...rule(["POST"], push, NEW_UPLOAD),
        ...rule(["GET", "HEAD", "PATCH", "PUT", "DELETE"], push, `${NEW_UPLOAD}${UPLOAD}`),
        ...rule(["DELETE"], team.delete ?? [], `(?:manifests/${REFERENCE}|blobs/${DIGEST})`),
    ];
}

/**
 * An upload that asks for a blob of another repository instead of bytes, from one that the team may pull from. The
 * registry answers any other start of an upload in the same way without its query.
 */
export function allowedMount({ push = [], pull = [] }: Permissions): RequestRule | undefined {
    if (push.length === 0) {
        return undefined;
    }
    const from = `from=${anyOf([...pull, ...push], ENCODED_SLASH)}`;
    const mount = `mount=${DIGEST}`;
    return {
        methods: ["POST"],
        address: `^/v2/${anyOf(push)}/${NEW_UPLOAD}\\?(?:${mount}&${from}|${from}&${mount})$`,
    };
}

/** Names that fit one of the patterns. Whether what fits is a name at all is asked elsewhere. */
function anyOf(patterns: readonly string[], slash = "/"): string {
    const texts = [...new Set(patterns)]
        .sort()
        .map((pattern) =>
            pattern
                .replaceAll(".", "\\.")
                .replaceAll("/", slash)
                .replace(/\*+/g, `(?:[a-z0-9._-]|${slash})*`),
        );
    return `(?:${texts.join("|")})`;
}
