// @ts-check
// npm run handover: gives a team what it needs to use the registry, on the terminal, as JSON or as a folder of files.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readAddress, readTeams } from "./access.mjs";
import { refusal, writeFolder } from "./folder.mjs";
import { asJson, asText, listOfTeams } from "./show.mjs";
import { load } from "../shared/typescript.mjs";

/** @type {typeof import("../../lib/team-files/team-files.js")} */
const { teamFiles } = load("lib/team-files/team-files.ts");

// The engine leaves a log of its own.
process.umask(0o077);
const [, , stack = "", team = "", secrets = "", form = "", output = ""] = process.argv;
const showSecrets = secrets === "show-secrets";
const teams = readTeams(stack);
if (teams.size === 0) fail("the stack has no teams: nothing was deployed; first: npm run up");
const option = stack === "" ? "" : ` --stack ${stack}`;
if (team === "") {
    print(listOfTeams([...teams.values()], option));
} else {
    const found = teams.get(team);
    if (found === undefined) {
        fail(`no such team: "${team}"; the teams are ${[...teams.keys()].join(", ")}`);
    }
    const access = { ...found, address: readAddress(stack) };
    const files = teamFiles(access, { trust: part("../../components/trust-host"), own: part(".") });
    if (output !== "") {
        writeTo(resolve(output), files);
    } else {
        print(
            form === "json"
                ? asJson(access, files, showSecrets)
                : asText(access, files, { showSecrets, option }),
        );
    }
}

/**
 * @param {string} folder
 * @param {import("../../lib/team-files/team-access.js").TeamFile[]} files the explanation of them first
 */
function writeTo(folder, files) {
    const [readme] = files;
    const reason = readme === undefined ? "there is nothing to write" : refusal(folder, readme);
    if (reason !== undefined) {
        fail(`--output ${folder} is refused: ${reason}; give a new folder, or an empty one`);
    }
    try {
        writeFolder(folder, files);
    } catch (error) {
        fail(`--output ${folder}: ${error instanceof Error ? error.message : String(error)}`);
    }
    print(
        `${files.length} files in ${folder}, for you alone to read; README.txt says which is for what.\n`,
    );
}

/**
 * Reads the parts of a script from a folder.
 *
 * @param {string} folder from this one
 * @returns {(name: string) => string}
 */
function part(folder) {
    return (name) => readFileSync(join(import.meta.dirname, folder, `${name}.sh`), "utf8");
}

/** @param {string} text */
function print(text) {
    process.stdout.write(text);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
    process.stderr.write(`handover: ${message}\n`);
    process.exit(1);
}
