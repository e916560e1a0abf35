import { join } from "node:path";
import { run } from "../support/run";

const CHECKS = join(__dirname, "../support/backup-file.mjs");

// The scripts are ES modules, which jest does not load; Node's own runner does.
test.each([
    "what is written comes back",
    "ordinary tar reads it",
    "any flipped bit is found",
    "any missing end is found",
    "what is not from this program is refused",
    "only files of a registry come out",
    "a state opens with its passphrase and its backup only",
    "a passphrase is asked for twice and not shown",
])("%s", async (name) => {
    const { code, stdout, stderr } = await run(process.execPath, [
        ...["--test", "--test-reporter=tap", `--test-name-pattern=^${name}$`],
        CHECKS,
    ]);
    if (code !== 0 || !stdout.includes(`ok 1 - ${name}`)) throw new Error(stdout + stderr);
});
