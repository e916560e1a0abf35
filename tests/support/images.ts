import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ApiImages } from "./api-images";
import { DockerUser } from "./docker";
import type { TestStack } from "./stack";

export { MANIFESTS } from "./api-images";

const VERSIONS = readFileSync(join(__dirname, "../../scripts/setup/versions.sh"), "utf8");
/** The registry's image that set-up has seen to. */
export const REGISTRY_IMAGE = /^REGISTRY_IMAGE=(.+)$/m.exec(VERSIONS)?.[1] ?? "";

/** Pushes a new image to `kept/app:1` of a stack's registry as the team dev; returns its digest. */
export async function pushImage(stack: TestStack): Promise<string> {
    const registry = `localhost:${stack.port}`;
    const { teams } = await stack.outputs();
    const user = new DockerUser();
    try {
        const image = `${registry}/kept/app:1`;
        await user.makeImage(image);
        await user.login(registry, "dev", teams.dev?.password ?? "");
        return await user.push(image);
    } finally {
        await user.dispose();
    }
}

/** Whether a stack's registry serves this image to the team dev, by its tag as well, with every byte of it. */
export async function servesImage(stack: TestStack, digest: string): Promise<boolean> {
    const images = new ApiImages(await stack.outputs());
    return (await images.pull("kept/app", "1")) === digest && images.isIntact("kept/app", digest);
}
