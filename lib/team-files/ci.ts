import type { TeamAccess, TeamFile } from "./team-access";

/** GitHub Actions: the script lies in the repository, the password is its one secret. */
export function githubActions({ registry }: TeamAccess): TeamFile {
    return {
        name: "github-actions.yml",
        purpose: [
            "GitHub Actions: commit trust-and-login.sh (there is no secret in it), add these steps to a job,",
            "and once, with this folder as the current one:",
            "  gh secret set REGISTRY_PASSWORD --repo OWNER/REPOSITORY <password",
        ],
        text: [
            "steps:",
            "  - uses: actions/checkout@v4",
            `  - name: ${JSON.stringify(`Trust ${registry} and log in`)}`,
            "    env:",
            "      REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}",
            "    run: |",
            "      printf '%s' \"$REGISTRY_PASSWORD\" | sh trust-and-login.sh --password-stdin",
            "",
        ].join("\n"),
        isSecret: false,
    };
}

/** GitLab: jobs with a Docker daemon of their own, which has to be told of the authority before it is asked. */
export function gitlabCi({ registry, account }: TeamAccess): TeamFile {
    return {
        name: "gitlab-ci.yml",
        purpose: [
            "GitLab, with Docker in Docker: two variables of the project (Settings, CI/CD), once, with this",
            "folder as the current one; then add the text to .gitlab-ci.yml. Protected means that only",
            "protected branches get it.",
            "  glab variable set REGISTRY_PASSWORD --masked --protected --repo GROUP/PROJECT <password",
            "  glab variable set REGISTRY_CA --repo GROUP/PROJECT <ca.crt",
            "Runners with the machine's own Docker need trust-and-login.sh on the machine instead.",
        ],
        text: [
            "variables:",
            `  REGISTRY: ${JSON.stringify(registry)}`,
            `  REGISTRY_USERNAME: ${JSON.stringify(account.username)}`,
            "default:",
            "  image: docker:28",
            "  services:",
            "    - name: docker:28-dind",
            "      command:",
            "        - sh",
            "        - -c",
            "        - |",
            '          mkdir -p "/etc/docker/certs.d/$REGISTRY"',
            '          printf \'%s\\n\' "$REGISTRY_CA" >"/etc/docker/certs.d/$REGISTRY/ca.crt"',
            "          exec dockerd-entrypoint.sh",
            "  before_script:",
            "    - |",
            "      printf '%s' \"$REGISTRY_PASSWORD\" |",
            '        docker login --username "$REGISTRY_USERNAME" --password-stdin "$REGISTRY"',
            "",
        ].join("\n"),
        isSecret: false,
    };
}
