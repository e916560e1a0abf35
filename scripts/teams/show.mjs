// @ts-check
// A hand-over as text for a terminal and as JSON. Secrets are shown only when they are asked for.
import { load } from "../shared/typescript.mjs";

/** @type {typeof import("../../lib/team-files/team-access.js")} */
const { HIDDEN, loginWithoutPassword } = load("lib/team-files/team-access.ts");

/** @typedef {import("../../lib/team-files/team-access.js").TeamAccess} TeamAccess */
/** @typedef {import("../../lib/team-files/team-access.js").TeamFile} TeamFile */

/** Texts that are for a machine or for a folder: on a terminal they are only named. */
const NOT_ON_A_TERMINAL = ["README.txt", "trust-and-login.sh", "password"];

/**
 * @param {TeamAccess[]} teams
 * @param {string} option
 */
export function listOfTeams(teams, option) {
    const width = Math.max(...teams.map(({ team }) => team.length), "TEAM".length);
    const rows = teams.map(({ team, account }) => `${team.padEnd(width)}  ${account.username}`);
    return `${[
        `${"TEAM".padEnd(width)}  USER NAME`,
        ...rows,
        "",
        "What a team needs to use the registry:",
        `  npm run handover --${option} TEAM                    shows it, without the password`,
        `  npm run handover --${option} TEAM --show-secrets     shows it with the password`,
        `  npm run handover --${option} TEAM --output FOLDER    as files that only you can read, with the password`,
    ].join("\n")}\n`;
}

/**
 * @param {TeamAccess} access
 * @param {TeamFile[]} files
 * @param {{ showSecrets: boolean, option: string }} options
 */
export function asText(access, files, { showSecrets, option }) {
    const { team, registry, url, address, caFingerprints, account } = access;
    const shown = files.filter(({ name }) => !NOT_ON_A_TERMINAL.includes(name));
    const facts = [
        ["Registry", registry],
        ["URL", url],
        ...(address === undefined ? [] : [["Address", address]]),
        ["User name", account.username],
        ["Password", showSecrets ? account.password : `${HIDDEN} (--show-secrets shows it)`],
        ["Log in", showSecrets ? account.login : loginWithoutPassword(access)],
        ...caFingerprints.map((fingerprint) => ["Authority", `SHA-256 ${fingerprint}`]),
    ];
    return `${[
        `Team ${team}`,
        ...facts.map(([label, value]) => `  ${(label ?? "").padEnd(11)}${value}`),
        ...shown.flatMap(({ name, purpose, text, isSecret }) => [
            "",
            `--- ${name}`,
            ...purpose.map((line) => `# ${line}`),
            isSecret && !showSecrets ? HIDDEN : text.trimEnd(),
        ]),
        "",
        `All of it as files, with the password and a script that trusts and logs in:`,
        `  npm run handover --${option} ${team} --output FOLDER`,
    ].join("\n")}\n`;
}

/**
 * @param {TeamAccess} access
 * @param {TeamFile[]} files
 * @param {boolean} showSecrets
 */
export function asJson(access, files, showSecrets) {
    const { account, ...facts } = access;
    const { username, password, login, dockerConfigJson } = account;
    const hide = (/** @type {string} */ text) => (showSecrets ? text : HIDDEN);
    const texts = files.map(({ name, text, isSecret }) => [name, isSecret ? hide(text) : text]);
    return `${JSON.stringify(
        {
            ...facts,
            username,
            password: hide(password),
            login: hide(login),
            dockerConfigJson: hide(dockerConfigJson),
            files: Object.fromEntries(texts),
        },
        undefined,
        2,
    )}\n`;
}
