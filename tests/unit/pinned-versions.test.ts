import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_KEYS } from "../../config";

const read = (...path: string[]) => readFileSync(join(__dirname, "../..", ...path), "utf8");
const pinned = (name: string) =>
    new RegExp(`^${name}=(.+)$`, "m").exec(read("scripts/setup/versions.sh"))?.[1];
const required = (folder: string, module: string) =>
    new RegExp(`^\\s*(?:require )?${module} v(\\S+)`, "m").exec(
        read("offline", folder, "go.mod"),
    )?.[1];

test("set-up gets the image that the program uses, built from the version that its tag says", () => {
    const image = String(CONFIG_KEYS.image?.default);
    expect(pinned("REGISTRY_IMAGE")).toBe(image);
    expect(image).toBe(
        `registry:${required("registry-image", "github.com/distribution/distribution/v3") ?? ""}`,
    );
});

test("and the same for the gateway", () => {
    const image = String(CONFIG_KEYS.gatewayImage?.default);
    expect(pinned("GATEWAY_IMAGE")).toBe(image);
    expect(image).toBe(
        `caddy:${required("gateway-image", "github.com/caddyserver/caddy/v2") ?? ""}`,
    );
});

test("the engine says the version that it is built from, and that it was built here", () => {
    expect(pinned("OFFLINE_ENGINE_VERSION")).toBe(
        `${required("cli", "github.com/pulumi/pulumi/pkg/v3") ?? ""}+offline`,
    );
});

test("the packages that define the resources are pinned to exact versions", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
        string,
        Record<string, string>
    >;
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
        expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
});
