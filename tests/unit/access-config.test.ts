import { randomBytes } from "node:crypto";
import * as bcrypt from "bcryptjs";
import { accessConfig } from "../../lib/access-config";
import { bcryptHash, type HashedAccount } from "../../lib/htpasswd";

interface Handler {
    readonly request?: { readonly set: { readonly Authorization: readonly string[] } };
    readonly providers?: {
        readonly http_basic: {
            readonly accounts: readonly { readonly username: string; readonly password: string }[];
        };
    };
}

interface Config {
    readonly apps: {
        readonly http: {
            readonly servers: {
                readonly access: {
                    readonly routes: readonly { readonly handle: readonly Handler[] }[];
                };
            };
        };
    };
}

async function account(username: string): Promise<HashedAccount> {
    return { username, hash: await bcryptHash("a password", randomBytes(16).toString("base64")) };
}

/** What is done with a request that has a name that nobody has, and with which hashes passwords are compared. */
async function handlersFor(...names: readonly string[]) {
    const accounts = await Promise.all(names.map(account));
    const config = JSON.parse(accessConfig({ accounts })) as Config;
    const handlers = config.apps.http.servers.access.routes.flatMap(({ handle }) => handle);
    const [standIn = ""] = handlers[0]?.request?.set.Authorization ?? [];
    const hashes = handlers.flatMap(({ providers }) => providers?.http_basic.accounts ?? []);
    return { accounts, standIn, hashes };
}

test("a name that nobody has is checked as an account that nobody has, at the cost of the others", async () => {
    const { accounts, standIn, hashes } = await handlersFor("dev", "web");
    const [name = ""] = Buffer.from(standIn.replace(/^Basic /, "").replace(/\{.*$/, ""), "base64")
        .toString()
        .split(":");
    expect(name).not.toBe("");
    // Not one that a team could have.
    expect(name).not.toMatch(/^[a-z0-9._-]+$/);
    expect(hashes.map(({ username }) => username).sort()).toEqual(["dev", "web", name].sort());
    const costs = hashes.map(({ password }) => bcrypt.getRounds(password));
    expect(new Set(costs)).toEqual(new Set(accounts.map(({ hash }) => bcrypt.getRounds(hash))));
    expect(new Set(costs).size).toBe(1);
    const nobody = hashes.find(({ username }) => username === name)?.password ?? "";
    // Of the form that is compared at all: a shorter one is refused at once.
    expect(nobody).toMatch(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/);
});

test("the password that comes with such a name is never the same, so that no cache has it", async () => {
    const { standIn } = await handlersFor("dev");
    expect(standIn).toMatch(/\{time\.now\.unix_ms\}/);
});
