import { spawnSync } from "node:child_process";

/** Shells that hosts have as `sh`, as command lines of this machine, which may lack some of them. */
export const SHELLS = [["dash"], ["bash"], ["busybox", "sh"]].map((command) => ({
    name: command.join(" "),
    command,
    isThere: spawnSync(command[0] ?? "", ["-c", "true"]).error === undefined,
}));
