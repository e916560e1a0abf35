import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";

/** An image of one small layer that nobody has seen before, as a tar of an OCI layout; `name` is what containerd calls it. */
export function ociArchive(name: string): Buffer {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-layout-"));
    try {
        const content = join(folder, "content");
        const layout = join(folder, "layout");
        mkdirSync(content);
        mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
        writeFileSync(join(content, "file"), randomBytes(2000));
        const blob = (mediaType: string, data: Buffer) => {
            const digest = createHash("sha256").update(data).digest("hex");
            writeFileSync(join(layout, "blobs/sha256", digest), data);
            return { mediaType, digest: `sha256:${digest}`, size: data.length };
        };
        const json = (mediaType: string, value: object) =>
            blob(mediaType, Buffer.from(JSON.stringify(value)));
        const layer = blob(
            "application/vnd.oci.image.layer.v1.tar",
            execFileSync("tar", ["-c", "-C", content, "file"]),
        );
        const config = json("application/vnd.oci.image.config.v1+json", {
            architecture: process.arch === "x64" ? "amd64" : process.arch,
            os: "linux",
            config: {},
            rootfs: { type: "layers", diff_ids: [layer.digest] },
        });
        const mediaType = "application/vnd.oci.image.manifest.v1+json";
        const manifest = json(mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
        const annotations = {
            "io.containerd.image.name": name,
            "org.opencontainers.image.ref.name": "1",
        };
        const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
        writeFileSync(join(layout, "index.json"), JSON.stringify(index));
        writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
        return execFileSync("tar", ["-c", "-C", layout, "."]);
    } finally {
        rmSync(folder, { recursive: true });
    }
}
