import { readFileSync } from "node:fs";
import { join } from "node:path";
import { handOver } from "../../lib/hand-over";
import type { TeamAccess } from "../../lib/team-files/team-access";
import type { ScriptParts } from "../../lib/team-files/trust-and-login";

const PROJECT = join(__dirname, "../..");

/** The parts of trust-and-login.sh, as `npm run handover` reads them. */
export const PARTS: ScriptParts = {
    trust: (name) => readFileSync(join(PROJECT, "components/trust-host", `${name}.sh`), "utf8"),
    own: (name) => readFileSync(join(PROJECT, "scripts/teams", `${name}.sh`), "utf8"),
};

/** What a stack's outputs say about a team. */
export function teamAccess(
    fields: Partial<TeamAccess> & { username?: string; password?: string } = {},
): TeamAccess {
    const { username = "web", password = "s3cretS3cret", ...others } = fields;
    const registry = fields.registry ?? "registry.example.test:5000";
    return {
        team: "web",
        registry,
        url: `https://${registry}`,
        caCertificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        caFingerprints: ["AA:BB"],
        account: handOver(registry, username, password),
        ...others,
    };
}
