import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { npmRun } from "./npm-run";
import type { Result } from "./run";
import type { TestStack } from "./stack";

const FOLDER = join(__dirname, "../../scripts/overview");

/** What `npm run status` does, for somebody with this umask. */
export async function status(
    stack: TestStack,
    options: readonly string[],
    { umask, env = {} }: { readonly umask?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Result> {
    const surroundings = { ...stack.environment, INIT_CWD: stack.folder, ...env };
    return stack.note(
        await npmRun("status", options, { cwd: stack.folder, env: surroundings, umask }),
    );
}

/** Lines of a program that knows these functions of scripts/overview, and `print`; returns what that was given. */
export function evaluate<T>(
    names: Readonly<Record<string, string>>,
    program: string,
    input: unknown = null,
): T {
    const imports = Object.entries(names).map(
        ([name, file]) => `import { ${name} } from ${JSON.stringify(join(FOLDER, file))};`,
    );
    const source = `${imports.join("\n")}
        import { readFileSync } from "node:fs";
        const input = JSON.parse(readFileSync(0, "utf8"));
        const print = (value) => process.stdout.write(JSON.stringify(value));
        ${program}`;
    const printed = execFileSync("node", ["--input-type=module", "-e", source], {
        input: JSON.stringify(input),
        encoding: "utf8",
    });
    return JSON.parse(printed) as T;
}

/** The page of a status. */
export function pageOf(status: unknown): string {
    return evaluate({ asPage: "page.mjs" }, "print(asPage(input));", status);
}

/** The same for a terminal. */
export function textOf(status: unknown, rows?: number): string {
    const limit = rows === undefined ? "" : `, { rows: ${rows} }`;
    return evaluate({ asText: "text.mjs" }, `print(asText(input${limit}));`, status);
}
