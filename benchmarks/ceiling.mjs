// @ts-check
// A TLS server that answers at once, to see how many requests the client can make. Prints its port.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";

const folder = process.argv[2] ?? ".";
const [cert, key] = ["tls.crt", "tls.key"].map((name) => readFileSync(join(folder, name)));
const server = createServer({ cert, key }, (_, response) => {
    // With its length given, a client of HTTP/1.0 keeps its connection too.
    response.writeHead(200, { "Content-Length": 2 }).end("{}");
});
server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    console.log(typeof address === "object" ? address?.port : address);
});
