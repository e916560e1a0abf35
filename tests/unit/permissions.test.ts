import fc from "fast-check";
import { basicPrefix } from "../../lib/access-config";
import {
    allowedMount,
    allowedRequests,
    arePermissionsUsed,
    describePermissions,
    type Permissions,
    REPOSITORY_ADDRESS,
} from "../../lib/permissions";

const DIGEST = `sha256:${"a".repeat(64)}`;
const UPLOAD = "blobs/uploads/01a21098-6879-7803-8f57-368a4ffc7159";
const QUERY = "?_state=eyJ-_w==&digest=sha256%3Aab";

/** Every kind of request to a repository, and the right that it needs. */
const REQUESTS = [
    ["GET", "manifests/v1", "pull"],
    ["HEAD", `manifests/${DIGEST}`, "pull"],
    ["GET", `blobs/${DIGEST}`, "pull"],
    ["GET", `blobs/${DIGEST.replace(":", "%3A")}`, "pull"],
    ["GET", "tags/list?n=10&last=v1", "pull"],
    ["GET", `referrers/${DIGEST}`, "pull"],
    ["PUT", "manifests/v1", "push"],
    ["POST", "blobs/uploads/", "push"],
    ["GET", UPLOAD, "push"],
    ["PATCH", `${UPLOAD}${QUERY}`, "push"],
    ["PUT", `${UPLOAD}${QUERY}`, "push"],
    ["DELETE", UPLOAD, "push"],
    ["DELETE", "manifests/v1", "delete"],
    ["DELETE", `blobs/${DIGEST}`, "delete"],
] as const;

/** The same without regular expressions: does the pattern fit, piece by piece between its stars? */
function fits(pattern: string, name: string): boolean {
    const [first = "", ...rest] = pattern.split("*");
    if (rest.length === 0) return pattern === name;
    if (!name.startsWith(first)) return false;
    const last = rest.pop() ?? "";
    let at = first.length;
    for (const piece of rest) {
        const found = name.indexOf(piece, at);
        if (found === -1) return false;
        at = found + piece.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
}

function mayPull({ push = [], pull = [] }: Permissions, name: string): boolean {
    return [...push, ...pull].some((pattern) => fits(pattern, name));
}

const MAY = {
    pull: mayPull,
    push: ({ push = [] }: Permissions, name: string) => push.some((entry) => fits(entry, name)),
    delete: (team: Permissions, name: string) =>
        (team.delete ?? []).some((entry) => fits(entry, name)),
};

function isAllowed(team: Permissions, method: string, address: string): boolean {
    return (
        new RegExp(REPOSITORY_ADDRESS).test(address) &&
        allowedRequests(team).some(
            (rule) => rule.methods.includes(method) && new RegExp(rule.address).test(address),
        )
    );
}

// Few letters, so that names and patterns meet; and the words of the API, which a repository may be called.
const component = fc.oneof(
    fc.stringMatching(/^[ab]{1,2}$/),
    fc.constantFrom("a.b", "a-b", "a__b", "manifests", "blobs", "uploads", "tags", "list", "v2"),
);
const repository = fc
    .array(component, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));
const pattern = fc.oneof(
    repository,
    repository.map((name) => `${name}/*`),
    fc
        .array(fc.oneof(component, fc.constant("*"), fc.constant("a*")), {
            minLength: 1,
            maxLength: 3,
        })
        .map((parts) => parts.join("/")),
);
const patterns = fc.uniqueArray(pattern, { maxLength: 3 });
const team = fc.record({ push: patterns, pull: patterns, delete: patterns });

test("a request is allowed exactly when the team has its right in that repository", () => {
    fc.assert(
        fc.property(team, repository, fc.constantFrom(...REQUESTS), (rights, name, request) => {
            const [method, rest, right] = request;
            expect([name, method, rest, isAllowed(rights, method, `/v2/${name}/${rest}`)]).toEqual([
                name,
                method,
                rest,
                MAY[right](rights, name),
            ]);
        }),
        { numRuns: 3000 },
    );
});

test("a mount is allowed exactly when the team may push there and pull from its source", () => {
    fc.assert(
        fc.property(
            team,
            repository,
            repository,
            fc.boolean(),
            fc.boolean(),
            (rights, name, source, isEncoded, isFirst) => {
                const from = `from=${isEncoded ? source.replaceAll("/", "%2F") : source}`;
                const parts = [`mount=${DIGEST}`, from];
                const query = (isFirst ? parts.reverse() : parts).join("&");
                const rule = allowedMount(rights);
                const isMounted =
                    rule !== undefined &&
                    new RegExp(rule.address).test(`/v2/${name}/blobs/uploads/?${query}`);
                expect([name, source, isMounted]).toEqual([
                    name,
                    source,
                    MAY.push(rights, name) && mayPull(rights, source),
                ]);
            },
        ),
        { numRuns: 3000 },
    );
});

test.each([
    `?mount=${DIGEST}&from=base/x&from=secret/x`,
    `?mount=${DIGEST}&%66rom=secret/x`,
    `?mount=${DIGEST}&from=base%2e/x`,
    `?mount=${DIGEST}&from=base/x;from=secret/x`,
    `?mount=${DIGEST}`,
    `?from=base/x&mount=${DIGEST}&x=1`,
])("a mount in no known form is none: %s", (query) => {
    const rule = allowedMount({ push: ["app/*"], pull: ["base/*"] });
    expect(new RegExp(rule?.address ?? "$.").test(`/v2/app/x/blobs/uploads/${query}`)).toBe(false);
});

test.each([
    "/v2/app/../secret/x/manifests/v1",
    "/v2/app/%2e%2e/secret/x/manifests/v1",
    "/v2/app%2fx/manifests/v1",
    "/v2//app/x/manifests/v1",
    "/v2/app/x//manifests/v1",
    "/v2/app/./x/manifests/v1",
    "/v2/App/x/manifests/v1",
    "/v2/app/x/manifests/v1/",
    "/v2/app/x/manifests/v1;x",
    "/v2/app/x/manifests/v1#x",
    "/v2/app/x/blobs/uploads",
    "/v2/app/x/unknown/v1",
    "/V2/app/x/manifests/v1",
])("an address with a second reading is nobody's: %s", (address) => {
    const everything = { push: ["*"], delete: ["*"] };
    for (const method of ["GET", "PUT", "POST", "DELETE"]) {
        expect(isAllowed(everything, method, address)).toBe(false);
    }
});

test("permissions count as soon as one team has one", () => {
    expect(arePermissionsUsed({ dev: {}, web: { generation: 2 } as Permissions })).toBe(false);
    expect(arePermissionsUsed({ dev: {}, web: { pull: [] } })).toBe(true);
    expect(arePermissionsUsed({ dev: { admin: false } })).toBe(true);
});

test("what a team may do, in words", () => {
    expect(describePermissions({ push: ["b/*", "a"], pull: ["c"], delete: ["a"] })).toBe(
        "pushes and pulls a, b/*; pulls c; deletes a",
    );
    expect(describePermissions({ admin: true, pull: ["c"] })).toBe("everything");
    expect(describePermissions({})).toBe("nothing");
});

test("the beginning of a login tells its user name, whatever the password", () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
    fc.assert(
        fc.property(name, name, fc.string(), (user, other, password) => {
            const begins = new RegExp(`^${basicPrefix(user)}[A-Za-z0-9+/]*=*$`);
            const login = (text: string) => Buffer.from(text).toString("base64");
            expect(begins.test(login(`${user}:${password}`))).toBe(true);
            if (other !== user) {
                expect(begins.test(login(`${other}:${password}`))).toBe(false);
            }
        }),
        { numRuns: 2000 },
    );
});
