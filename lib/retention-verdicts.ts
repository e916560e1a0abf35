import type { RetentionRule } from "./retention";

const DAY = 86_400_000;
/** Nobody made an image before there was Docker: such dates are those of builds that leave the time out. */
const FIRST_IMAGE = Date.parse("2013-03-01T00:00:00Z");
/** Tags that clients put beside an image for its signatures and the like: `sha256-<hex of its digest>[.sig]`. */
const ATTACHMENT = /^sha256-([0-9a-f]{64})(\..*)?$/;

export interface Tag {
    readonly name: string;
    readonly digest: string;
    /** When the image was made, in milliseconds; undefined when that is not known. */
    readonly created?: number;
}

export interface Verdict {
    readonly tag: Tag;
    readonly isKept: boolean;
    readonly why: string;
}

function fits(pattern: string, text: string): boolean {
    const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(text);
}

/** What the rules say of a repository's tags. Nothing here asks or deletes anything. */
export function judge(
    repository: string,
    tags: readonly Tag[],
    rules: readonly RetentionRule[],
    now: number,
): Verdict[] {
    const rule = rules.find(({ repositories }) => fits(repositories, repository));
    if (rule === undefined) {
        return tags.map((tag) => ({ tag, isKept: true, why: "no rule for this repository" }));
    }
    const images = tags.filter(({ name }) => !ATTACHMENT.test(name));
    const newest = images.filter((tag) => ageOf(tag, now) !== undefined).sort(newestFirst);
    const verdicts = new Map(
        images.map((tag) => [tag, judgeImage(tag, newest.indexOf(tag), rule, now)]),
    );
    return tags.map(
        (tag) => verdicts.get(tag) ?? judgeAttachment(tag, [...verdicts.values()], rule),
    );
}

/** @param rank from 0, the newest; -1 when its age is not known */
function judgeImage(
    tag: Tag,
    rank: number,
    { keepLast, keepTags = [], olderThanDays }: RetentionRule,
    now: number,
): Verdict {
    const keep = (why: string) => ({ tag, isKept: true, why });
    const pattern = keepTags.find((candidate) => fits(candidate, tag.name));
    const age = ageOf(tag, now);
    if (pattern !== undefined) return keep(`named by ${pattern}`);
    if (age === undefined) return keep("its age is not known");
    if (keepLast !== undefined && rank < keepLast) return keep(`among the newest ${keepLast}`);
    if (olderThanDays !== undefined && age <= olderThanDays * DAY)
        return keep(`not older than ${olderThanDays} days`);
    return {
        tag,
        isKept: false,
        why: [
            ...(keepLast === undefined ? [] : [`not among the newest ${keepLast}`]),
            ...(olderThanDays === undefined ? [] : [`older than ${olderThanDays} days`]),
        ].join(", "),
    };
}

/** What is attached to an image goes with its last tag. An image without any tag may be a part of one that has. */
function judgeAttachment(
    tag: Tag,
    verdicts: readonly Verdict[],
    { keepTags = [] }: RetentionRule,
): Verdict {
    const pattern = keepTags.find((candidate) => fits(candidate, tag.name));
    if (pattern !== undefined) return { tag, isKept: true, why: `named by ${pattern}` };
    const digest = `sha256:${ATTACHMENT.exec(tag.name)?.[1]}`;
    const owners = verdicts.filter((verdict) => verdict.tag.digest === digest);
    return owners.length > 0 && owners.every(({ isKept }) => !isKept)
        ? { tag, isKept: false, why: "belongs to an image that goes" }
        : { tag, isKept: true, why: "belongs to an image that stays" };
}

function ageOf({ created }: Tag, now: number): number | undefined {
    return created === undefined || Number.isNaN(created) || created < FIRST_IMAGE
        ? undefined
        : now - created;
}

function newestFirst(a: Tag, b: Tag): number {
    // Of the same age (two names of one image): the higher name is the newer one.
    return (
        (b.created ?? 0) - (a.created ?? 0) ||
        b.name.localeCompare(a.name, "en", { numeric: true }) ||
        (a.name < b.name ? 1 : -1)
    );
}

/**
 * The manifests that go with tags that were deleted: those that these named, and what only these refer to. What a tag
 * still names stays, and so does whatever a manifest refers to that stays, tagged or not.
 *
 * @param manifests of one repository: what each refers to, by digest
 * @param untagged digests that the deleted tags named
 * @param tagged digests that tags still name
 * @returns in an order in which no manifest goes before one that refers to it
 */
export function goingManifests(
    manifests: ReadonlyMap<string, readonly string[]>,
    untagged: Iterable<string>,
    tagged: ReadonlySet<string>,
): string[] {
    const going = new Set(untagged);
    // A child joins through its parent, so parents come first.
    for (const digest of going) {
        for (const child of manifests.get(digest) ?? []) if (manifests.has(child)) going.add(child);
    }
    let isSettled = false;
    while (!isSettled) {
        isSettled = true;
        const needed = new Set(
            [...manifests]
                .filter(([digest]) => !going.has(digest))
                .flatMap(([, children]) => children),
        );
        for (const digest of going) {
            if (tagged.has(digest) || needed.has(digest) || !manifests.has(digest)) {
                going.delete(digest);
                isSettled = false;
            }
        }
    }
    return [...going];
}
