// @ts-check
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "./run.mjs";
import { setUp } from "./setup.mjs";

export const isSlow = true;
export const title = "Set-up by ./pulumiw with cold caches";
export const about = `
One run of \`./pulumiw --setup\` in a copy of this project with nothing in the caches of Go, npm and the tools, by the step
lines that it prints. The image is made too, under another name; Docker is there already. It takes ten minutes and more
where the engine has to be built, so it is only measured when asked for: \`sh scripts/bench setup-cold\`.`;

/** Measures a set-up with cold caches. */
export async function measure() {
    const image = `private-registry-bench-${randomBytes(4).toString("hex")}:cold`;
    try {
        const samples = await setUp(
            "cold",
            {
                XDG_CACHE_HOME: "cache",
                GOCACHE: "go-cache",
                GOMODCACHE: "go-modules",
                npm_config_cache: "npm-cache",
            },
            async (checkout) => {
                const versions = join(checkout, "scripts/setup/versions.sh");
                const text = readFileSync(versions, "utf8");
                writeFileSync(
                    versions,
                    text.replace(/^REGISTRY_IMAGE=.*$/m, `REGISTRY_IMAGE=${image}`),
                );
            },
        );
        return { unit: "s", samples, ratios: [], facts: [] };
    } finally {
        await attempt("docker", ["image", "rm", image]);
    }
}
