import type { RetentionRule } from "../../lib/retention";

export type Rule = RetentionRule;

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

export function judge(
    repository: string,
    tags: readonly Tag[],
    rules: readonly Rule[],
    now: number,
): Verdict[];

export function goingManifests(
    manifests: ReadonlyMap<string, readonly string[]>,
    untagged: Iterable<string>,
    tagged: ReadonlySet<string>,
): string[];
