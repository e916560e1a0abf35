import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";

/** A port of the loopback that leads to another one, and can be made to hold back what clients send. */
export class HeldLine {
    private passed = 0;
    private readonly sockets = new Set<Socket>();
    /** Settles when something is being held back. */
    public readonly isHeld: Promise<void>;
    /** Lets everything pass from now on. */
    public release: () => void = () => undefined;
    private readonly released: Promise<void>;
    private tellHeld: () => void = () => undefined;

    private constructor(
        private readonly server: Server,
        public readonly port: number,
    ) {
        this.isHeld = new Promise((resolve) => (this.tellHeld = resolve));
        this.released = new Promise((resolve) => (this.release = resolve));
    }

    /** Lets that many bytes pass before it holds back the rest. Answers always pass. */
    public static async to(target: number, bytes: number): Promise<HeldLine> {
        const server = createServer();
        await once(server.listen(0, "127.0.0.1"), "listening");
        const line = new HeldLine(server, (server.address() as AddressInfo).port);
        server.on("connection", (client) => line.carry(client, target, bytes));
        return line;
    }

    private carry(client: Socket, target: number, bytes: number): void {
        const behind = connect({ host: "127.0.0.1", port: target });
        const hold = new Transform({
            transform: (chunk: Buffer, _, done) => {
                this.passed += chunk.length;
                if (this.passed <= bytes) {
                    done(null, chunk);
                } else {
                    this.tellHeld();
                    void this.released.then(() => done(null, chunk));
                }
            },
        });
        for (const [socket, other] of [
            [client, behind],
            [behind, client],
        ] as const) {
            this.sockets.add(socket);
            socket.on("error", () => other.destroy());
            socket.on("close", () => {
                other.end();
                this.sockets.delete(socket);
            });
        }
        client.pipe(hold).pipe(behind);
        behind.pipe(client);
    }

    public close(): void {
        this.server.close();
        this.sockets.forEach((socket) => socket.destroy());
    }
}
