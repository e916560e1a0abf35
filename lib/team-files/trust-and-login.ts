import { shellQuote } from "../shell-quote";
import { trustScript } from "../trust-script";
import { hostAndPortOf, type TeamAccess, type TeamFile } from "./team-access";

/** Where the parts of the script come from: `trust` those of the script for client hosts, `own` those of this one. */
export interface ScriptParts {
    readonly trust: (name: string) => string;
    readonly own: (name: string) => string;
}

const END = "PRIVATE-REGISTRY-TRUST";

/**
 * A script for a machine that is no client host of the stack. It carries the authorities' certificates
 * and the user name and asks for the password: so it can be sent around and committed.
 */
export function trustAndLogin(access: TeamAccess, parts: ScriptParts): TeamFile {
    const { registry, address, caCertificate, account } = access;
    const { hostname, port } = hostAndPortOf(access);
    // A name of its own on the machine: what a stack's `clients` may have written there is not this script's.
    const stack = `hand-over-${registry.replace(/[^a-z0-9.]+/g, "-")}`;
    const variables = { registry, hostname, address: address ?? "", stack };
    const trust = trustScript(
        {
            stack,
            hostname,
            port,
            registry,
            address,
            targets: ["found"],
            proofRequired: true,
            bundle: caCertificate,
        },
        parts.trust,
    );
    const text = [
        "#!/bin/sh",
        "# Trusts a private registry's authority on this machine and logs Docker and Podman in: --help says how.",
        "# There is no secret in this file.",
        "set -eu",
        assign({ ...variables, username: account.username, bundle: caCertificate.trimEnd() }),
        "",
        "# What runs as root.",
        `trust_script() { cat <<'${END}'`,
        assign({ registry, stack }),
        parts.own("managed"),
        forAnybody(trust),
        END,
        "}",
        "",
        parts.own("trust-and-login"),
    ];
    return {
        name: "trust-and-login.sh",
        purpose: [
            "For a machine that is not set up by 'clients' of the stack: makes it trust the registry and logs",
            "Docker and Podman in. Without a secret in it: it asks for the password, or takes the file",
            "'password' beside it, or standard input. Take it back with --remove.",
            "  sh trust-and-login.sh --help",
        ],
        text: text.join("\n"),
        isSecret: false,
    };
}

function assign(variables: Readonly<Record<string, string>>): string {
    return Object.entries(variables)
        .map(([name, value]) => `${name}=${shellQuote(value)}`)
        .join("\n");
}

/** The script for client hosts speaks to whoever runs `up`. */
function forAnybody(script: string): string {
    return script
        .replaceAll(
            /, or say with clients\.<key>\.targets[^']*?, then run up again/g,
            ", then run this again",
        )
        .replaceAll("then run up again", "then run this again");
}
