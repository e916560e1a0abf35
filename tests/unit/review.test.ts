import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ACCESS_LABEL } from "../../lib/permissions";

const SCRIPT = join(__dirname, "../../scripts/setup/review.mjs");

/** What is said of a preview in which these resources change. */
function review(changes: readonly (readonly [string, string, boolean?])[]): string[] {
    const events = changes.map(([name, op, retainOnDelete = false]) => ({
        resourcePreEvent: {
            metadata: { op, urn: `urn:pulumi:s::p::a$b::${name}`, old: { retainOnDelete } },
        },
    }));
    const lines = [{ preludeEvent: {} }, ...events].map((event) => JSON.stringify(event));
    const printed = execFileSync("node", [SCRIPT, "-"], {
        input: `${lines.join("\n")}\n`,
        encoding: "utf8",
    });
    const [title, ...said] = printed.trimEnd().split("\n");
    expect(title).toBe("What it means:");
    return said.map((line) => line.trim());
}

test.each([
    [[], ["nobody gains or loses access, and nothing restarts"]],
    [
        [
            ["registry-accounts-password-web", "create"],
            ["registry-accounts-salt-web", "create"],
            ["registry-accounts-password-ops", "delete"],
            ["registry-accounts-password-dev", "create-replacement"],
            ["registry-accounts-password-dev", "replace"],
            ["registry-server-loader", "replace"],
        ],
        [
            "account dev gets a new password; the old one is refused",
            "account ops loses access",
            "account web gains access",
            "the registry runs on, and reads its accounts anew",
        ],
    ],
    [
        [
            ["registry-authority-server-cert", "replace"],
            ["registry-server-loader", "replace"],
            ["registry-server-container", "replace"],
        ],
        [
            "certificate of the server is issued anew",
            expect.stringMatching(/^the registry's container restarts: running transfers get 60 s/),
        ],
    ],
    [
        [
            ["registry-mirror-hub-container", "create"],
            ["registry-mirror-quay-container", "delete"],
        ],
        ["the mirror hub is started", "the mirror quay is taken down, with what it kept"],
    ],
    [
        [
            ["registry-server-redis-image", "replace"],
            ["registry-server-redis-loader", "replace"],
            ["registry-server-redis-container", "replace"],
        ],
        [
            "Redis' container restarts, and has forgotten what it knew of blobs; the registry runs on",
        ],
    ],
    [[["registry-server-redis-service", "create"]], ["Redis' service is started"]],
    [
        [
            ["registry-trust-build1", "create"],
            ["registry-trust-build2", "update"],
            ["registry-trust-build3", "delete"],
            ["registry-authority-cert-2", "create"],
        ],
        [
            "authority 2 is made, and trusted by the client hosts",
            "client host build1 will trust the registry",
            "client host build2 is set up anew",
            "client host build3 is put back as it was before",
        ],
    ],
    [
        [["registry-server-container-data", "delete", false]],
        ["the volume with the images, its data IS DELETED"],
    ],
    [
        [["registry-server-container-data", "delete", true]],
        ["the volume with the images, its data stays where it is, and is not used any more"],
    ],
] as [[string, string, boolean?][], string[]][])("%j means %j", (changes, lines) => {
    expect(review(changes)).toEqual(lines);
});

test("permissions that change are said account by account", () => {
    const labels = (rights: Record<string, string>) => ({
        inputs: {
            labels: Object.entries(rights).map(([account, value]) => ({
                label: `${ACCESS_LABEL}${account}`,
                value,
            })),
        },
    });
    const said = (before: Record<string, string>, after: Record<string, string>) => {
        const metadata = {
            op: "replace",
            urn: "urn:pulumi:s::p::a$b::registry-gateway-loader",
            old: labels(before),
            new: labels(after),
        };
        const printed = execFileSync("node", [SCRIPT, "-"], {
            input: `${JSON.stringify({ resourcePreEvent: { metadata } })}\n`,
            encoding: "utf8",
        });
        return printed
            .trimEnd()
            .split("\n")
            .slice(1)
            .map((line) => line.trim());
    };
    const runsOn =
        "the gateway runs on, and takes accounts, permissions and certificate while it does";
    expect(
        said({ dev: "pulls a", ops: "everything" }, { dev: "pulls b", ops: "everything" }),
    ).toEqual(["account dev may: pulls b (now: pulls a)", runsOn]);
    expect(said({ dev: "pulls a" }, { dev: "pulls a", web: "nothing" })).toEqual([
        "account web may: nothing",
        runsOn,
    ]);
    expect(said({}, { dev: "nothing" })).toEqual([
        "account dev may: nothing (now: everything)",
        runsOn,
    ]);
    expect(said({ dev: "pulls a" }, {})).toEqual([
        "account dev may: everything (now: pulls a)",
        runsOn,
    ]);
});
