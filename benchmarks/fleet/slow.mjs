// @ts-check
// A network with a delay: one relay before each host, on loopback. The kernel's own way, netem, is not in every kernel.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const PORT = 2222;

/** @typedef {import("node:net").Socket} Socket */

/**
 * Relays to the sshd of each address. What comes is passed on after the delay, and a connection is there after a round trip.
 *
 * @param {readonly string[]} addresses
 * @param {number} delay milliseconds one way
 */
export async function relay(addresses, delay) {
    const relays = await Promise.all(
        addresses.map(async (address, index) => {
            const host = `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
            const server = createServer({ pauseOnConnect: true }, (near) => {
                near.on("error", () => near.destroy());
                void join(near, address, delay);
            });
            server.listen(PORT, host);
            await once(server, "listening");
            return { server, host };
        }),
    );
    return {
        hosts: relays.map(({ host }) => ({ host, port: PORT })),
        end: () => relays.forEach(({ server }) => server.close()),
    };
}

/**
 * @param {Socket} near
 * @param {string} address
 * @param {number} delay
 */
async function join(near, address, delay) {
    await sleep(2 * delay);
    const far = connect(22, address);
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    pass(near, far, delay);
    pass(far, near, delay);
}

/**
 * @param {Socket} from
 * @param {Socket} to
 * @param {number} delay the same for all, so that timers keep the order
 */
function pass(from, to, delay) {
    from.setNoDelay();
    from.on("data", (data) => setTimeout(() => to.write(data), delay));
    from.on("end", () => setTimeout(() => to.end(), delay));
    from.resume();
}
