import { connect, type TLSSocket } from "node:tls";
import { once } from "node:events";
import type { Outputs } from "./stack";

/** One TLS connection to a stack's registry, over which a test sends whatever bytes it likes. */
export class RawConnection {
    private received = "";
    private readonly closed: Promise<void>;

    private constructor(private readonly socket: TLSSocket) {
        socket.setEncoding("latin1");
        socket.on("data", (text: string) => (this.received += text));
        // A connection that the server cuts is what some tests want.
        socket.on("error", () => undefined);
        this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    }

    public static async open({ url, caCertificate }: Outputs): Promise<RawConnection> {
        const socket = connect({
            host: "127.0.0.1",
            port: Number(new URL(url).port),
            servername: "localhost",
            ca: caCertificate,
            ALPNProtocols: ["http/1.1"],
        });
        await once(socket, "secureConnect");
        return new RawConnection(socket);
    }

    public send(text: string): void {
        this.socket.write(text, "latin1");
    }

    /** All that has come when the server ends the connection. */
    public async untilClosed(): Promise<string> {
        await this.closed;
        return this.received;
    }

    /** What has come when the server first says something, or ends the connection. */
    public async untilAnswered(): Promise<string> {
        if (this.received === "" && !this.socket.destroyed) {
            // An answer that is cut off in the middle of a record is an error of TLS: it is an end, too.
            await Promise.race([once(this.socket, "data").catch(() => this.closed), this.closed]);
        }
        return this.received;
    }

    public get isOpen(): boolean {
        return !this.socket.destroyed;
    }

    public close(): void {
        this.socket.destroy();
    }
}

/** Sends a text as it is; returns all that comes back until the server ends the connection, for which the text has to ask. */
export async function exchange(outputs: Outputs, text: string): Promise<string> {
    const connection = await RawConnection.open(outputs);
    connection.send(text);
    try {
        return await connection.untilClosed();
    } finally {
        connection.close();
    }
}

/** The status of each answer in what came over a connection. */
export function statuses(received: string): number[] {
    return [...received.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map(([, status]) => Number(status));
}
