// @ts-check
// npm run doctor: looks at what is really there, on the Docker host and on every client host, and says what differs.
import { checkClients, clientsOf } from "./clients.mjs";
import { asMetrics } from "./metrics.mjs";
import { checkRegistry, daysLeft, haveSettingsLoaded, measureData, stateOf } from "./registry.mjs";
import { writeReport } from "../shared/report-file.mjs";
import { find, pulumi, readResources } from "../shared/state.mjs";
import { table } from "../shared/table.mjs";

// The engine leaves a log of its own.
process.umask(0o077);
const [, , stack = "", mode = "", file = ""] = process.argv;
const resources = readResources(stack);
if (resources.length === 0) {
    process.stderr.write("The stack has no resources: nothing was deployed. Run: npm run up\n");
    process.exit(1);
}
const outputs = JSON.parse(pulumi(["stack", "output", "--json"], stack));
const clients = clientsOf(resources);
if (process.stderr.isTTY) {
    process.stderr.write(`looking at the registry and ${clients.length} client hosts …\n`);
}
// Before the hosts: it lets nothing else go on, and a login has a time limit.
const registry = checkRegistry(resources, stack);
const findings = await checkClients(clients, mode === "repair");
if (mode === "repair") haveSettingsLoaded(resources, registry, stack);

const certificate = find(resources, "registry-authority-server-cert")?.outputs.certPem;
const days = certificate === undefined ? "?" : String(daysLeft(certificate));
const wrong =
    registry.filter(({ isFine }) => !isFine).length +
    findings.filter(({ differs }) => differs.length > 0).length;
print({ json: asJson, metrics: asPrometheus }[mode] ?? asTables);
process.exitCode = wrong === 0 ? 0 : 1;

/**
 * On standard output; or into a file that other users may read, and never find half written.
 *
 * @param {() => string} report
 */
function print(report) {
    if (file === "") {
        process.stdout.write(report());
        return;
    }
    try {
        writeReport(file, report(), 0o644);
    } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        process.stderr.write(`doctor: cannot write ${file}: ${cause}\n`);
        process.exit(2);
    }
}

/** For Prometheus, by node_exporter's textfile collector. */
function asPrometheus() {
    return asMetrics({
        registry: outputs.registry,
        checks: registry,
        clients: findings.map(({ client, differs }) => ({
            name: client.name,
            isFine: differs.length === 0,
        })),
        data: measureData(resources),
        now: Date.now(),
    });
}

/** For programs: a cron job, a CI job, a dashboard. */
function asJson() {
    const report = {
        url: outputs.url,
        isFine: wrong === 0,
        registry: registry.map(({ part, text, ...finding }) => ({
            part,
            state: stateOf(finding),
            text,
        })),
        clients: findings.map(({ client, resolves, files, proof, differs }) => ({
            name: client.name,
            address: client.address,
            resolves,
            files,
            proof,
            differs,
        })),
    };
    return `${JSON.stringify(report, undefined, 4)}\n`;
}

function asTables() {
    const rows = registry.map(({ part, text, ...finding }) => [
        `  ${stateOf(finding)}`,
        part,
        text,
    ]);
    const lines = [`Registry ${outputs.url ?? ""}`, ...table(rows)];
    if (findings.length > 0) {
        lines.push(
            "",
            ...table([
                ["HOST", "ADDRESS", "NAME IS", "FILES", "TLS", "DAYS LEFT", "WHAT DIFFERS"],
                ...findings.flatMap(({ client, resolves, files, proof, differs }) => {
                    const [first = "", ...more] = differs;
                    return [
                        [client.name, client.address, resolves, files, proof, days, first],
                        ...more.map((text) => ["", "", "", "", "", "", text]),
                    ];
                }),
            ]),
        );
    }
    const option = stack === "" ? "" : ` --stack ${stack}`;
    lines.push(
        "",
        wrong === 0
            ? "All is as it was set up."
            : mode === "repair"
              ? `${wrong} left that differ.`
              : `${wrong} that differ. To put it right: npm run up -- --repair${option}`,
    );
    return `${lines.join("\n")}\n`;
}
