// @ts-check
// What stands in the way of a release. All of it is said at once, and nothing here changes anything.
import { hasSection, saysSomething, unreleased } from "./changelog.mjs";
import { git, read, tryGit } from "./tree.mjs";

/** What releases are made of. */
export const BRANCH = "main";

/** @typedef {{ what: string, fix: string }} Problem */

/**
 * Everything that stands in the way of a release.
 *
 * @param {string} version
 * @returns {Problem[]}
 */
export function problemsOf(version) {
    return [...problemsOfVersion(version), ...problemsOfTree(), ...problemsOfNotes(version)];
}

/**
 * @param {string} version
 * @returns {Problem[]}
 */
function problemsOfVersion(version) {
    const present = String(JSON.parse(read("package.json")).version);
    const fix = `give a greater one than ${present}, as three numbers: npm run release -- X.Y.Z`;
    const numbers = parse(version);
    if (numbers === undefined) return [{ what: `"${version}" is no version X.Y.Z`, fix }];
    const isTagged = tryGit("rev-parse", "--verify", "--quiet", `refs/tags/v${version}`);
    return [
        ...(isGreater(numbers, parse(present) ?? [])
            ? []
            : [{ what: `${version} is not greater than ${present} of package.json`, fix }]),
        ...(isTagged ? [{ what: `the tag v${version} is there already`, fix }] : []),
    ];
}

/** @returns {Problem[]} */
function problemsOfTree() {
    const branch = git("branch", "--show-current") || "no branch at all";
    const changes = git("status", "--porcelain").split("\n");
    return [
        ...(branch === BRANCH
            ? []
            : [{ what: `this is ${branch}, not ${BRANCH}`, fix: `git switch ${BRANCH}` }]),
        ...(changes[0] === ""
            ? []
            : [
                  {
                      what: `the working tree has changes: ${changes.map((line) => line.trim()).join(", ")}`,
                      fix: "commit them, or put them aside: git stash --include-untracked",
                  },
              ]),
    ];
}

/**
 * @param {string} version
 * @returns {Problem[]}
 */
function problemsOfNotes(version) {
    const changelog = read("CHANGELOG.md");
    const notes = unreleased(changelog);
    const fix = "write under ## [Unreleased] what changes for users, and commit it";
    return [
        ...(notes === undefined
            ? [{ what: "CHANGELOG.md has no section ## [Unreleased]", fix }]
            : saysSomething(notes)
              ? []
              : [{ what: "CHANGELOG.md says nothing under Unreleased", fix }]),
        ...(hasSection(changelog, version)
            ? [
                  {
                      what: `CHANGELOG.md has a section of ${version} already`,
                      fix: "its text belongs under ## [Unreleased]; or give another version",
                  },
              ]
            : []),
    ];
}

/**
 * @param {string} text
 * @returns {number[] | undefined}
 */
function parse(text) {
    const numbers = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/.exec(text)?.slice(1);
    return numbers?.map(Number);
}

/**
 * @param {number[]} version
 * @param {number[]} other
 */
function isGreater(version, other) {
    const index = version.findIndex((number, position) => number !== (other[position] ?? 0));
    return index >= 0 && (version[index] ?? 0) > (other[index] ?? 0);
}
