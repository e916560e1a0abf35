/** Pieces of a Caddy configuration. @see https://caddyserver.com/docs/json/ */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
    readonly [key: string]: Json;
}
export type Route = JsonObject;

/** How much of headers a client may send. Unit: bytes. */
export const HEADER_BYTES = 64 * 1024;

export const seconds = (count: number) => `${count}s`;

/** Matches when the text, which may be a placeholder, fits a regular expression of Go. */
export function fits(text: string, pattern: string): JsonObject {
    return { vars_regexp: { [text]: { pattern } } };
}

/** Matches when the text, which may be a placeholder, is one of the values. */
export function isOneOf(text: string, values: readonly string[]): JsonObject {
    return { vars: { [text]: [...values] } };
}

/** An answer in the form that the registry's clients know, and show to their users. */
export function refusal(status: number | string, code: string, message: string): JsonObject {
    return {
        handler: "static_response",
        status_code: status,
        headers: { "Content-Type": ["application/json"] },
        body: `${JSON.stringify({ errors: [{ code, message, detail: null }] })}\n`,
    };
}

/** A server behind a socket, or for the container itself. */
export function plainServer(listen: string, routes: readonly Route[]): JsonObject {
    return { listen: [listen], protocols: ["h1"], automatic_https: { disable: true }, routes };
}

/** Says that the server is there. */
export const HEALTH: Route = {
    match: [{ path: ["/health"] }],
    handle: [{ handler: "static_response", status_code: 200 }],
};

/** Warnings and errors. */
export const ERROR_LOG: JsonObject = {
    level: "WARN",
    encoder: { format: "json" },
    // "admin" says at every start that a socket, which only we have, could be anybody's.
    exclude: ["admin", "http.log.access"],
};
