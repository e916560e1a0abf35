import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must, type Result, run } from "./run";

/** Runs the docker command with this user's own settings. */
export function docker(...args: string[]): Promise<Result> {
    return run("docker", args);
}

/** What `docker inspect` says of one thing. */
export async function inspect(name: string): Promise<Record<string, never>> {
    const [found] = JSON.parse(await must("docker", ["inspect", name])) as Record<string, never>[];
    if (found === undefined) {
        throw new Error(`docker inspect ${name} found nothing`);
    }
    return found;
}

/** Removes containers with a label, with the volumes and networks that only they used. */
export async function removeLabelled(label: string, value: string): Promise<void> {
    const ids = await docker("ps", "--all", "--quiet", "--filter", `label=${label}=${value}`);
    for (const id of ids.stdout.split("\n").filter((line) => line !== "")) {
        const details = await inspect(id).catch(() => undefined);
        // Gone since it was listed.
        if (details === undefined) continue;
        await docker("rm", "--force", "--volumes", id);
        const mounts = details.Mounts as unknown as { Type: string; Name?: string }[];
        for (const { Name } of mounts.filter(({ Type }) => Type === "volume")) {
            await docker("volume", "rm", "--force", Name ?? "");
        }
        const networks = (
            details.NetworkSettings as unknown as { Networks: Record<string, unknown> }
        ).Networks;
        for (const network of Object.keys(networks).filter(
            (name) => !["bridge", "none", "host"].includes(name),
        )) {
            await docker("network", "rm", network);
        }
    }
}

/** A Docker client with its own login, and images of its own that go with it. */
export class DockerUser {
    private readonly config = mkdtempSync(join(tmpdir(), "private-registry-docker-"));
    private readonly images = new Set<string>();

    public docker(args: readonly string[], input?: string): Promise<Result> {
        return run("docker", ["--config", this.config, ...args], { input });
    }

    public login(registry: string, username: string, password: string): Promise<Result> {
        return this.docker(
            ["login", "--username", username, "--password-stdin", registry],
            password,
        );
    }

    /** Makes an image of one layer, never seen before, under this name; small unless told otherwise. */
    public async makeImage(name: string, bytes = 32): Promise<void> {
        const folder = mkdtempSync(join(tmpdir(), "private-registry-image-"));
        try {
            writeFileSync(join(folder, "content"), randomBytes(bytes).toString("hex"));
            const archive = await run("tar", ["-c", "-C", folder, "."]);
            await must("docker", ["import", "-", name], { input: archive.stdout });
            this.images.add(name);
        } finally {
            rmSync(folder, { recursive: true });
        }
    }

    /** Pushes an image and returns its digest. */
    public async push(name: string): Promise<string> {
        const { code, stdout, stderr } = await this.docker(["push", name]);
        const digest = /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1];
        if (code !== 0 || digest === undefined) {
            throw new Error(`docker push ${name}: ${stdout}${stderr}`);
        }
        return digest;
    }

    /** Forgets the local copy of an image and fetches it from the registry; returns its digest. */
    public async pullAnew(name: string): Promise<string> {
        this.images.add(name);
        await docker("image", "rm", "--force", name);
        const { code, stdout, stderr } = await this.docker(["pull", name]);
        const digest = /Digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1];
        if (code !== 0 || digest === undefined) {
            throw new Error(`docker pull ${name}: ${stdout}${stderr}`);
        }
        return digest;
    }

    public async dispose(): Promise<void> {
        for (const image of this.images) {
            await docker("image", "rm", "--force", image);
        }
        rmSync(this.config, { recursive: true, force: true });
    }
}
