// @ts-check
// CHANGELOG.md, in the form of https://keepachangelog.com: a section per release, and what is not released yet above them.

const UNRELEASED = /^## \[Unreleased\][^\n]*\n/m;

/**
 * What stands under Unreleased; undefined where there is no such section.
 *
 * @param {string} changelog
 * @returns {string | undefined}
 */
export function unreleased(changelog) {
    const start = UNRELEASED.exec(changelog);
    if (start === null) return undefined;
    const [notes = ""] = changelog.slice(start.index + start[0].length).split(/^## /m, 1);
    return notes.trim();
}

/**
 * Whether notes say anything besides their headings.
 *
 * @param {string} notes
 */
export function saysSomething(notes) {
    return notes.split("\n").some((line) => line.trim() !== "" && !line.startsWith("#"));
}

/**
 * @param {string} changelog
 * @param {string} version
 */
export function hasSection(changelog, version) {
    return changelog.split("\n").some((line) => line.startsWith(`## [${version}]`));
}

/**
 * The same with what was unreleased as the section of a version, and nothing unreleased.
 *
 * @param {string} changelog
 * @param {string} version
 * @param {string} date as in 2026-01-31
 */
export function released(changelog, version, date) {
    return changelog.replace(UNRELEASED, (heading) => `${heading}\n## [${version}] - ${date}\n`);
}
