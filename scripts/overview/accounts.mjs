// @ts-check
// Which accounts there are, whose they are, and what they may do.
import { valuesIn } from "../shared/configuration.mjs";
import { EVERYTHING, rightsIn } from "../shared/rights.mjs";
import { find, tryPulumi } from "../shared/state.mjs";

/** @typedef {{ name: string, team: string | null, permissions: string }} Account team: null when no team has it any more */

/**
 * @param {import("../shared/state.mjs").Resource[]} resources
 * @param {string} stack
 * @returns {Account[]}
 */
export function accountsIn(resources, stack) {
    const names = resources.flatMap(
        ({ urn }) => /::registry-accounts-password-(.+)$/.exec(urn)?.[1] ?? [],
    );
    const rights = rightsIn(find(resources, "registry-gateway-loader")?.inputs);
    const areAlike = Object.keys(rights).length === 0;
    const teams = teamsByAccount(resources, stack, names);
    return names
        .map((name) => ({
            name,
            team: teams.get(name) ?? null,
            permissions: areAlike ? EVERYTHING : (rights[name] ?? "nothing"),
        }))
        .sort((a, b) => compare(a.team ?? "", b.team ?? "") || compare(a.name, b.name));
}

/**
 * @param {import("../shared/state.mjs").Resource[]} resources
 * @param {string} stack
 * @param {readonly string[]} names of all accounts
 * @returns {Map<string, string>}
 */
function teamsByAccount(resources, stack, names) {
    const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
    /** @type {Record<string, { username: string }>} */
    const given = outputs?.teams ?? {};
    const teams = new Map(Object.entries(given).map(([team, { username }]) => [username, team]));
    // Of a team's further accounts only the configuration tells.
    if (names.every((name) => teams.has(name))) return teams;
    for (const [team, { accounts = [team] }] of Object.entries(configuredTeams(stack))) {
        for (const account of accounts) if (!teams.has(account)) teams.set(account, team);
    }
    return teams;
}

/**
 * @param {string} stack
 * @returns {Record<string, { accounts?: string[] }>}
 */
function configuredTeams(stack) {
    const { stdout, status } = tryPulumi(["config", "--json"], stack);
    if (status !== 0) return {};
    const { teams = {} } = valuesIn(stdout);
    return Array.isArray(teams) ? {} : teams;
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
    return a < b ? -1 : a > b ? 1 : 0;
}
