import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import type { LoginSurroundings } from "./ssh-credentials";

/** What a machine has to say of a registry's settings. */
export interface MachineSurroundings extends LoginSurroundings {
    /** Value of the environment variable DOCKER_HOST. */
    readonly dockerHost: string | undefined;
}

/** That of the machine that runs Pulumi. */
export function thisMachine(): MachineSurroundings {
    return {
        dockerHost: process.env.DOCKER_HOST,
        sshAgent: process.env.SSH_AUTH_SOCK,
        home: homedir(),
        readFile: (path) => readFileSync(path, "utf8"),
    };
}
