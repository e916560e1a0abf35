// @ts-check
import { writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { interleave, medians } from "./measure.mjs";
import { must } from "./run.mjs";
import { freePort, stackFile, withWorkspace } from "./workspace.mjs";

export const title = "The gap while the registry's container is replaced";
export const about = `
A client asks \`GET /v2/\` on a new TLS connection every 10 ms, while an \`up\` issues another certificate (with a further
name) and so replaces the container; no transfer is under way. The gap is the longest time between two answers. Beside it
the same for \`docker restart\` of that container, which is the least that Docker needs, and for an \`up\` that gives a
team another password, which restarts nothing. A transfer that is under way makes the gap longer by what it takes to
finish, 60 s at most: meanwhile the old registry takes no new connections.`;

/** Measures the longest time without an answer. */
export function measure() {
    return withWorkspace(async (workspace) => {
        const port = await freePort();
        const ours = workspace.copyOfProgram("ours", port);
        let names = 0;
        let generation = 1;
        const up = () => {
            const lines = [
                `  private-registry:subjectAltNames: [n${names}.example.test]`,
                `  private-registry:teams: {dev: {generation: ${generation}}}`,
            ];
            const file = join(ours, `Pulumi.${workspace.name}.yaml`);
            writeFileSync(file, `${stackFile(port)}${lines.join("\n")}\n`);
            return workspace.up(ours);
        };
        await workspace.initialize(ours);
        await up();
        const samples = await interleave([
            [
                [
                    "another certificate",
                    () =>
                        longestGap(port, () => {
                            names++;
                            return up();
                        }),
                ],
                [
                    "docker restart",
                    () =>
                        longestGap(port, () =>
                            must("docker", ["restart", `private-registry-${workspace.name}`]),
                        ),
                ],
                [
                    "another password",
                    () =>
                        longestGap(port, () => {
                            generation++;
                            return up();
                        }),
                ],
            ],
        ]);
        const of = medians(samples);
        return {
            unit: "s",
            samples,
            ratios: [
                { name: "another certificate, s", value: of("another certificate"), aim: "<= 1" },
                {
                    name: "another certificate / docker restart",
                    value: of("another certificate") / of("docker restart"),
                },
            ],
            facts: [],
        };
    });
}

/**
 * The longest time, in seconds, between two answers while something happens.
 *
 * @param {number} port
 * @param {() => Promise<unknown>} happen
 */
async function longestGap(port, happen) {
    let isOver = false;
    const happening = happen().finally(() => {
        isOver = true;
    });
    let last = performance.now();
    let longest = 0;
    for (let isAnswered = true; !isOver || !isAnswered; await sleep(10)) {
        isAnswered = await isAnswering(port);
        const now = performance.now();
        if (isAnswered) {
            longest = Math.max(longest, now - last);
            last = now;
        }
    }
    await happening;
    return longest / 1000;
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isAnswering(port) {
    return new Promise((resolve) => {
        // Which certificate it is does not matter here.
        const options = { host: "127.0.0.1", port, path: "/v2/", agent: false, timeout: 5000 };
        const call = request({ ...options, rejectUnauthorized: false }, (response) => {
            response.resume().on("end", () => resolve(response.statusCode === 401));
        });
        call.on("timeout", () => call.destroy());
        call.on("error", () => resolve(false));
        call.end();
    });
}
