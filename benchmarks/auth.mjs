// @ts-check
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeCertificate, startRegistry } from "./bare.mjs";
import { CLIENTS, findClient, SECONDS } from "./load.mjs";
import { interleave, medians } from "./measure.mjs";
import { startOurs } from "./ours.mjs";
import { attempt } from "./run.mjs";
import { withWorkspace } from "./workspace.mjs";

const COSTS = [4, 5, 10];
const OURS = "ours (cost 5)";

export const tools = ["ab"];
export const title = "Requests with an account, by cost of the password's hash";
export const about = `
\`GET /v2/\` over TLS on the loopback from ${CLIENTS} clients that keep their connection, ${SECONDS} seconds a sample: our
stack, and bare containers of the same image and the same kind of certificate (ECDSA P-256) with no accounts and with one
whose hash has the cost named. The registry checks the password at every request, and that is what these rates are made
of. The "ceiling" is the same client against a Node.js server of one process that answers at once and checks nothing: it
bounds what client and machine together can show, so the rate without accounts may be more than it says.`;

/** Measures authenticated requests per second. */
export function measure() {
    return withWorkspace(async (workspace) => {
        const password = randomBytes(16).toString("hex");
        const certificates = join(workspace.folder, "certificates");
        mkdirSync(certificates);
        chmodSync(workspace.folder, 0o755);
        await makeCertificate(certificates);
        const { rate, fact } = await findClient();

        /** @type {string[]} */
        const containers = [];
        const ceiling = spawn(process.execPath, [
            join(import.meta.dirname, "ceiling.mjs"),
            certificates,
        ]);
        try {
            const [line] = await once(createInterface(ceiling.stdout), "line");
            /** @type {import("./measure.mjs").Subject[]} */
            const subjects = [["ceiling", rate(Number(line))]];

            for (const cost of [undefined, ...COSTS]) {
                const label = cost === undefined ? "no accounts" : `cost ${cost}`;
                const name = `${workspace.name}-${label.replace(" ", "-")}`;
                containers.push(name);
                const account = cost === undefined ? undefined : `dev:${password}`;
                const port = await startRegistry(name, certificates, password, cost);
                subjects.push([label, rate(port, account)]);
            }

            const ours = await startOurs(workspace, "ours");
            subjects.push([OURS, rate(ours.port, ours.user)]);

            const samples = await interleave([subjects]);
            const of = medians(samples);
            return {
                unit: "requests/s",
                samples,
                ratios: [
                    { name: "ours / cost 10", value: of(OURS) / of("cost 10"), aim: ">= 15" },
                    { name: "ours / cost 5", value: of(OURS) / of("cost 5") },
                    { name: "ours / cost 4", value: of(OURS) / of("cost 4") },
                    { name: "ours / no accounts", value: of(OURS) / of("no accounts") },
                    { name: "no accounts / ceiling", value: of("no accounts") / of("ceiling") },
                ],
                facts: [fact],
            };
        } finally {
            ceiling.kill();
            for (const name of containers) {
                await attempt("docker", ["rm", "--force", "--volumes", name]);
            }
        }
    });
}
