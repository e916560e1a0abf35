import type { TeamAccess, TeamFile } from "./team-access";

/** Name of a team's pull secret. Kubernetes takes lower-case letters, digits and dashes anywhere a name stands. */
export function pullSecretName(team: string): string {
    return `private-registry-${team.replace(/[^a-z0-9]+/g, "-")}`;
}

/** The Secret that lets pods pull as this team. */
export function pullSecret({ team, account }: TeamAccess): TeamFile {
    const name = pullSecretName(team);
    const data = Buffer.from(account.dockerConfigJson).toString("base64");
    return {
        name: "pull-secret.yaml",
        purpose: [
            "Kubernetes: kubectl apply --namespace NAMESPACE -f pull-secret.yaml",
            `then in the pod, or in its service account: imagePullSecrets: [{name: ${name}}]`,
            "The nodes have to trust ca.crt too: see hosts.toml and registries.yaml.",
        ],
        text: [
            "apiVersion: v1",
            "kind: Secret",
            "metadata:",
            `  name: ${name}`,
            "type: kubernetes.io/dockerconfigjson",
            "data:",
            `  .dockerconfigjson: ${data}`,
            "",
        ].join("\n"),
        isSecret: true,
    };
}
