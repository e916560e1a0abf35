// @ts-check
// What the stack's outputs and configuration say about its teams, secrets included: in memory, never in a file.
import { valuesIn } from "../shared/configuration.mjs";
import { pulumi } from "../shared/state.mjs";

/** @typedef {import("../../lib/team-files/team-access.js").TeamAccess} TeamAccess */

/**
 * Every team of a stack, by name; none when nothing was deployed.
 *
 * @param {string} stack
 * @returns {Map<string, TeamAccess>}
 */
export function readTeams(stack) {
    const outputs = JSON.parse(pulumi(["stack", "output", "--json", "--show-secrets"], stack));
    const { registry, url, caCertificate, caFingerprints, teams = {} } = outputs;
    return new Map(
        Object.entries(teams)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([team, account]) => [
                team,
                { team, registry, url, caCertificate, caFingerprints, account },
            ]),
    );
}

/**
 * Where machines find the registry whose own name resolution does not know it; from the configuration, no output has it.
 *
 * @param {string} stack
 * @returns {string | undefined}
 */
export function readAddress(stack) {
    return valuesIn(pulumi(["config", "--json"], stack)).address || undefined;
}
