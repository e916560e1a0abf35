const { randomInt } = require("node:crypto");
const { once } = require("node:events");
const { createServer } = require("node:net");

/**
 * A TCP port of the loopback that nothing listens on now. Below those that the system gives to outgoing connections: one of
 * these could take it before it is listened on.
 */
async function freePort() {
    for (;;) {
        const port = randomInt(20_000, 32_000);
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
