// @ts-check
// node guesses.mjs PORT RATE: sends that many wrong logins a second to a registry of this machine until it is ended, or for
// two minutes, and then says how many were answered.
import { randomBytes } from "node:crypto";
import { Agent } from "node:https";
import { get } from "./load.mjs";

const [port, rate] = process.argv.slice(2).map(Number);
if (port === undefined || rate === undefined) process.exit(2);

const agent = new Agent({ keepAlive: true, maxSockets: 16, rejectUnauthorized: false });
const began = performance.now();
let sent = 0;
let answered = 0;
const timer = setInterval(() => {
    while (sent < ((performance.now() - began) / 1000) * rate) {
        sent++;
        // Names that exist and names that do not, in turn.
        const name = sent % 2 === 0 ? "dev" : "stranger";
        get(port, `${name}:${randomBytes(20).toString("hex")}`, agent).then(
            (status) => {
                if (status === 401) answered++;
            },
            () => undefined,
        );
    }
}, 5);

function end() {
    clearInterval(timer);
    process.stdout.write(`${answered}\n`, () => process.exit(0));
}
process.on("SIGTERM", end);
setTimeout(end, 120_000);
