import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DockerUser } from "./docker";
import { ask } from "./registry-client";
import type { TestStack } from "./stack";

const VERSIONS = readFileSync(join(__dirname, "../../scripts/setup/versions.sh"), "utf8");
/** The registry's image that set-up has seen to. */
export const REGISTRY_IMAGE = /^REGISTRY_IMAGE=(.+)$/m.exec(VERSIONS)?.[1] ?? "";

/** What a client accepts that knows Docker's and OCI's manifests. */
export const MANIFESTS =
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";

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

/** Whether a stack's registry serves this image to the team dev. */
export async function servesImage(stack: TestStack, digest: string): Promise<boolean> {
    const path = `/v2/kept/app/manifests/${digest}`;
    const answer = await ask(await stack.outputs(), path, { team: "dev", accept: MANIFESTS });
    return answer.status === 200;
}
