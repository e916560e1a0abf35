// @ts-check
// Draws docs/pictures/stack.svg from what `pulumi stack export` prints:
//
//   ./pulumiw stack export --stack example | node scripts/documents/picture.mjs            writes it
//   ./pulumiw stack export --stack example | node scripts/documents/picture.mjs --check    ends with 1 when it would be another one
//
// A box is a component, a line in it a resource. An arrow leads from what is needed to what needs it: between resources in a box;
// between boxes, without those that follow from others.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {{ urn: string, type: string, custom?: boolean, parent?: string, dependencies?: string[] }} Resource */
/** @typedef {{ name: string, type: string, resources: { name: string, type: string }[], arrows: [number, number][], needs: string[] }} Group */

const FILE = join(import.meta.dirname, "../../docs/pictures/stack.svg");
const WIDTH = 300;
const ROW = 22;
const TITLE = 34;
const GAP = 56;
/** Left of the lines in a box, for the arrows between them. */
const ARROWS = 46;

const exported = JSON.parse(readFileSync(0, "utf8"));
const picture = draw(groupsOf(exported.deployment.resources));
if (!process.argv.includes("--check")) {
    writeFileSync(FILE, picture);
} else if (readFileSync(FILE, "utf8") !== picture) {
    process.stderr.write(
        "docs/pictures/stack.svg is not what this stack looks like; draw it again: ./pulumiw stack export --stack example | node scripts/documents/picture.mjs\n",
    );
    process.exitCode = 1;
}

/**
 * The components of a stack with their resources, each needing only what does not follow from another one.
 *
 * @param {Resource[]} resources
 * @returns {Group[]}
 */
function groupsOf(resources) {
    const isDrawn = (/** @type {Resource} */ { type, custom = false }) =>
        custom && !type.startsWith("pulumi:");
    const drawn = resources.filter(isDrawn).sort((a, b) => a.urn.localeCompare(b.urn));
    const parents = [...new Set(drawn.map(({ parent = "" }) => parent))];
    const parentOf = new Map(drawn.map(({ urn, parent = "" }) => [urn, parent]));
    const all = parents.map((urn) => {
        const name = lastPart(urn);
        const inOrder = byNeed(drawn.filter(({ parent }) => parent === urn));
        const place = new Map(inOrder.map((resource, index) => [resource.urn, index]));
        const needed = inOrder.flatMap(({ dependencies = [] }) =>
            dependencies.map((other) => parentOf.get(other) ?? urn),
        );
        return {
            name,
            type: lastPart(urn.split("::").at(-2)?.split("$").at(-1) ?? "", ":"),
            resources: inOrder.map((resource) => ({
                name: lastPart(resource.urn).replace(`${name}-`, ""),
                type: lastPart(resource.type, ":"),
            })),
            arrows: inOrder.flatMap(({ dependencies = [] }, to) =>
                dependencies
                    .flatMap((other) => place.get(other) ?? [])
                    .sort((a, b) => a - b)
                    .map((from) => /** @type {[number, number]} */ ([from, to])),
            ),
            needs: [...new Set(needed)]
                .filter((other) => other !== urn)
                .map((other) => lastPart(other))
                .sort(),
        };
    });
    /** @type {(from: string, to: string) => boolean} */
    const reaches = (from, to) =>
        from === to ||
        (all.find(({ name }) => name === to)?.needs.some((other) => reaches(from, other)) ?? false);
    return all.map((group) => ({
        ...group,
        needs: group.needs.filter(
            (name) => !group.needs.some((other) => other !== name && reaches(name, other)),
        ),
    }));
}

/**
 * What is needed stands before what needs it.
 *
 * @param {Resource[]} resources
 * @returns {Resource[]}
 */
function byNeed(resources) {
    /** @type {Resource[]} */
    const ordered = [];
    const rest = [...resources];
    while (rest.length > 0) {
        const next = rest.findIndex(
            ({ dependencies = [] }) => !rest.some(({ urn }) => dependencies.includes(urn)),
        );
        ordered.push(...rest.splice(Math.max(next, 0), 1));
    }
    return ordered;
}

/** @param {Group[]} groups */
function draw(groups) {
    /** @type {(name: string) => number} */
    const depth = (name) => {
        const needs = groups.find((group) => group.name === name)?.needs ?? [];
        return needs.length === 0 ? 0 : 1 + Math.max(...needs.map(depth));
    };
    const columns = [0, 1, 2].map((column) =>
        groups
            .filter(({ name }) => Math.min(depth(name), 2) === column)
            .sort(
                (a, b) => depth(a.name) - depth(b.name) || b.resources.length - a.resources.length,
            ),
    );
    const heights = columns.map((column) =>
        column.reduce((sum, group) => sum + heightOf(group) + GAP, -GAP),
    );
    const height = Math.max(...heights);
    /** @type {Map<string, { x: number, y: number, group: Group }>} */
    const places = new Map();
    columns.forEach((column, index) => {
        let y = 8 + (height - (heights[index] ?? 0)) / 2;
        for (const group of column) {
            places.set(group.name, { x: 8 + index * (WIDTH + GAP), y, group });
            y += heightOf(group) + GAP;
        }
    });
    const boxes = [...places.values()].map(({ x, y, group }) => drawGroup(group, x, y));
    const between = groups.flatMap((group) =>
        group.needs.map((name) => drawArrow(places.get(name), places.get(group.name))),
    );
    return `${[
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${3 * WIDTH + 2 * GAP + 16} ${height + 16}" role="img" aria-label="The resources of a stack, by component">`,
        "<!-- Drawn by scripts/documents/picture.mjs from a stack's own resources; draw it again instead of editing it. -->",
        `<style>
  text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px } .type { fill: #59636e; font-size: 12px; text-anchor: end }
  .box { fill: #f6f8fa; stroke: #8c959f } .arrow { fill: none; stroke: #59636e } .main { stroke-width: 2; stroke: #0969da }
  .head { fill: #59636e } .main-head { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .type { fill: #9198a1 } .box { fill: #151b23; stroke: #656c76 } .arrow { stroke: #9198a1 }
    .main { stroke: #4493f8 } .head { fill: #9198a1 } .main-head { fill: #4493f8 }
  }
</style>`,
        head("head", 6),
        head("main-head", 5),
        ...boxes,
        ...between,
        "</svg>",
    ].join("\n")}\n`;
}

/** @param {Group} group */
function heightOf({ resources }) {
    return TITLE + resources.length * ROW + 8;
}

/**
 * @param {Group} group
 * @param {number} x
 * @param {number} y
 */
function drawGroup(group, x, y) {
    const line = (/** @type {number} */ index) => y + TITLE + index * ROW + ROW / 2;
    const left = x + ARROWS;
    const lines = group.resources.flatMap(({ name, type }, index) => [
        `<text x="${left}" y="${line(index) + 4}">${name}</text>`,
        `<text class="type" x="${x + WIDTH - 10}" y="${line(index) + 4}">${type}</text>`,
    ]);
    const arrows = group.arrows.map(([from, to]) => {
        const [start, end] = [line(from), line(to)];
        const bulge = Math.min(ARROWS - 8, 8 + 5 * Math.abs(to - from));
        return `<path class="arrow" marker-end="url(#head)" d="M${left - 4} ${start}C${left - 4 - bulge} ${start} ${left - 4 - bulge} ${end} ${left - 6} ${end}"/>`;
    });
    return [
        `<rect class="box" x="${x}" y="${y}" width="${WIDTH}" height="${heightOf(group)}" rx="8"/>`,
        `<text class="title" x="${x + 12}" y="${y + 22}">${group.type}</text>`,
        ...lines,
        ...arrows,
    ].join("\n");
}

/**
 * @param {{ x: number, y: number, group: Group } | undefined} from
 * @param {{ x: number, y: number, group: Group } | undefined} to
 */
function drawArrow(from, to) {
    if (from === undefined || to === undefined) return "";
    if (from.x === to.x) {
        const x = from.x + WIDTH / 2;
        return `<path class="arrow main" marker-end="url(#main-head)" d="M${x} ${from.y + heightOf(from.group)}V${to.y - 8}"/>`;
    }
    const [x, y] = [from.x + WIDTH, from.y + heightOf(from.group) / 2];
    const [endX, endY] = [to.x - 8, to.y + heightOf(to.group) / 2];
    const middle = (x + endX) / 2;
    return `<path class="arrow main" marker-end="url(#main-head)" d="M${x} ${y}C${middle} ${y} ${middle} ${endY} ${endX} ${endY}"/>`;
}

/**
 * @param {string} name
 * @param {number} size
 */
function head(name, size) {
    return `<marker id="${name}" class="${name}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="${size}" markerHeight="${size}" orient="auto"><path d="M0 0L8 4L0 8Z"/></marker>`;
}

/**
 * @param {string} text
 * @param {string} [separator]
 */
function lastPart(text, separator = "::") {
    return text.split(separator).at(-1) ?? text;
}
