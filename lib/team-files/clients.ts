import { shellQuote } from "../shell-quote";
import type { TeamAccess, TeamFile } from "./team-access";

/** Text in double quotes, as JSON, YAML and TOML all read it. */
function quoted(text: string): string {
    return JSON.stringify(text);
}

/** What Docker and the programs of its kind read: certificate, password, accounts. */
export function clientFiles({ registry, caCertificate, account }: TeamAccess): TeamFile[] {
    const { username, password, dockerConfigJson } = account;
    return [
        {
            name: "ca.crt",
            purpose: [
                "The authority to trust (PEM). Docker and Podman read it at the next connection, from",
                `  Docker                           /etc/docker/certs.d/${registry}/ca.crt`,
                `  Podman, Buildah, Skopeo, CRI-O   /etc/containers/certs.d/${registry}/ca.crt`,
                `  ... of one user, without root    ~/.config/containers/certs.d/${registry}/ca.crt`,
                "trust-and-login.sh does that.",
            ],
            text: caCertificate,
            isSecret: false,
        },
        {
            name: "password",
            purpose: [
                "The password alone, without a line end, to be given on standard input:",
                `  docker login --username ${shellQuote(username)} --password-stdin ${shellQuote(registry)} <password`,
            ],
            text: password,
            isSecret: true,
        },
        {
            name: "config.json",
            purpose: [
                "Docker, instead of a login: docker --config FOLDER pull ..., or DOCKER_CONFIG=FOLDER,",
                "where FOLDER is this folder; or copied to ~/.docker/config.json, if there is none.",
            ],
            text: `${dockerConfigJson}\n`,
            isSecret: true,
        },
        {
            name: "auth.json",
            purpose: [
                "Podman, Buildah and Skopeo, instead of a login: --authfile auth.json, or",
                "REGISTRY_AUTH_FILE=.../auth.json; CRI-O: global_auth_file in /etc/crio/crio.conf.",
            ],
            text: `${dockerConfigJson}\n`,
            isSecret: true,
        },
    ];
}

/** containerd reads one folder per registry, with this file and the certificate beside it. */
export function containerdHosts({ registry, url }: TeamAccess): TeamFile {
    return {
        name: "hosts.toml",
        purpose: [
            `containerd: copy it and ca.crt to /etc/containerd/certs.d/${registry}/, the folder that`,
            "config_path in /etc/containerd/config.toml names. It has no account: Kubernetes takes that from",
            "pull-secret.yaml, nerdctl from config.json, and ctr asks for the password: --user NAME.",
        ],
        text: [
            `server = ${quoted(url)}`,
            "",
            // containerd 2 wants a section of the host's own. containerd 1 cannot read one with an IPv6 address in its
            // name, and then takes the certificate that lies beside the file.
            `[host.${quoted(url)}]`,
            '  capabilities = ["pull", "resolve", "push"]',
            "  # Beside this file.",
            '  ca = "ca.crt"',
            "",
        ].join("\n"),
        isSecret: false,
    };
}

/** BuildKit, by buildx or as a daemon of its own. */
export function buildkitConfig({ registry }: TeamAccess): TeamFile {
    const name = quoted(registry);
    // The TOML that many versions of BuildKit read has no brackets in a section's name.
    const lines = registry.includes("]")
        ? ["[registry]", `  ${name}.ca = ["ca.crt"]`]
        : [`[registry.${name}]`, '  ca = ["ca.crt"]'];
    return {
        name: "buildkitd.toml",
        purpose: [
            "BuildKit: a builder that trusts the registry, made in this folder (the account is Docker's own):",
            "  docker buildx create --name private-registry --driver docker-container \\",
            "    --buildkitd-config buildkitd.toml --use",
            "For a buildkitd of your own add it to /etc/buildkit/buildkitd.toml, with the full path of ca.crt.",
        ],
        text: ["# From the folder that buildx create is run in.", ...lines, ""].join("\n"),
        isSecret: false,
    };
}

/** k3s and rke2 keep certificate and account in one file. */
export function rancherRegistries({ registry, url, account }: TeamAccess): TeamFile {
    const ca = `/etc/rancher/certs.d/${registry}/ca.crt`;
    return {
        name: "registries.yaml",
        purpose: [
            `k3s, rke2: copy ca.crt to ${ca} and this file to`,
            "/etc/rancher/k3s/registries.yaml (mode 600; rke2: /etc/rancher/rke2/registries.yaml), or add its",
            "entries to the file that is there; then restart k3s, k3s-agent, rke2-server or rke2-agent.",
        ],
        text: [
            "mirrors:",
            `  ${quoted(registry)}:`,
            "    endpoint:",
            `      - ${quoted(url)}`,
            "configs:",
            `  ${quoted(registry)}:`,
            "    auth:",
            `      username: ${quoted(account.username)}`,
            `      password: ${quoted(account.password)}`,
            "    tls:",
            `      ca_file: ${quoted(ca)}`,
            "",
        ].join("\n"),
        isSecret: true,
    };
}
