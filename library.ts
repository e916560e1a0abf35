import { PrivateRegistry } from "./components/private-registry";
import type { PrivateRegistryArgs } from "./components/private-registry-args";
import { settingsOf } from "./lib/arguments";
import { preflight as lookBefore } from "./preflight";

/** What programs of others import from this package. */

export { PrivateRegistry };
export type {
    ClientArgs,
    HostArgs,
    MirrorArgs,
    PrivateRegistryArgs,
    RedisArgs,
    S3Args,
    SshArgs,
    SwarmArgs,
} from "./components/private-registry-args";
export type { KeyAlgorithm, Subject } from "./components/certificate-authority";
export type { Team } from "./components/team-accounts";
export type { TeamHandOver } from "./lib/hand-over";
export type { Late } from "./lib/late";
export type { Target } from "./lib/trust-script";

/**
 * Looks at what a registry is to stand on before anything of it is made or changed: whether its Docker host answers, whether
 * something else has its names and ports, whether its bucket, its Redis and what its mirrors fetch from take its logins. Throws one
 * error with all that is in the way, and what to do. What has secrets that are not known yet is not looked at.
 *
 * The constructor cannot do it, since it cannot wait: `await` it in front, with the same name and arguments.
 *
 * @example
 * await preflight("registry", args);
 * const registry = new PrivateRegistry("registry", args);
 */
export async function preflight(name: string, args: PrivateRegistryArgs = {}): Promise<void> {
    await lookBefore(settingsOf(name, args));
}
