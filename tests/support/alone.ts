import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Does something while nobody else on this machine does something under the same name; waits for them first. A name is a socket
 * without a file, which Linux takes away with its process, whatever ends it.
 */
export async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const server = createServer();
    for (;;) {
        try {
            await once(server.listen(`\0private-registry-test-${name}`), "listening");
            break;
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
            await sleep(100);
        }
    }
    try {
        return await work();
    } finally {
        server.close();
    }
}
