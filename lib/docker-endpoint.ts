import { PRINTABLE } from "./scalars";

/** A Docker daemon's address, as `DOCKER_HOST` and the `docker --host` option have it. */
export type DockerEndpoint =
    | { readonly scheme: "unix"; readonly path: string }
    | { readonly scheme: "tcp"; readonly host: string; readonly port: number }
    | {
          readonly scheme: "ssh";
          readonly user: string;
          readonly host: string;
          readonly port: number;
      };

/** User and host are words of a command line of `ssh`: none begins with a dash, and no shell would act on one. */
const REMOTE =
    /^(tcp|ssh):\/\/(?:([\w.+][\w.+-]*)@)?(\[[0-9a-fA-F:.]+\]|[\w.][\w.-]*)(?::(\d{1,5}))?\/?$/;
const DEFAULT_PORT = { tcp: 2375, ssh: 22 } as const;

/** Reads a Docker host's address; `undefined` for what Docker would not take. */
export function parseDockerEndpoint(text: string): DockerEndpoint | undefined {
    if (text.startsWith("unix:///")) {
        return PRINTABLE.test(text)
            ? { scheme: "unix", path: text.slice("unix://".length) }
            : undefined;
    }
    const match = REMOTE.exec(text);
    if (match === null) {
        return undefined;
    }
    const [, scheme, user, host = "", port] = match;
    const bare = host.replace(/^\[|\]$/g, "");
    const number = port === undefined ? undefined : Number(port);
    if (number !== undefined && (number < 1 || number > 65535)) {
        return undefined;
    }
    return scheme === "ssh"
        ? { scheme, user: user ?? "", host: bare, port: number ?? DEFAULT_PORT.ssh }
        : { scheme: "tcp", host: bare, port: number ?? DEFAULT_PORT.tcp };
}

/** The host name by which other machines know the daemon's machine; the loopback address for this one. */
export function dockerMachine(endpoint: DockerEndpoint): string {
    return endpoint.scheme === "unix" ? "127.0.0.1" : endpoint.host;
}
