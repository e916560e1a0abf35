import * as pulumi from "@pulumi/pulumi";

/** A text that may be known only when something else is made: the address of a host, or a secret. */
export type Late = pulumi.Input<string>;

/** Whether it is known only later. */
export function isLate(value: unknown): value is pulumi.Output<unknown> | Promise<unknown> {
    return value instanceof Promise || pulumi.Output.isInstance(value);
}

/** The value of something that may hold late ones; `undefined` while one of them is unknown, as in a preview. */
export async function known<T>(input: T): Promise<pulumi.Unwrap<T> | undefined> {
    // Pulumi has it, and does not declare it.
    const output = pulumi.output(input) as pulumi.Output<pulumi.Unwrap<T>> & {
        readonly isKnown: Promise<boolean>;
    };
    if (!(await output.isKnown)) return undefined;
    return new Promise((resolve) => output.apply(resolve));
}
