import { request } from "node:https";
import { connect, type ConnectionOptions } from "node:tls";
import { buffer } from "node:stream/consumers";
import type { Outputs } from "./stack";

export interface Answer {
    readonly status: number;
    readonly headers: Record<string, string | string[] | undefined>;
    readonly body: string;
    /** The same as it came. */
    readonly bytes: Buffer;
    /** SHA-256 fingerprint of the certificate that was served. */
    readonly certificate: string;
}

/** Who asks, and what for. */
export interface Question {
    /** Asks with the account that this team was given. */
    readonly team?: string;
    /** Instead of the one that the outputs hold. */
    readonly password?: string;
    readonly method?: string;
    readonly accept?: string;
    /** The name to ask for and to check the certificate against. Default: localhost. */
    readonly hostname?: string;
    readonly body?: string | Buffer;
    /** Media type of `body`. */
    readonly contentType?: string;
    /** Where to ask. Default: 127.0.0.1. */
    readonly address?: string;
}

/** Asks a stack's registry over TLS, trusting its certificate authority and nothing else. */
export function ask(outputs: Outputs, path: string, question: Question = {}): Promise<Answer> {
    const {
        team,
        method = "GET",
        accept,
        hostname = "localhost",
        body,
        contentType,
        address = "127.0.0.1",
    } = question;
    const account = outputs.teams[team ?? ""];
    const password = question.password ?? account?.password ?? "";
    const basic =
        team === undefined
            ? undefined
            : Buffer.from(`${account?.username ?? team}:${password}`).toString("base64");
    return new Promise((resolve, reject) => {
        const call = request(
            {
                host: address,
                port: new URL(outputs.url).port,
                path,
                method,
                ca: outputs.caCertificate,
                servername: hostname,
                agent: false,
                headers: {
                    ...(basic !== undefined && { authorization: `Basic ${basic}` }),
                    ...(accept !== undefined && { accept }),
                    ...(contentType !== undefined && { "content-type": contentType }),
                },
            },
            (response) => {
                const socket = response.socket as unknown as {
                    getPeerX509Certificate(): { fingerprint256: string };
                };
                const certificate = socket.getPeerX509Certificate().fingerprint256;
                buffer(response).then(
                    (bytes) =>
                        resolve({
                            status: response.statusCode ?? 0,
                            headers: response.headers,
                            body: bytes.toString(),
                            bytes,
                            certificate,
                        }),
                    reject,
                );
            },
        );
        call.on("error", reject);
        call.end(body);
    });
}

/** Tries a TLS handshake with these options; resolves with the protocol, rejects with the alert. */
export function handshake(port: number, options: ConnectionOptions): Promise<string | null> {
    return new Promise((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port, ...options }, () => {
            resolve(socket.getProtocol());
            socket.destroy();
        });
        socket.on("error", reject);
    });
}
