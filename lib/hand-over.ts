import { shellQuote } from "./shell-quote";

/** What a team needs to use the registry. */
export interface TeamHandOver {
    readonly username: string;
    readonly password: string;
    /** A POSIX shell command line that logs Docker in, with the password on its standard input. */
    readonly login: string;
    /** The text of a Docker `config.json` with this account; also the content of a Kubernetes pull secret. */
    readonly dockerConfigJson: string;
}

/** Makes the hand-over of one account for the registry at `registry` ("host:port"). */
export function handOver(registry: string, username: string, password: string): TeamHandOver {
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    return {
        username,
        password,
        login:
            `printf '%s' ${shellQuote(password)} | ` +
            `docker login --username ${shellQuote(username)} --password-stdin ${shellQuote(registry)}`,
        dockerConfigJson: JSON.stringify({ auths: { [registry]: { username, password, auth } } }),
    };
}
