import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { isWildcard, registryName, subjectAltNames } from "../lib/address";
import { dockerMachine, parseDockerEndpoint } from "../lib/docker-endpoint";
import { handOver, type TeamHandOver } from "../lib/hand-over";
import { arePermissionsUsed, type TeamAccess } from "../lib/permissions";
import { settingsOf } from "../lib/arguments";
import type { Late } from "../lib/late";
import { mirrorEndpoint } from "../lib/mirror-config";
import type { Settings } from "../lib/settings";
import { bucketName } from "../lib/storage-config";
import { CertificateAuthority } from "./certificate-authority";
import { ClientTrust } from "./client-trust";
import { Gateway } from "./gateway";
import { MirrorCaches } from "./mirror-caches";
import { RegistryServer } from "./registry-server";
import type { PrivateRegistryArgs } from "./private-registry-args";
import { RegistryService } from "./registry-service";
import { ServerProof } from "./server-proof";
import { type Team, TeamAccounts } from "./team-accounts";

/**
 * A private container registry with TLS from its own certificate authority and one account per team,
 * trusted by every client host and proved to answer there. Destroying it takes everything back, on the
 * client hosts too, and keeps the images unless told otherwise.
 */
export class PrivateRegistry extends pulumi.ComponentResource {
    /** The registry as images name it: `host:port`. */
    public readonly registry: pulumi.Output<string>;
    public readonly url: pulumi.Output<string>;
    /** Certificates of all authorities, PEM: what a client has to trust. */
    public readonly caCertificate: pulumi.Output<string>;
    /** SHA-256 fingerprints of the certificates in `caCertificate`. */
    public readonly caFingerprints: pulumi.Output<string[]>;
    /** When the server certificate ends, RFC 3339 in UTC. */
    public readonly certificateExpires: pulumi.Output<string>;
    /** What each team needs to use the registry, by its name. Secret. */
    public readonly teams: pulumi.Output<Record<string, TeamHandOver>>;

    /**
     * Makes a registry. Arguments that are not right are refused before anything is made, all of them in one error.
     *
     * @param name a plain name, in the names of what is made: `<project>-<stack>-<name>`
     * @param args everything has a default: without any it is a registry on `localhost:5000` with one team, `dev`
     * @param opts `parent`, `dependsOn`, `aliases`, `protect` and `transforms` work as for every component
     */
    constructor(name: string, args?: PrivateRegistryArgs, opts?: pulumi.ComponentResourceOptions);
    /** @internal With what a configuration came to, which is checked. */
    constructor(name: string, args: Settings<Late>, opts?: pulumi.ComponentResourceOptions);
    constructor(
        name: string,
        given: PrivateRegistryArgs | Settings<Late> = {},
        opts?: pulumi.ComponentResourceOptions,
    ) {
        const args = settingsOf(name, given);
        super("private-registry:index:PrivateRegistry", name, {}, opts);
        const { hostname, port } = args;
        const registry = registryName(hostname, port);

        const authority = new CertificateAuthority(`${name}-authority`, args, { parent: this });
        // While authorities are exchanged, no server shows a certificate of the new one before every
        // client trusts it. At any other time the clients come last, with a registry there to be proved.
        const isExchange = args.authorities.length > 1;
        const trustOnClients = (dependsOn?: pulumi.Resource[]) =>
            Object.keys(args.clients).length === 0
                ? undefined
                : new ClientTrust(
                      `${name}-trust`,
                      {
                          ...args,
                          registry,
                          caBundle: authority.bundle,
                          proofRequired: !isExchange,
                          mirrors: Object.values(args.mirrors).map((mirror) =>
                              mirrorEndpoint(hostname, mirror),
                          ),
                      },
                      { parent: this, dependsOn },
                  );
        const trusted = isExchange ? trustOnClients() : undefined;
        const { certificate, privateKey, expires } = authority.issueServerCertificate(
            "server",
            hostname,
            subjectAltNames([
                hostname,
                args.address,
                "localhost",
                "127.0.0.1",
                ...args.subjectAltNames,
            ]),
            trusted,
        );
        const accounts = new TeamAccounts(`${name}-accounts`, args, { parent: this });
        const dockerHost = new docker.Provider(
            `${name}-docker`,
            { host: args.dockerHost },
            { parent: this },
        );
        const onDockerHost = { parent: this, providers: { docker: dockerHost } };
        const server =
            args.swarm === undefined
                ? new RegistryServer(
                      `${name}-server`,
                      {
                          ...args,
                          direct: args.gateway
                              ? undefined
                              : { certificate, privateKey, htpasswd: accounts.htpasswd },
                      },
                      onDockerHost,
                  )
                : new RegistryService(`${name}-server`, { ...args, ...args.swarm }, onDockerHost);
        const gateway =
            args.gateway === undefined || server.link === undefined
                ? undefined
                : new Gateway(
                      `${name}-gateway`,
                      {
                          ...args,
                          ...args.gateway,
                          certificate,
                          privateKey,
                          accounts: accounts.hashed,
                          teams: teamAccess(args.teams),
                          registry: server.link,
                      },
                      // The registry may have had the port until now.
                      { ...onDockerHost, dependsOn: server },
                  );
        const proof = new ServerProof(
            `${name}-proof`,
            {
                hostname,
                address: reachableAddress(args),
                port,
                containerName: args.gateway ? `${args.containerName}-gateway` : args.containerName,
                caBundle: authority.bundle,
                certificate,
                passwords: accounts.passwords,
                storage: args.s3 && bucketName(args.s3),
                containerId: pulumi.interpolate`${server.containerId}${gateway?.containerIds ?? ""}`,
                loaderExitCode: pulumi
                    .all([server.loaderExitCode, gateway?.loaderExitCode ?? 0])
                    .apply((codes) => Math.max(...codes)),
            },
            { parent: this },
        );
        const mirrors =
            Object.keys(args.mirrors).length === 0
                ? []
                : [
                      new MirrorCaches(
                          `${name}-mirror`,
                          {
                              ...args,
                              htpasswd: accounts.htpasswd,
                              passwords: accounts.passwords,
                              address: reachableAddress(args),
                              caBundle: authority.bundle,
                              certificate,
                              privateKey,
                          },
                          onDockerHost,
                      ),
                  ];
        if (!isExchange) {
            trustOnClients([proof, ...mirrors]);
        }

        this.registry = pulumi.output(registry);
        this.url = pulumi.output(`https://${registry}`);
        this.caCertificate = authority.bundle;
        this.caFingerprints = authority.fingerprints;
        this.certificateExpires = expires;
        this.teams = accounts.given.apply((given) =>
            Object.fromEntries(
                Object.entries(given).map(([team, { username, password }]) => [
                    team,
                    handOver(registry, username, password),
                ]),
            ),
        );
        this.registerOutputs({ registry: this.registry, url: this.url });
    }
}

/** Where this machine reaches the published port: the address it is bound to, or the Docker host's own. */
function reachableAddress({ bindAddress, dockerHost }: Settings<Late>): string {
    const endpoint = parseDockerEndpoint(dockerHost);
    const machine = endpoint === undefined ? "127.0.0.1" : dockerMachine(endpoint);
    return isWildcard(bindAddress) ? machine : bindAddress;
}

/** What each team may do, when any of them has permissions of its own. */
function teamAccess(teams: Readonly<Record<string, Team>>): TeamAccess[] | undefined {
    return arePermissionsUsed(teams)
        ? Object.entries(teams).map(([name, team]) => ({
              ...team,
              accounts: team.accounts ?? [name],
          }))
        : undefined;
}
