// @ts-check
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { PROJECT, withWorkspace } from "./workspace.mjs";

const TEST = "tests/soak/mixed.test.ts";
const MOMENTS = ["after the warm-up", "after the changes of accounts", "at the end"];

export const isSlow = true;
export const title = "An hour of everything at once";
export const about = `
What [${TEST}](../${TEST}) found: a registry alone, and then one behind a gateway, are used by five loops that push, pull and delete
images, for half an hour each (\`SOAK_MINUTES\`). First only accounts change, one \`up\` after the other: no request may fail. Then certificates are renewed, what
nothing needs is collected, and the registry's first process is killed, again and again: a request may fail that is refused or cut meanwhile,
and what was acknowledged has to be there, byte by byte. Memory is resident, in the middle of what it is in 15 seconds of work, and open files
those of a process that nobody asks for anything: after a warm-up of a sixth of the time, after the changes of accounts, and as long
after the last kill as the warm-up took. It takes an hour, so it is only measured when asked for: \`npm run bench -- soak\`.`;

/**
 * What the test writes.
 *
 * @typedef {{ pid: number, memory: number, descriptors: number }} Footprint
 * @typedef {{ minute: number, footprints: Record<string, Footprint> }} Look
 * @typedef {object} Found
 * @property {boolean} gateway
 * @property {number} minutes
 * @property {Record<string, number>} events
 * @property {Record<string, number>} done
 * @property {Record<string, number>} failures
 * @property {Record<string, number>} [images]
 * @property {Look[]} looks
 * @property {Look[]} course
 */

/** Runs the test, and makes tables of what it wrote. */
export function measure() {
    return withWorkspace(async ({ folder }) => {
        const file = join(folder, "found.json");
        const jest = ["node_modules/jest/bin/jest.js", TEST];
        const env = { ...process.env, SOAK_RESULT: file };
        const { code, stdout, stderr } = await run("node", jest, { cwd: PROJECT, env });
        if (code !== 0) process.stderr.write(stdout + stderr);
        if (!existsSync(file)) throw new Error("the test ended before it found anything");
        /** @type {Found[]} */
        const found = JSON.parse(readFileSync(file, "utf8"));
        return {
            unit: "MB",
            samples: Object.fromEntries(found.flatMap(courses)),
            tables: [countTable(found), lookTable(found), ...found.map(courseTable)],
            ratios: found.flatMap(ratios),
            facts: [`The test ended ${code === 0 ? "green" : "red"}.`],
        };
    });
}

/** @param {Found} found */
function labelOf({ gateway }) {
    return gateway ? "with a gateway" : "registry alone";
}

/** @param {Footprint | undefined} footprint */
function megabytes(footprint) {
    return (footprint?.memory ?? NaN) / 1e6;
}

/**
 * Memory of each container all through.
 *
 * @param {Found} found
 * @returns {[string, number[]][]}
 */
function courses(found) {
    return rolesOf(found).map((role) => [
        `${labelOf(found)}: ${role}`,
        found.course.map(({ footprints }) => megabytes(footprints[role])),
    ]);
}

/** @param {Found} found */
function rolesOf({ looks }) {
    return Object.keys(looks[0]?.footprints ?? {});
}

/** @param {readonly Found[]} all */
function countTable(all) {
    /** @type {(name: string, of: (found: Found) => number | undefined) => string[]} */
    const row = (name, of) => [name, ...all.map((found) => String(of(found) ?? "-"))];
    const names = (/** @type {"events" | "done" | "failures"} */ part) => [
        ...new Set(all.flatMap((found) => Object.keys(found[part]))),
    ];
    return {
        head: ["", ...all.map(labelOf)],
        rows: [
            row("minutes", ({ minutes }) => minutes),
            ...names("events").map((name) => row(name, ({ events }) => events[name])),
            ...names("done").map((name) => row(name, ({ done }) => done[name])),
            ...names("failures").map((name) =>
                row(`failed: ${name}`, ({ failures }) => failures[name]),
            ),
            row("images acknowledged, and not deleted", ({ images }) => images?.there),
            row("images deleted", ({ images }) => images?.deleted),
            row("of both, not as they should be", ({ images }) => images?.wrong),
        ],
    };
}

/** @param {readonly Found[]} all */
function lookTable(all) {
    return {
        head: ["MB of memory, open files", ...MOMENTS],
        rows: all.flatMap((found) =>
            rolesOf(found).map((role) => {
                const was = found.looks[0]?.footprints[role];
                const cells = MOMENTS.map((_, index) => {
                    const is = found.looks[index]?.footprints[role];
                    const isNew = is?.pid !== was?.pid ? " (another process)" : "";
                    return is ? `${megabytes(is).toFixed(1)}, ${is.descriptors}${isNew}` : "-";
                });
                return [`${labelOf(found)}: ${role}`, ...cells];
            }),
        ),
    };
}

/** @param {Found} found */
function courseTable(found) {
    const roles = rolesOf(found);
    return {
        head: [`minute, ${labelOf(found)}`, ...roles.map((role) => `${role}: MB, open files`)],
        rows: found.course.map(({ minute, footprints }) => [
            minute.toFixed(1),
            ...roles.map((role) => {
                const { descriptors = NaN } = footprints[role] ?? {};
                return `${megabytes(footprints[role]).toFixed(1)}, ${descriptors}`;
            }),
        ]),
    };
}

/** @param {Found} found */
function ratios(found) {
    const [first, ...later] = found.looks;
    return [
        ...rolesOf(found).flatMap((role) =>
            later.map(({ footprints }, index) => {
                const isSame = footprints[role]?.pid === first?.footprints[role]?.pid;
                return {
                    name: `${labelOf(found)}: memory of ${role}, ${MOMENTS[index + 1]} / ${MOMENTS[0]}`,
                    value: megabytes(footprints[role]) / megabytes(first?.footprints[role]),
                    ...(isSame && { aim: "<= 1.1" }),
                };
            }),
        ),
        ...(found.images === undefined
            ? []
            : [
                  {
                      name: `${labelOf(found)}: images lost, or there after they were deleted`,
                      value: found.images.wrong ?? NaN,
                      aim: "= 0",
                  },
              ]),
    ];
}
