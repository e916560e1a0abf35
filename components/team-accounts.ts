import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { bcryptHash, type HashedAccount, htpasswdText } from "../lib/htpasswd";
import type { Permissions } from "../lib/permissions";

/** How one team's accounts are made, and what they may do. */
export interface Team extends Permissions {
    /** A higher number makes new passwords; the old ones stop working. Default: 1. */
    readonly generation?: number;
    /**
     * User names of the team. The first is the one that it is given, all of them are accepted: so an
     * account is exchanged without a moment in which neither works. Default: the team's name alone.
     */
    readonly accounts?: readonly string[];
}

export interface TeamAccountsArgs {
    /** The teams by name. */
    readonly teams: Readonly<Record<string, Team>>;
}

/** One user name with its password. */
export interface Account {
    readonly username: string;
    readonly password: string;
}

/** Letters and digits: 40 of them have 238 bits, and no shell or file format needs to quote them. */
const PASSWORD_LENGTH = 40;
const SALT_BYTES = 16;

/**
 * Accounts with generated passwords, one per team or several. An account's resources are keyed by its
 * user name, so adding, removing or rotating one leaves the others as they are.
 */
export class TeamAccounts extends pulumi.ComponentResource {
    /** Password of each account, by its user name. Secret. */
    public readonly passwords: pulumi.Output<Record<string, string>>;
    /** The account that each team is given, by the team's name. Secret. */
    public readonly given: pulumi.Output<Record<string, Account>>;
    /** The accounts with the hashes of their passwords. Secret: a hash is all that one needs to try passwords. */
    public readonly hashed: pulumi.Output<HashedAccount[]>;
    /** The same as the text of an htpasswd file. Secret. */
    public readonly htpasswd: pulumi.Output<string>;

    constructor(name: string, args: TeamAccountsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("private-registry:index:TeamAccounts", name, {}, opts);

        const teams = Object.entries(args.teams).map(
            ([team, { generation = 1, accounts: usernames = [team] }]) => ({
                team,
                accounts: usernames.map((username) =>
                    this.createAccount(name, username, { generation: String(generation) }),
                ),
            }),
        );
        const accounts = teams.flatMap((team) => team.accounts);

        this.passwords = pulumi.secret(
            pulumi.output(
                Object.fromEntries(accounts.map(({ username, password }) => [username, password])),
            ),
        );
        const given = teams.flatMap(({ team, accounts: [first] }) =>
            first === undefined ? [] : [[team, first] as const],
        );
        this.given = pulumi.secret(
            pulumi.output(
                Object.fromEntries(
                    given.map(([team, { username, password }]) => [team, { username, password }]),
                ),
            ),
        );
        this.hashed = pulumi.secret(pulumi.output(accounts).apply(hashAccounts));
        this.htpasswd = this.hashed.apply(htpasswdText);
        this.registerOutputs({});
    }

    private createAccount(name: string, username: string, keepers: { generation: string }) {
        const password = new random.RandomPassword(
            `${name}-password-${username}`,
            { length: PASSWORD_LENGTH, special: false, keepers },
            { parent: this },
        );
        // Made once and kept, so that the hash is the same at every run. Its id is its value in
        // clear, which is no loss for a salt.
        const salt = new random.RandomBytes(
            `${name}-salt-${username}`,
            { length: SALT_BYTES, keepers },
            { parent: this },
        );
        return { username, password: password.result, salt: salt.base64 };
    }
}

function hashAccounts(accounts: { username: string; password: string; salt: string }[]) {
    return Promise.all(
        accounts.map(async ({ username, password, salt }) => ({
            username,
            hash: await bcryptHash(password, salt),
        })),
    );
}
