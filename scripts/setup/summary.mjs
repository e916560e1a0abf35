// @ts-check
// Says how to use what `npm run up` deployed, from the stack's outputs without their secrets.
import { pulumi } from "../shared/state.mjs";

// The engine leaves a log of its own.
process.umask(0o077);
const stack = process.argv[2] ?? "";
const option = stack === "" ? "" : ` --stack ${stack}`;

/** @type {{ registry?: string, url?: string, certificateExpires?: string, clients?: Record<string, string> }} */
const outputs = JSON.parse(pulumi(["stack", "output", "--json"], stack));
if (outputs.registry === undefined) process.exit(0);

const expires = outputs.certificateExpires?.slice(0, 10);
const clients = Object.keys(outputs.clients ?? {});
const lines = [
    [
        "Registry",
        `${outputs.url ?? outputs.registry}${expires === undefined ? "" : ` (certificate until ${expires})`}`,
    ],
    ["Credentials", `npm run handover --${option} TEAM --show-secrets`],
    ["Log in", `docker login ${outputs.registry} --username TEAM`],
    ["CA", `./pulumiw stack output caCertificate${option} > ca.crt`],
    [
        "Check",
        `curl --cacert ca.crt --user TEAM ${outputs.url ?? `https://${outputs.registry}`}/v2/`,
    ],
    ...(clients.length === 0 ? [] : [["Client hosts", clients.join(", ")]]),
    [
        "Take it down",
        `npm run destroy${option === "" ? "" : ` --${option}`} (keeps the images, unless dataRetained is false)`,
    ],
];
const width = Math.max(...lines.map(([label]) => (label ?? "").length));
process.stdout.write(
    `\n${lines.map(([label, text]) => `  ${(label ?? "").padEnd(width)}  ${text}`).join("\n")}\n`,
);
