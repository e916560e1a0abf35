const { randomInt } = require("node:crypto");
const { once } = require("node:events");
const { createServer } = require("node:net");

// The ports that the state of an older release has, for upgrade.test.ts.
const given = new Set([27391, 27392]);
/** Each of jest's workers draws from a share of its own: what it was given may be listened on seconds later. */
const SHARES = 4;
const share = Number(process.env.JEST_WORKER_ID ?? 0) % SHARES;

/**
 * A TCP port of the loopback that nothing listens on now, and that was not given before. Below those that the system gives to
 * outgoing connections: one of these could take it before it is listened on.
 */
async function freePort() {
    for (;;) {
        const port = randomInt(20_000 / SHARES, 32_000 / SHARES) * SHARES + share;
        if (given.has(port)) continue;
        given.add(port);
        const server = createServer();
        try {
            await once(server.listen(port, "127.0.0.1"), "listening");
            server.close();
            await once(server, "close");
            return port;
        } catch {
            // Something has it.
        }
    }
}

// For the tests, and for the benchmarks.
module.exports = { freePort };
