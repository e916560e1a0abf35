// @ts-check
import { writeFileSync } from "node:fs";
import { freePort, stackFile } from "./workspace.mjs";

/**
 * What a stack of ours is used by.
 *
 * @typedef {object} Ours
 * @property {number} port
 * @property {string} registry host and port
 * @property {string} caCertificate PEM
 * @property {{ username: string, password: string }} account of the team dev
 * @property {string} user the same, as curl takes it
 */

/**
 * Sets up a stack of this project's program, which goes with its workspace.
 *
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} folderName
 * @param {Readonly<Record<string, unknown>>} settings its configuration, besides the address
 * @param {string} [address] that it is published on
 * @returns {Promise<Ours>}
 */
export async function startOurs(workspace, folderName, settings = {}, address) {
    const port = await freePort();
    const folder = workspace.copyOfProgram(folderName, port);
    // JSON is YAML.
    const lines = Object.entries(settings).map(
        ([key, value]) => `  private-registry:${key}: ${JSON.stringify(value)}\n`,
    );
    writeFileSync(workspace.stackFileOf(folder), stackFile(port, address) + lines.join(""));
    await workspace.initialize(folder);
    await workspace.up(folder);
    const args = ["stack", "output", "--json", "--show-secrets"];
    const { registry, caCertificate, teams } = JSON.parse(await workspace.pulumi(folder, args));
    const account = teams.dev;
    if (account === undefined) throw new Error("the stack has no team dev");
    return {
        port,
        registry,
        caCertificate,
        account,
        user: `${account.username}:${account.password}`,
    };
}
