import { githubActions, gitlabCi } from "./ci";
import { buildkitConfig, clientFiles, containerdHosts, rancherRegistries } from "./clients";
import { pullSecret } from "./kubernetes";
import type { TeamAccess, TeamFile } from "./team-access";
import { type ScriptParts, trustAndLogin } from "./trust-and-login";

/** All files of a team's hand-over, the explanation of them first. */
export function teamFiles(access: TeamAccess, parts: ScriptParts): TeamFile[] {
    const files = [
        ...clientFiles(access),
        trustAndLogin(access, parts),
        pullSecret(access),
        containerdHosts(access),
        rancherRegistries(access),
        buildkitConfig(access),
        githubActions(access),
        gitlabCi(access),
    ];
    return [readme(access, files), ...files];
}

/** Its first line says whose folder it lies in. */
function readme(access: TeamAccess, files: readonly TeamFile[]): TeamFile {
    const { team, registry, url, address, caFingerprints, account } = access;
    const lines = [
        folderTitle(access),
        "",
        `  Registry    ${registry}`,
        `  URL         ${url}`,
        ...(address === undefined ? [] : [`  Address     ${address}`]),
        `  User name   ${account.username}`,
        ...caFingerprints.map((text) => `  Authority   SHA-256 ${text}`),
        "",
        "Files marked with * hold the password: whoever can read one of them can push and pull as this team.",
        "Compare the fingerprint with the one that the operators of the registry publish:",
        "  openssl x509 -in ca.crt -noout -fingerprint -sha256",
        "",
        ...files.flatMap(({ name, purpose, isSecret }) => [
            `${name}${isSecret ? " *" : ""}`,
            ...purpose.map((line) => `    ${line}`),
            "",
        ]),
        `Images are named ${registry}/NAME:TAG.`,
    ];
    return {
        name: README,
        purpose: [`What is here for team ${team}.`],
        text: `${lines.join("\n")}\n`,
        isSecret: false,
    };
}

export const README = "README.txt";

/** Tells the folder of one team and registry from every other folder. */
function folderTitle({ team, registry }: TeamAccess): string {
    return `Private registry ${registry}: hand-over for team ${team}`;
}
