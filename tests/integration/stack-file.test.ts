import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestStack } from "../support/stack";
import { REFUSED_BY_THE_ENGINE, SURPRISES } from "../support/yaml-surprises";

/** The way from a stack's file through the real engine into the program. */

const PROGRAM = `import { writeFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
writeFileSync("handed-over.json", JSON.stringify(pulumi.runtime.allConfig()));
`;

const folder = mkdtempSync(join(tmpdir(), "private-registry-program-"));
afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
});

function configure(stack: TestStack, lines: readonly string[]): void {
    writeFileSync(
        stack.path(`Pulumi.${stack.name}.yaml`),
        `config:\n${lines.map((line) => `  ${line}\n`).join("")}`,
    );
}

test("the engine hands over what the tests of the configuration take for granted", async () => {
    const program = join(folder, "index.ts");
    writeFileSync(program, PROGRAM);
    const stack = await TestStack.create({}, { program });
    try {
        configure(stack, [
            "private-registry:anchor: &anchor anchored",
            ...SURPRISES.map(([yaml], index) => `private-registry:plain${index}: ${yaml}`),
            ...SURPRISES.map(([yaml], index) => `private-registry:list${index}: [${yaml}]`),
            ...SURPRISES.map(
                ([yaml], index) => `private-registry:object${index}: {field: ${yaml}}`,
            ),
        ]);
        await stack.must("preview");
        const given = JSON.parse(stack.read("handed-over.json")) as Record<string, string>;
        const read = (name: string) => given[`private-registry:${name}`] ?? "";
        for (const [index, [yaml, text, json]] of SURPRISES.entries()) {
            expect([yaml, read(`plain${index}`)]).toEqual([yaml, text]);
            expect([yaml, JSON.parse(read(`list${index}`))]).toEqual([yaml, [JSON.parse(json)]]);
            expect([yaml, JSON.parse(read(`object${index}`))]).toEqual([
                yaml,
                { field: JSON.parse(json) },
            ]);
        }
        for (const yaml of REFUSED_BY_THE_ENGINE) {
            configure(stack, [`private-registry:hostname: ${yaml}`]);
            expect([yaml, (await stack.pulumi(["preview"])).code]).not.toEqual([yaml, 0]);
        }
    } finally {
        await stack.dispose();
    }
});

test("the program names every key that is not what it was taken for, and shows no secret", async () => {
    const stack = await TestStack.create();
    try {
        configure(stack, [
            "private-registry:hostname: registry.0x1F",
            "private-registry:port: 1e6",
            "private-registry:readOnly: on",
            "private-registry:containerName: ~",
            "private-registry:authorities: [1.10]",
            "private-registry:teams: {__proto__: {admin: true}}",
            'private-registry:"$(id)": x',
        ]);
        await stack.must("config", "set", "--secret", "dataPath", "hidden-path");
        await stack.must("config", "set", "--secret", "--path", "ssh.user", "hidden user");
        await stack.must("config", "set", "subject", '{"country":"DE","country":"FR"}');
        const { code, printed } = await stack.pulumi(["preview"]);
        expect(code).not.toBe(0);
        expect(printed).toContain("the configuration has 10 problems; nothing was changed");
        for (const key of [
            "hostname",
            "port",
            "readOnly",
            "containerName",
            "authorities",
            "teams",
            "dataPath",
            "ssh.user",
            "subject",
        ]) {
            expect(printed).toMatch(new RegExp(`^ *${key}$`, "m"));
        }
        expect(printed).toContain(`pulumi config rm '"$(id)"'`);
        expect(printed).not.toMatch(/hidden[- ](?:path|user)/);
    } finally {
        await stack.dispose();
    }
});
