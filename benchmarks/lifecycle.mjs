// @ts-check
import { join } from "node:path";
import { interleave, medians, seconds } from "./measure.mjs";
import { attempt, must } from "./run.mjs";
import { freePort, withWorkspace } from "./workspace.mjs";

export const title = "A whole life: up from nothing, an up that changes nothing, destroy";
export const about = `
Ours and an empty TypeScript program by \`pulumi ... --yes --skip-preview\`; the tutorial's own steps by hand as a shell
script, [tutorial.sh](tutorial.sh): keys and certificates with openssl, \`htpasswd -Bbn\`, \`docker run\` of the same image,
\`curl\` until it answers 200; then \`docker rm\`. The image is there already. "From nothing" means an empty stack and no
data volume; the stack's own entry in the backend exists. A "first" up compiles the program, as in a new clone or
after a boot; a "later" one finds it compiled. Ours ends when the registry is proved to serve, and its destroy
lets running transfers finish. The tutorial has no run that changes nothing: it starts all over.`;

/** Measures the three phases of ours, of an empty program and of the tutorial. */
export function measure() {
    return withWorkspace(async (workspace) => {
        const ours = workspace.copyOfProgram("ours", await freePort());
        const empty = workspace.program("bench-empty", "export {};\n");
        await workspace.initialize(ours);
        await workspace.initialize(empty);

        const script = join(import.meta.dirname, "tutorial.sh");
        const name = `${workspace.name}-tutorial`;
        const folder = join(workspace.folder, "tutorial");
        const port = String(await freePort());
        const options = { cwd: import.meta.dirname };
        const firstUp = (/** @type {string} */ program) =>
            workspace.up(program, workspace.withNothingCompiled());

        try {
            const samples = await interleave([
                [
                    ["first up: ours", () => seconds(() => firstUp(ours))],
                    ["first up: empty program", () => seconds(() => firstUp(empty))],
                    [
                        "first up: tutorial",
                        () =>
                            seconds(() => must("sh", [script, "up", folder, name, port], options)),
                    ],
                ],
                [
                    ["no-op: ours", () => seconds(() => workspace.noOp(ours))],
                    ["no-op: empty program", () => seconds(() => workspace.noOp(empty))],
                ],
                [
                    [
                        "destroy: ours",
                        async () => {
                            const took = await seconds(() => workspace.destroy(ours));
                            await workspace.removeData();
                            return took;
                        },
                    ],
                    ["destroy: empty program", () => seconds(() => workspace.destroy(empty))],
                    [
                        "destroy: tutorial",
                        () => seconds(() => must("sh", [script, "down", folder, name], options)),
                    ],
                ],
                [
                    [
                        "later up: ours",
                        async () => {
                            const took = await seconds(() => workspace.up(ours));
                            await workspace.destroy(ours);
                            await workspace.removeData();
                            return took;
                        },
                    ],
                    ["later up: empty program", () => seconds(() => workspace.up(empty))],
                ],
            ]);
            const of = medians(samples);
            /** @type {(phase: string, other: string) => { name: string, value: number }} */
            const ratio = (phase, other) => ({
                name: `${phase}: ours / ${other}`,
                value: of(`${phase}: ours`) / of(`${phase}: ${other}`),
            });
            return {
                unit: "s",
                samples,
                ratios: [
                    ...["first up", "later up"].map((phase) => ({
                        name: `${phase}: ours / (empty program + 4 x tutorial)`,
                        value:
                            of(`${phase}: ours`) /
                            (of(`${phase}: empty program`) + 4 * of("first up: tutorial")),
                        aim: "<= 1",
                    })),
                    ratio("first up", "empty program"),
                    ratio("first up", "tutorial"),
                    ratio("later up", "empty program"),
                    ratio("no-op", "empty program"),
                    ratio("destroy", "empty program"),
                    ratio("destroy", "tutorial"),
                ],
                facts: [],
            };
        } finally {
            await attempt("docker", ["rm", "--force", "--volumes", name]);
        }
    });
}
