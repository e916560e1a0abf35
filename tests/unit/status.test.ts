import { execFileSync } from "node:child_process";
import {
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, pageOf, textOf } from "../support/status";
import { EXAMPLE, host, repository } from "../support/status-example";
import { hostile, HOSTILE } from "../support/status-hostile";
import { makeAuthority } from "../support/test-authority";

const escaped = (text: string) =>
    text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

describe("a text of somebody else's", () => {
    const plain = (texts: readonly string[]) =>
        evaluate<string[]>({ plain: "plain-text.mjs" }, "print(input.map(plain));", texts);

    it("is one line without what nobody sees", () => {
        expect(
            plain([
                "\u001b[2Jred\u0007",
                "a\u202eb\u2066c",
                "a\u200bb\ufeff",
                "one\n  two\r\n",
                "\ud800x",
            ]),
        ).toEqual(["?[2Jred?", "a?b?c", "a?b", "one; two", "?x"]);
    });

    it("stays what it is when it is only foreign", () => {
        const texts = ["\u05d0\u05d1\u05d2", "名前", "naïve", "<b>&amp;</b>", "😀"];
        expect(plain(texts)).toEqual(texts);
    });

    it("is cut when it is very long, and never through a character", () => {
        expect(plain(["😀".repeat(2000), "x".repeat(501), "x".repeat(500)])).toEqual([
            `${"😀".repeat(500)}…`,
            `${"x".repeat(500)}…`,
            "x".repeat(500),
        ]);
    });
});

describe("the page", () => {
    const page = pageOf(EXAMPLE);

    it("has a title, a language, landmarks, and a heading for each section and table", () => {
        expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
        expect(page).toContain(
            "<title>Registry registry.example.com:5000: status of 2026-11-27 07:10 UTC</title>",
        );
        for (const landmark of ["header", "nav", "main", "footer"]) {
            expect(page.match(new RegExp(`<${landmark}[ >]`, "g"))).toHaveLength(1);
        }
        const headings = [...page.matchAll(/<h2 id="([a-z]+)">/g)].map(([, id]) => id);
        expect(headings).toEqual([
            ...["registry", "certificates", "teams", "hosts"],
            ...["repositories", "disk", "containers", "checks"],
        ]);
        for (const id of headings) {
            expect(page).toContain(`<table role="table" aria-labelledby="${String(id)}">`);
            expect(page).toContain(`<a href="#${String(id)}">`);
        }
    });

    it("names each row and column of its tables", () => {
        expect(page).not.toMatch(/<th(?![^>]* scope="(?:col|row)")[ >]/);
    });

    it("fetches and runs nothing, and says so to the browser", () => {
        expect(page).not.toMatch(
            /<script|<link (?!rel="icon" href="data:,")|<img|<iframe|@import|url\(|https?:\/\/(?!registry\.example)/i,
        );
        expect(page).toContain("default-src &#39;none&#39;");
    });

    it("says in words what the certificates' bars show", () => {
        expect(page).toContain(
            'aria-label="90 % of its life is over; in the last 15 % an up renews it"',
        );
    });

    it("has whatever others wrote as text", () => {
        const others = pageOf(hostile());
        const texts = [...others.matchAll(/<bdi[^>]*>([^<]*)<\/bdi>/g)].map(([, text]) => text);
        expect(texts).toEqual(expect.arrayContaining(HOSTILE.map(escaped)));
        // No more tags of any kind than there are without them.
        const tags = (html: string) =>
            [...html.matchAll(/<(script|img|h1|style|!--)/g)].map(([, tag]) => tag);
        expect(tags(others)).toEqual(tags(page));
    });
});

describe("on a terminal", () => {
    it("shows all of it in few lines", () => {
        const text = textOf(EXAMPLE);
        for (const line of [
            /^Registry https:\/\/registry\.example\.com:5000 \(stack production\), 2026-11-27 07:10 UTC$/m,
            /^ {2}WRONG: 1 of 3 client hosts differ$/m,
            /^ {2}version +3\.1\.1 \(image registry:3\.1\.1\)$/m,
            /^ {2}mode +behind a gateway, takes pushes, images can be deleted$/m,
            /^ {2}answers +yes$/m,
            /^ {2}runs since +2026-10-02 05:17 UTC \(56 days\)$/m,
            /^ {2}mirror hub +ok +running, healthy +2026-10-02 05:17 UTC \(56 days\) +private-registry-production-mirror-hub +registry:3\.1\.1$/m,
            /^ {2}server +due +2026-06-01 +2026-11-18 +2026-12-18 +21 +\[={20,}r+\]$/m,
            /^ {2}authority 1 \(signs\) +ok +.* 3470 +\[=-+r+\]$/m,
            /^ {2}ops +ops +everything +2026-11-20 16:42 UTC \(delete\)$/m,
            /^ {2}web-2 .* none in the logs$/m,
            /^ {2}The logs reach back to 2026-10-02 05:17 UTC; /m,
            /^ {2}build2 +WRONG +192\.0\.2\.22 .* not proved +docker missing: /m,
            /^ {2}app\/api +214\.0 MB +4: 1\.8\.0, 1\.8\.1, 1\.9\.0, …$/m,
            /^ {2}4 repositories, together 437\.0 MB with what they share counted once \(588\.0 MB apart\), /m,
            /^ {2}images +volume .* 512\.0 MB +61\.4 GB +98\.3 GB$/m,
        ]) {
            expect(text).toMatch(line);
        }
    });

    it("leaves out what is right and small when there is much, and says how much", () => {
        const status = structuredClone(EXAMPLE);
        status.hosts = Array.from({ length: 60 }, (_, index) =>
            host(`host${index}`, "192.0.2.1", ...(index % 10 === 7 ? ["off"] : [])),
        );
        status.repositories = {
            ...status.repositories,
            list: Array.from({ length: 1000 }, (_, index) => ({
                ...repository(`team/app${index}`, index * 1e6, { "1": 1e6 }),
                isWhole: index !== 999,
            })),
            known: 1500,
            isWhole: false,
        };
        const text = textOf(status, 4);
        expect(text.match(/^ {2}host\d+ /gm)).toHaveLength(6);
        expect(text.match(/^ {2}host\d+ +WRONG /gm)).toHaveLength(6);
        expect(text).toContain("54 hosts more are ok.");
        expect([...text.matchAll(/^ {2}team\/app(\d+) /gm)].map(([, id]) => id)).toEqual([
            ...["996", "997", "998", "999"],
        ]);
        expect(text).toMatch(/^ {2}team\/app999 +at least 999\.0 MB /m);
        expect(text).toMatch(/1,500 repositories, together at least 437\.0 MB /);
        expect(text).toContain("The largest are shown; 996 more: --all, --html or --json.");
        expect(text).toContain("Tags and sizes of 500 were not read: --all.");
    });

    it("says what is not known", () => {
        const status = structuredClone(EXAMPLE);
        status.accounts.logsSince = null;
        status.repositories = {
            ...{ list: [], known: 0, isMore: false, bytes: null, bytesApart: null },
            ...{ isWhole: false, problem: "connect ECONNREFUSED 192.0.2.10:5000" },
        };
        const text = textOf(status);
        expect(text).toContain("Not all could be read: connect ECONNREFUSED 192.0.2.10:5000");
        expect(text).toContain("The logs have nothing that would tell of uses.");
        expect(text).not.toMatch(/together/);
    });
});

describe("what the registry holds", () => {
    /** A registry by its repositories' tags, each the images that it consists of, each the sizes of its layers by digest. */
    type Contents = Record<string, Record<string, string[]>>;
    interface Found {
        readonly repositories: {
            name: string;
            bytes: number;
            problem: string | null;
            tags: (number | null)[];
        }[];
        readonly problem: string | null;
        readonly known: number;
        readonly isMore: boolean;
        readonly asked: number;
    }
    /** Layers are named after their sizes. A tag of several images is an index; "refused" and "dead" are what asking for them does. */
    const read = (contents: Contents, limits: Record<string, number> = {}) =>
        evaluate<Found>(
            {
                readHoldings: "holdings.mjs",
                sum: "holdings.mjs",
                MaintenanceError: "../maintenance/registry.mjs",
            },
            `
            const { contents, limits } = input;
            let asked = 0;
            const manifest = async (repository, reference) => {
                asked += 1;
                if (reference === "refused") throw new MaintenanceError("it answers with 500");
                if (reference === "dead") throw new Error("connect ECONNREFUSED");
                const layers = contents[repository][reference];
                if (layers === undefined) {
                    return reference === "gone" ? undefined : { parts: [], blobs: reference.split("+").map((name) => [name, Number.parseInt(name)]) };
                }
                return layers.length > 1 ? { parts: layers, blobs: [] } : { parts: [], blobs: layers[0].split("+").map((name) => [name, Number.parseInt(name)]) };
            };
            const images = {
                repositories: async (limit) => Object.keys(contents).slice(0, limit),
                tagNames: async (repository) => Object.keys(contents[repository]),
                manifest,
            };
            const found = await readHoldings(images, { names: 100, repositories: 100, manifests: 100, ...limits }, () => undefined);
            print({ ...found, asked, repositories: found.repositories.map(({ blobs, tags, ...repository }) => ({ ...repository, bytes: sum(blobs.values()), tags: tags.map(({ bytes }) => bytes) })) });`,
            { contents, limits },
        );

    it("has what tags and images share once", () => {
        const { repositories, problem } = read({
            app: { "1": ["10a+5b"], "2": ["10a+7c"], both: ["10a+5b", "3d", "gone"] },
            empty: {},
        });
        expect({ repositories, problem }).toEqual({
            repositories: [
                { name: "app", bytes: 25, problem: null, tags: [15, 17, 18] },
                { name: "empty", bytes: 0, problem: null, tags: [] },
            ],
            problem: null,
        });
    });

    it("is read up to a limit, of each repository as much as of the others", () => {
        const tags = (count: number) =>
            Object.fromEntries(Array.from({ length: count }, (_, tag) => [String(tag), ["1a"]]));
        const contents = Object.fromEntries(
            Array.from({ length: 8 }, (_, index) => [`r${index}`, tags(index === 0 ? 50 : 3)]),
        );
        const { repositories, known, isMore, asked } = read(contents, {
            names: 8,
            repositories: 5,
            manifests: 16,
        });
        expect({ known, isMore, asked }).toEqual({ known: 8, isMore: true, asked: 16 });
        expect(repositories.map(({ tags }) => tags.filter((size) => size !== null).length)).toEqual(
            [4, 3, 3, 3, 3],
        );
        expect(repositories[0]?.tags).toHaveLength(50);
    });

    it("is not made up where an index is too large", () => {
        const parts = Array.from({ length: 500 }, (_, index) => `${index}x`);
        const { repositories, asked } = read({ app: { large: parts } });
        expect(asked).toBe(100);
        expect(repositories[0]?.tags).toEqual([null]);
    });

    it("is told without a repository that the registry cannot read, and ends where it is gone", () => {
        const broken = read({ a: { refused: ["1a"], "1": ["1a"] }, b: { "1": ["2b"] } });
        expect(broken).toMatchObject({
            problem: null,
            repositories: [
                { name: "a", bytes: 1, problem: "it answers with 500" },
                { name: "b", bytes: 2, problem: null },
            ],
        });
        const many = Object.fromEntries(
            Array.from({ length: 90 }, (_, index) => [`r${index}`, { dead: ["1a"] }]),
        );
        const { problem, asked } = read(many);
        expect(problem).toBe("connect ECONNREFUSED");
        expect(asked).toBeLessThan(20);
    });
});

test("an account is used by requests for a repository that succeed, and not by those of this project", () => {
    const request = (fields: Record<string, unknown>) => ({
        time: "2026-01-02T03:04:05.6Z",
        user: "web",
        method: "GET",
        repository: "team/app",
        uri: "/v2/team/app/manifests/1",
        status: 200,
        ...fields,
    });
    const at = (minute: number) => `2026-01-02T03:0${minute}:00Z`;
    const uses = evaluate<[string, unknown][]>(
        { note: "uses.mjs" },
        "const last = new Map(); input.forEach((entry) => note({ last }, entry)); print([...last]);",
        [
            request({ time: at(3), method: "PUT", status: 201 }),
            request({ time: at(1) }),
            request({ time: at(4), status: 404 }),
            request({ time: at(5), repository: null, uri: "/v2/" }),
            request({ time: at(6), uri: "/v2/team/app/manifests/1?for=status" }),
            request({ time: at(6), uri: "/v2/team/app/tags/list?n=100&for=status" }),
            request({ time: at(7), repository: "private-registry-proof" }),
            request({ time: at(8), user: null }),
            request({ time: at(2), user: "ops", method: "DELETE", status: 202 }),
            { time: at(9), level: "warning", message: "something" },
        ],
    );
    expect(uses).toEqual([
        ["web", { at: "2026-01-02T03:03:00.000Z", kind: "push" }],
        ["ops", { at: "2026-01-02T03:02:00.000Z", kind: "delete" }],
    ]);
});

describe("the status of what was found", () => {
    const { authority, servers } = makeAuthority("DNS:registry.example.test");
    const facts = {
        now: Date.now(),
        stack: "dev",
        url: "https://registry.example.test:5000",
        mirrors: {},
        image: "registry:3",
        hasGateway: false,
        settings: { isReadOnly: true, isDeleteEnabled: true, bucket: undefined, data: "images" },
        docker: { host: "unix:///var/run/docker.sock", version: "29.1.2", problem: null },
        checks: [
            { part: "proof", text: "proved", isFine: true },
            { part: "certificate", text: "1 days left", isFine: true, isDue: true },
        ],
        certificates: [
            { part: "certificate", certPem: servers[0]?.certificate, earlyRenewalHours: 12 },
            { part: "authority 1", certPem: authority.certificate, earlyRenewalHours: 0 },
        ],
        accounts: [{ name: "dev", team: "dev", permissions: "everything" }],
        hosts: [
            {
                name: "a",
                address: "192.0.2.1",
                resolves: "?",
                files: "?",
                proof: "?",
                differs: ["off\u001b[2J\nand away"],
            },
        ],
        holdings: { known: 0, isMore: false, repositories: [], problem: null },
        containers: [
            {
                role: "registry",
                name: "r",
                image: "registry:3",
                status: "exited",
                health: "unhealthy",
                startedAt: null,
            },
            {
                role: "gateway",
                name: "g",
                image: "caddy:2",
                status: null,
                health: null,
                startedAt: null,
            },
        ],
        version: null,
        disks: [],
        uses: { since: null, problem: null },
    };
    const of = (changes: object = {}) =>
        evaluate<typeof EXAMPLE>(
            { statusOf: "model.mjs" },
            "input.uses.last = new Map(); for (const each of input.holdings.repositories) each.blobs = new Map(each.blobs); print(statusOf(input));",
            { ...facts, ...changes },
        );

    it("is as bad as the worst of it, and says why", () => {
        expect(of().verdict).toEqual({
            state: "WRONG",
            reasons: ["WRONG: 1 of 1 client hosts differ", "due: certificate: 1 days left"],
        });
        expect(of({ hosts: [] }).verdict.state).toBe("due");
        const [registry] = facts.containers;
        const sick = {
            ...{ hosts: [], containers: [{ ...registry, status: "running" }] },
            ...{ service: { name: "r", image: "registry:3", running: 1, wanted: 3 } },
        };
        expect(of(sick).verdict.reasons.slice(0, 2)).toEqual([
            "WRONG: container registry: running, unhealthy",
            "WRONG: 1 of 3 replicas run",
        ]);
        expect(of({ hosts: [], checks: facts.checks.slice(0, 1) }).verdict).toEqual({
            state: "ok",
            reasons: [],
        });
    });

    it("has when certificates begin, end and are renewed, and who signs", () => {
        const { certificates } = of();
        expect(certificates).toMatchObject([
            { name: "server", state: "due", isSigning: false },
            { name: "authority 1", state: "ok", isSigning: true },
        ]);
        const [server] = certificates;
        const hours = Date.parse(server?.until ?? "") - Date.parse(server?.renewedFrom ?? "");
        expect(hours).toBe(12 * 3_600_000);
    });

    it("says of containers what Docker says, and of a text of others only what can be seen", () => {
        const { containers, hosts } = of();
        expect(containers.map(({ state, text }) => [state, text])).toEqual([
            ["WRONG", "exited, unhealthy"],
            ["WRONG", "is gone"],
        ]);
        expect(hosts[0]?.differs).toEqual(["off?[2J; and away"]);
    });

    it("has the size of all repositories with what they share once, and apart", () => {
        const repository = (name: string, blobs: [string, number][], bytes: number | null) => ({
            name,
            tags: [{ name: "1", bytes }],
            blobs,
            problem: null,
        });
        const repositories = [
            repository(
                "a",
                [
                    ["x", 10],
                    ["y", 5],
                ],
                15,
            ),
            repository("b", [["x", 10]], null),
        ];
        const holdings = { known: 2, isMore: false, repositories, problem: null };
        expect(of({ holdings }).repositories).toMatchObject({
            bytes: 15,
            bytesApart: 25,
            isWhole: false,
            list: [
                { bytes: 15, isWhole: true },
                { bytes: 10, isWhole: false },
            ],
        });
    });

    it("says of a bucket that its space is not to be seen from here", () => {
        const settings = { ...facts.settings, bucket: "the bucket b at https://s3.example.test" };
        const { disks, registry } = of({ settings });
        expect(registry.storage).toBe("the bucket b at https://s3.example.test");
        expect(disks).toEqual([
            { role: "images", where: registry.storage, used: null, free: null, size: null },
        ]);
    });
});

test("a command that does not end is ended, and nobody waits for it", () => {
    const folder = join(__dirname, "../../scripts/shared");
    const program = `
        import { run } from ${JSON.stringify(join(folder, "run.mjs"))};
        import { within } from ${JSON.stringify(join(folder, "within.mjs"))};
        const said = [];
        for (const work of [run("sleep", ["3600"], "", 50), within(new Promise(() => {}), 50)])
            await work.catch(({ message }) => said.push(message));
        said.push((await run("cat", [], "fine", 60_000)).stdout);
        process.stdout.write(said.join("; "));`;
    // That it ends at all says that the command did: its process would be waited for.
    const said = execFileSync("node", ["--input-type=module", "-e", program], { encoding: "utf8" });
    expect(said).toBe("no answer within 0.05 s; no answer within 0.05 s; fine");
});

test("its help needs no set-up and has all options", () => {
    const help = execFileSync("sh", [join(__dirname, "../../scripts/status"), "--help"], {
        encoding: "utf8",
    });
    for (const option of ["--html FILE", "--json FILE", "--all", "--stack STACK"]) {
        expect(help).toContain(option);
    }
});

describe("a report in a file", () => {
    const REPORTS = join(__dirname, "../../scripts/shared/report-file.mjs");
    let folder: string;
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "private-registry-report-"));
    });
    afterEach(() => {
        rmSync(folder, { recursive: true });
    });
    const write = (name: string, text = "new") => {
        const program = `
            import { refusal, writeReport } from ${JSON.stringify(REPORTS)};
            const file = ${JSON.stringify(join(folder, name))};
            const reason = refusal(file);
            if (reason === undefined) writeReport(file, ${JSON.stringify(text)}, 0o644);
            process.stdout.write(reason ?? "");`;
        return execFileSync("node", ["--input-type=module", "-e", program], { encoding: "utf8" });
    };

    it("takes the place of a file, also behind a link, and leaves nothing else behind", () => {
        writeFileSync(join(folder, "real"), "old", { mode: 0o600 });
        symlinkSync("real", join(folder, "link"));
        expect([write("link"), write("fresh")]).toEqual(["", ""]);
        expect(readdirSync(folder).sort()).toEqual(["fresh", "link", "real"]);
        expect(readFileSync(join(folder, "real"), "utf8")).toBe("new");
        expect(statSync(join(folder, "real")).mode & 0o777).toBe(0o644);
    });

    it("takes no other place", () => {
        mkdirSync(join(folder, "folder"));
        execFileSync("mkfifo", [join(folder, "pipe")]);
        symlinkSync("nowhere", join(folder, "dangling"));
        expect(
            ["folder", "pipe", "dangling", "missing/status.html"].map((name) => write(name)),
        ).toEqual([
            "it is a folder; give a file in it",
            "it is there and no file; - is standard output",
            "it is a link that leads nowhere",
            `there is no folder ${folder}/missing`,
        ]);
        expect(readdirSync(folder).sort()).toEqual(["dangling", "folder", "pipe"]);
    });
});
