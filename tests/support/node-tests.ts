import { run } from "./run";

/**
 * A test for each of these, which stand in a file for Node's own test runner: what is looked at are ES modules, and jest does not
 * load them.
 */
export function nodeTests(file: string, names: readonly string[]): void {
    test.each(names)("%s", async (name) => {
        const { code, stdout, stderr } = await run(process.execPath, [
            ...["--test", "--test-reporter=tap", `--test-name-pattern=^${name}$`],
            file,
        ]);
        if (code !== 0 || !stdout.includes(`ok 1 - ${name}`)) throw new Error(stdout + stderr);
    });
}
