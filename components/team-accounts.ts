import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { bcryptHash, htpasswdText } from "../lib/htpasswd";

/** How one team's account is made. */
export interface Team {
    /** A higher number makes a new password; the old one stops working. Default: 1. */
    readonly generation?: number;
}

export interface TeamAccountsArgs {
    /** The teams by name. A team's name is its user name. */
    readonly teams: Readonly<Record<string, Team>>;
}

/** Letters and digits: 40 of them have 238 bits, and no shell or file format needs to quote them. */
const PASSWORD_LENGTH = 40;
const SALT_BYTES = 16;

/**
 * One account per team with a generated password. A team's resources are keyed by its name, so
 * adding, removing or rotating one leaves the others as they are.
 */
export class TeamAccounts extends pulumi.ComponentResource {
    /** Password of each team, by its name. Secret. */
    public readonly passwords: pulumi.Output<Record<string, string>>;
    /** The accounts as the text of an htpasswd file. Secret: a hash is all that one needs to try passwords. */
    public readonly htpasswd: pulumi.Output<string>;

    constructor(name: string, args: TeamAccountsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("private-registry:index:TeamAccounts", name, {}, opts);

        const accounts = Object.entries(args.teams).map(([team, { generation = 1 }]) => {
            const keepers = { generation: String(generation) };
            const password = new random.RandomPassword(
                `${name}-password-${team}`,
                { length: PASSWORD_LENGTH, special: false, keepers },
                { parent: this },
            );
            // Made once and kept, so that the hash is the same at every run. Its id is its value in
            // clear, which is no loss for a salt.
            const salt = new random.RandomBytes(
                `${name}-salt-${team}`,
                { length: SALT_BYTES, keepers },
                { parent: this },
            );
            return { username: team, password: password.result, salt: salt.base64 };
        });

        this.passwords = pulumi.secret(
            pulumi.output(
                Object.fromEntries(accounts.map(({ username, password }) => [username, password])),
            ),
        );
        this.htpasswd = pulumi.secret(
            pulumi.output(accounts).apply(hashAccounts).apply(htpasswdText),
        );
        this.registerOutputs({});
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
