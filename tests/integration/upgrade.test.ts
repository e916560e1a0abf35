import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { withStack } from "../support/stack";

/** States that releases left, as `pulumi stack export` writes them, with secrets under this passphrase. */
const FOLDER = join(__dirname, "../fixtures");
const OPTIONS = { name: "release", env: { PULUMI_CONFIG_PASSPHRASE: "of the fixtures" } };
const CONFIG = {
    port: 27_391,
    hostname: "registry.example.test",
    subjectAltNames: ["registry.internal"],
    metricsPort: 27_392,
    teams: { dev: {}, web: { generation: 2 } },
    // They shall not have to be renewed before the test is forgotten.
    authorityValidityDays: 36_500,
    certificateValidityDays: 30_000,
};
/** Made anew whenever what they are made from is another release's. Nothing is lost with them. */
const REPLACEABLE = ["registry-server-loader", "registry-server-container"];

interface Step {
    readonly op: string;
    readonly urn: string;
}

// The state of the compatible providers is not to be continued with the official ones.
const isOffline = process.env.PULUMIW_ENGINE_KIND === "offline";

(isOffline ? test : test.skip).each(["state-0.1.0.json"])(
    "%s goes on: authority, accounts and images are not replaced",
    (file) =>
        withStack(
            CONFIG,
            async (stack) => {
                await stack.must("stack", "import", "--file", join(FOLDER, file));
                // What is in the stack's file belongs to the state that was there before.
                stack.configure(CONFIG);
                const { stdout } = await stack.must("preview", "--json");
                const { steps, changeSummary } = JSON.parse(stdout) as {
                    steps: Step[];
                    changeSummary: { same: number };
                };
                expect(changeSummary.same).toBeGreaterThan(15);
                const changes = steps
                    .map(({ op, urn }) => ({ op, name: urn.split("::").at(-1) ?? "" }))
                    .filter(({ op, name }) => op !== "same" && !REPLACEABLE.includes(name));
                expect(changes.filter(({ op }) => op !== "update")).toEqual([]);
                expect(changes.filter(({ name }) => !name.startsWith("registry-proof"))).toEqual(
                    [],
                );
                // There is nothing behind the containers of that state.
                await stack.must("refresh", "--yes", "--skip-preview");
            },
            OPTIONS,
        ),
);

// For the next release: STATE_FIXTURE=state-<version>.json npm test -- tests/integration/upgrade.test.ts
(process.env.STATE_FIXTURE === undefined ? test.skip : test)("writes the state of a release", () =>
    withStack(
        CONFIG,
        async (stack) => {
            await stack.up();
            // Where in the program a resource was made is a path of the machine that it was made on.
            const state: unknown = JSON.parse(await stack.exported(), (key, value: unknown) =>
                ["sourcePosition", "stackTrace"].includes(key) ? undefined : value,
            );
            const text = JSON.stringify(state, undefined, 4);
            writeFileSync(join(FOLDER, process.env.STATE_FIXTURE ?? ""), `${text}\n`);
            expect(text).toContain("registry-authority-key-1");
        },
        OPTIONS,
    ),
);
