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

/** A pull-through cache, as hosts are set up for it. */
export interface MirrorEndpoint {
    /** The registry whose images it has, as images name it: `docker.io`, `quay.io`, `registry.example.com:5000`. */
    readonly registry: string;
    /** Where it is, as image names have it: `host:port`. */
    readonly address: string;
    /** Whether it answers without a login. */
    readonly anonymous: boolean;
    /** URL of the upstream itself, which containerd asks when the mirror does not answer. */
    readonly upstream: string;
}

/** What a host has to know in order to trust a registry. */
export interface TrustSettings {
    /** Names on the host what belongs to this stack. */
    readonly stack: string;
    /** Key of the host among the stack's clients. What is removed under another key than a host was set up with last, stays. */
    readonly client?: string;
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
    /** Pull-through caches to pull through, of different registries. */
    readonly mirrors?: readonly MirrorEndpoint[];
}

/**
 * The script for one host, from the parts in `components/trust-host`: only those that it has a use
 * for, without comments and indentation, since the state keeps it twice for every host.
 *
 * @param part reads the part with this name
 */
export function trustScript(settings: TrustSettings, part: (name: string) => string): string {
    const { stack, client = "", hostname, port, registry } = settings;
    const { address = "", targets, mirrors = [] } = settings;
    const text = (name: string) => bare(part(name), mirrors.length > 0);
    const ofTargets = [...new Set(targets.flatMap(partsOf))];
    const variables = {
        stack,
        client,
        hostname,
        port: String(port),
        registry,
        address,
        targets: targets.join(" "),
        proof: settings.proofRequired ? "required" : "possible",
        bundle: settings.bundle.trimEnd(),
        ...(mirrors.length === 0 ? {} : { mirrors: mirrors.map(mirrorLine).join("\n") }),
        ...(mirrors.length === 0 || !ofTargets.includes("docker")
            ? {}
            : { undo_docker_mirrors: text("docker-mirrors-undo") }),
    };
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}`);
    const parts = [
        "base",
        ...(address === "" ? [] : ["hosts"]),
        ...ofTargets,
        "proof",
        ...(mirrors.length === 0 ? [] : ["mirrors", ...ofTargets.flatMap(mirrorPartsOf)]),
        "main",
    ];
    return [...assignments, ...parts.map(text)].join("\n");
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

/** Trust in a system's own store is all that it has. */
function mirrorPartsOf(part: string): string[] {
    return part === "system" ? [] : [`${part}-mirrors`];
}

function mirrorLine({ registry, address, anonymous, upstream }: MirrorEndpoint): string {
    return [registry, address, anonymous ? "anonymous" : "login", upstream].join(" ");
}

/** Always in quotes: an assignment shows where its value ends. */
function quote(text: string): string {
    return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Ends lines that only hosts with mirrors have. */
const WITH_MIRRORS = " # with mirrors";

function bare(script: string, hasMirrors: boolean): string {
    const lines = script
        .split("\n")
        .filter((line) => hasMirrors || !line.endsWith(WITH_MIRRORS))
        .map((line) => (line.endsWith(WITH_MIRRORS) ? line.slice(0, -WITH_MIRRORS.length) : line));
    // Two blanks are not indentation: they are in files that the script writes.
    return lines
        .join("\n")
        .replace(/^ *#.*\n|^(?: {4})+/gm, "")
        .trimEnd();
}
