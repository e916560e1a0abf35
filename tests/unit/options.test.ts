import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../support/run";

let project: string;

beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "options-"));
    cpSync(join(__dirname, "../../scripts"), join(project, "scripts"), { recursive: true });
    writeFileSync(join(project, "pulumiw"), `#!/bin/sh\nprintf '[%s]' "$@"\n`, { mode: 0o755 });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const UNKNOWN = [
    ...["doctor", "status", "logs", "host-keys", "handover", "recover"],
    ...["gc", "retention", "move-to-s3", "backup"],
];

it.each<readonly [string, string]>([
    ...UNKNOWN.map((name) => [`${name} --stak x`, "no such option: --stak"] as const),
    ["gc --stack", "--stack wants a value"],
    ["gc --stack --dry-run", "--stack wants a value"],
    ["gc --dry-run=1", "no such option: --dry-run=1"],
    ["gc -f", "no such option: -f"],
    ["gc team/app", "no such argument: team/app"],
    ["logs team/app", "no such argument: team/app"],
    ["logs --since", "--since wants a value"],
    ["status page.html", "no such argument: page.html"],
    ["status --html --all", "--html wants a value"],
    ["status --json=", "--json wants a value"],
    ["status --stack -", "--stack wants a value"],
    ["handover web dev", "one team at a time, not web dev"],
    ["handover web --json --output x", "--json and --output were given; one of them at most"],
    ["handover --json", "no team was given; without options this command lists them"],
    ["handover --output x", "no team was given; without options this command lists them"],
    ["handover web --output -", "--output wants a value"],
    ["doctor --output=", "--output wants a value"],
    ["doctor --json --metrics", "--json and --metrics were given; one of them at most"],
    ["backup", "no file was named"],
    ["backup one.tar two.tar", "one file, not one.tar two.tar"],
    ["backup -", "no such option: -"],
    ["backup --check one.tar", "no such option: --check"],
    [
        "restore --check --images-only one.tar",
        "--check and --images-only were given; one of them at most",
    ],
])("npm run %s is refused before anything is looked at: %s", async (typed, reason) => {
    const [name = ""] = typed.split(" ");
    expect(await command(typed)).toEqual({
        code: 2,
        stdout: "",
        stderr: `${name}: ${reason} (see npm run ${name} -- --help)\n`,
    });
});

it.each([
    ["gc --dry-run --stack=other", "maintenance/gc.mjs][other][--dry-run"],
    ["gc -s other --untagged", "maintenance/gc.mjs][other][--delete-untagged"],
    ["retention --apply", "maintenance/retention.mjs][][apply"],
    ["recover", "setup/recover.mjs]["],
    ["doctor --metrics --output /x", "check/doctor.mjs][][metrics][/x"],
    ["doctor --json", "check/doctor.mjs][][json]["],
    ["doctor --output x", "check/doctor.mjs][][][/home/user/x"],
    ["host-keys build1 --write build2", "check/host-keys.mjs][][write][build1][build2"],
    ["status", "overview/status.mjs][][][]["],
    ["status --all -s x", "overview/status.mjs][x][][][all"],
    ["status --html a --json -", "overview/status.mjs][][/home/user/a][-]["],
    ["status --json=/a", "overview/status.mjs][][][/a]["],
    ["logs", "check/logs.mjs][][][][][][]["],
    ["logs -f --since 10m --json", "check/logs.mjs][][follow][10m][][][json]["],
    ["logs --user web --repository=a/b", "check/logs.mjs][][][][web][a/b][]["],
    ["logs --follow -", "check/logs.mjs][][follow][][][][][-"],
    ["handover", "teams/handover.mjs][][][][]["],
    ["handover web --json", "teams/handover.mjs][][web][][json]["],
    ["handover --show-secrets web", "teams/handover.mjs][][web][show-secrets][]["],
    ["handover web --output=a", "teams/handover.mjs][][web][][][/home/user/a"],
    ["move-to-s3 --copy-only", "maintenance/move-to-s3.mjs][][copy"],
    ["backup x.tar --images-only", "maintenance/backup.mjs][/home/user/x.tar][][images-only]["],
    ["restore --force /a.tar --check", "maintenance/restore.mjs][/a.tar][][check][1"],
])("npm run %s does what it was asked", async (typed, expected) => {
    expect(await command(typed)).toEqual({
        code: 0,
        stdout: `[--exec][node][scripts/${expected}]`,
        stderr: "",
    });
});

it("a file's name may hold spaces", async () => {
    const { stdout } = await command("backup", "a file.tar");
    expect(stdout).toContain("[/home/user/a file.tar]");
});

it.each(UNKNOWN)("npm run %s -- --help says how it is used", async (name) => {
    const { code, stdout } = await command(`${name} --help`);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`Usage: npm run ${name} `)]);
});

function command(typed: string, ...more: string[]) {
    const [name = "", ...given] = typed.split(" ");
    return run("sh", [join(project, "scripts", name), ...given, ...more], {
        env: { PATH: process.env.PATH, INIT_CWD: "/home/user" },
    });
}
