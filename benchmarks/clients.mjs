// @ts-check
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { PROJECT, withWorkspace } from "./workspace.mjs";

const TEST = "tests/integration/client-programs.test.ts";
const COLUMNS = [
    ...["program", "version", "registry", "without login", "login", "push", "pull"],
    ...["pull by digest", "list tags", "attach", "delete", "not its own"],
];

export const title = "Programs that people use registries with";
export const about = `
What [${TEST}](../${TEST}) found: each program with a login, a push, pulls by tag and by digest and what else it can do,
on hosts that the stack has set up, against a registry alone and against one behind a gateway with permissions.
"Without login" is a push before the login, "not its own" one to a repository that the account's team may not push to;
both have to be refused. "-" is a step that the program has no command for, or none that is tried. Debian's programs are its packages of release 12; the others are built from their Go modules.`;

/** Runs the test, and hands on the table that it writes. */
export function measure() {
    return withWorkspace(async ({ folder }) => {
        const file = join(folder, "table.json");
        const jest = ["node_modules/jest/bin/jest.js", TEST];
        const env = { ...process.env, CLIENT_PROGRAMS: "all", CLIENT_PROGRAMS_TABLE: file };
        const { code, stderr } = await run("node", jest, { cwd: PROJECT, env });
        /** @type {Record<string, string>[]} */
        const table = JSON.parse(readFileSync(file, "utf8"));
        if (code !== 0) process.stderr.write(stderr);
        const failed = table.flatMap((row) =>
            Object.values(row).filter((ending) => ending === "failed"),
        );
        return {
            unit: "",
            samples: {},
            tables: [
                { head: COLUMNS, rows: table.map((row) => COLUMNS.map((name) => row[name] ?? "")) },
            ],
            ratios: [
                { name: "programs tried", value: new Set(table.map((row) => row.program)).size },
                { name: "steps that failed", value: failed.length, aim: "= 0" },
            ],
            facts: [`The test ended ${code === 0 ? "green" : "red"}.`],
        };
    });
}
