import { join } from "node:path";
import { nodeTests } from "../support/node-tests";

nodeTests(join(__dirname, "../support/backup-file.mjs"), [
    "what is written comes back",
    "ordinary tar reads it",
    "any flipped bit is found",
    "any missing end is found",
    "what is not from this program is refused",
    "only files of a registry come out",
    "a state opens with its passphrase and its backup only",
    "a passphrase is asked for twice and not shown",
]);
