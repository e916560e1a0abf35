import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { ask } from "../support/registry-client";
import { withStack } from "../support/stack";

/** The plugins that a user without any gets from Pulumi's download site, by the names that the engine asks for. */
const built = process.env.PULUMIW_PLUGINS;
const NAMES = ["command", "docker", "random", "tls"];

function versions(): string[] {
    const lock = JSON.parse(readFileSync(join(__dirname, "../../package-lock.json"), "utf8")) as {
        packages: Record<string, { version: string }>;
    };
    return NAMES.map(
        (name) => `${name}-v${lock.packages[`node_modules/@pulumi/${name}`]?.version ?? ""}`,
    );
}

// With an official engine every other test takes this road for real.
(built === undefined ? test.skip : test)(
    "in a fresh clone npm ci and pulumi up are enough: the engine fetches the plugins that the lock file asks for",
    async () => {
        const asked: string[] = [];
        const site = createServer((request, response) => {
            const file = (request.url ?? "").replace(/^\//, "");
            asked.push(file);
            const match = /^pulumi-resource-([a-z]+)-v([^-]+)-[a-z]+-[a-z0-9]+\.tar\.gz$/.exec(
                file,
            );
            const folder = join(
                built ?? "",
                `resource-${match?.[1] ?? ""}-v${match?.[2] ?? ""}+offline`,
            );
            if (match === null || !existsSync(folder)) {
                response.writeHead(404).end();
                return;
            }
            const archive = execFileSync(
                "tar",
                ["-cz", "-C", folder, `pulumi-resource-${match[1] ?? ""}`],
                {
                    maxBuffer: 256 * 1024 * 1024,
                },
            );
            response.writeHead(200, { "content-length": archive.length }).end(archive);
        });
        await once(site.listen(0, "127.0.0.1"), "listening");
        const { port } = site.address() as AddressInfo;
        try {
            await withStack(
                {},
                async (stack) => {
                    await stack.up();
                    expect(await ask(await stack.outputs(), "/v2/", { team: "dev" })).toMatchObject(
                        { status: 200 },
                    );
                    const plugins = asked.map((file) =>
                        file.replace(/^pulumi-resource-|-[a-z]+-[a-z0-9]+\.tar\.gz$/g, ""),
                    );
                    expect(plugins.sort()).toEqual(versions());
                    const again = await stack.up("--expect-no-changes");
                    expect(again.printed).not.toMatch(/warning|error/i);
                    expect(asked).toHaveLength(NAMES.length);
                },
                {
                    isClone: true,
                    env: {
                        PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES: `.*=http://127.0.0.1:${port}`,
                        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: undefined,
                    },
                },
            );
        } finally {
            site.close();
        }
    },
);
