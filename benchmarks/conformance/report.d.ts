/** How a test ended, in the suite's words. */
export type Status = "passed" | "failure" | "skipped" | "error";

export interface SuiteTest {
    /** Several tests have the same one, in no fixed order: one for each blob, for example. */
    readonly name: string;
    readonly status: Status;
    /** What the suite says of a test that did not pass, without what differs from run to run. */
    readonly reason: string;
}

export interface Report {
    /** As the suite counts, steps and groups of tests included. */
    readonly counts: Record<"passed" | "failed" | "skipped" | "disabled", number>;
    readonly seconds: number;
    readonly tests: readonly SuiteTest[];
}

/** A test that ended otherwise with another registry. */
export interface Difference {
    readonly name: string;
    /** It passes only with the other one. */
    readonly isBetter: boolean;
    /** Undefined: the test was not there. */
    readonly bare?: string;
    readonly other?: string;
}

/** Reads what the suite writes as `junit.xml`. Throws when there is no test in it. */
export function readReport(xml: string): Report;

/** Every test of which the two registries make something different, even if it is another reason to fail. */
export function differences(bare: Report, other: Report): Difference[];
