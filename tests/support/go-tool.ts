import { join } from "node:path";
import { must } from "./run";

/**
 * Path of a Go program that tests use, built where it is not there yet. Its version is pinned in a folder beside this file;
 * the flags are those of `go build`.
 */
export async function goTool(
    folder: string,
    goPackage: string,
    flags: readonly string[] = [],
): Promise<string> {
    const tool = await must(join(__dirname, "build-go-tool"), [folder, goPackage, ...flags]);
    return tool.trim();
}
