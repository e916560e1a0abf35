import { PrivateRegistry } from "./components/private-registry";
import { readStackSettings } from "./config";
import { daysUntil } from "./lib/certificates";
import type { Late } from "./lib/late";
import { mirrorAddress } from "./lib/mirror-config";
import { preflight } from "./preflight";

/** The whole program: settings, a look at the Docker host, the registry, the outputs. */
export = async () => {
    const settings = readStackSettings();
    await preflight(settings);
    const { registry, url, caCertificate, caFingerprints, certificateExpires, teams } =
        new PrivateRegistry("registry", settings);
    const clients = Object.entries(settings.clients).map(([key, { login }]) => [
        key,
        login?.host ?? "localhost",
    ]);
    return {
        registry,
        url,
        caCertificate,
        caFingerprints,
        certificateExpires,
        certificateDaysLeft: certificateExpires.apply(daysUntil),
        clients: Object.fromEntries(clients) as Record<string, Late>,
        teams,
        mirrors: Object.fromEntries(
            Object.values(settings.mirrors).map((mirror) => [
                mirror.registry,
                mirrorAddress(settings.hostname, mirror),
            ]),
        ),
        retention: settings.retention,
    };
};
