/** Kinds of client software that can be set up, as `targets` names them. `found`: whatever the host has of the first four. */
export const TARGETS = [
    "found",
    "docker",
    "containerd",
    "podman",
    "buildkit",
    "k3s",
    "rke2",
    "system",
] as const;
export type Target = (typeof TARGETS)[number];

/** What a host has to know in order to trust a registry. */
export interface TrustSettings {
    /** Names on the host what belongs to this stack. */
    readonly stack: string;
    readonly hostname: string;
    readonly port: number;
    /** The registry as image names have it. */
    readonly registry: string;
    /** What /etc/hosts maps the name to. Unset: the host's own name resolution knows it. */
    readonly address?: string;
    readonly targets: readonly Target[];
    /** Whether the registry has to answer for the host to be done. */
    readonly proofRequired: boolean;
    /** Certificates of the authorities, PEM. */
    readonly bundle: string;
}

/**
 * The script for one host, from the parts in `components/trust-host`: only those that it has a use
 * for, without comments and indentation, since the state keeps it twice for every host.
 *
 * @param part reads the part with this name
 */
export function trustScript(settings: TrustSettings, part: (name: string) => string): string {
    const { stack, hostname, port, registry, address = "", targets } = settings;
    const variables = {
        stack,
        hostname,
        port: String(port),
        registry,
        address,
        targets: targets.join(" "),
        proof: settings.proofRequired ? "required" : "possible",
        bundle: settings.bundle.trimEnd(),
    };
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}`);
    const parts = [
        "base",
        ...(address === "" ? [] : ["hosts"]),
        ...new Set(targets.flatMap(partsOf)),
        "proof",
        "main",
    ];
    return [...assignments, ...parts.map((name) => bare(part(name)))].join("\n");
}

function partsOf(target: Target): string[] {
    switch (target) {
        case "found":
            return ["docker", "containerd", "podman", "buildkit"];
        case "k3s":
        case "rke2":
            return ["rancher"];
        default:
            return [target];
    }
}

/** Always in quotes: an assignment shows where its value ends. */
function quote(text: string): string {
    return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bare(script: string): string {
    // Two blanks are not indentation: they are in files that the script writes.
    return script.replace(/^ *#.*\n|^(?: {4})+/gm, "").trimEnd();
}
