// @ts-check
// A container whose creation was interrupted is in the state as if it were there. Nothing would start or fill it any more:
// the engine takes it for one to be updated, and there is nothing to update. So the next run is told to make it anew.
import { pathToFileURL } from "node:url";
import { pulumi, tryPulumi } from "../shared/state.mjs";

/**
 * @param {string} stack
 * @returns {string[]} their URNs
 */
export function findHalfMade(stack) {
    const { deployment } = JSON.parse(pulumi(["stack", "export"], stack));
    /** @type {{ urn: string, type: string, initErrors?: string[] }[]} */
    const resources = deployment?.resources ?? [];
    return resources
        .filter(
            ({ type, initErrors = [] }) =>
                type === "docker:index/container:Container" && initErrors.length > 0,
        )
        .map(({ urn }) => urn);
}

/**
 * @param {readonly string[]} urns
 * @param {string} stack
 */
export function replaceHalfMade(urns, stack) {
    for (const urn of urns) tryPulumi(["state", "taint", "--yes", urn], stack);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
    const stack = process.argv[2] ?? "";
    replaceHalfMade(findHalfMade(stack), stack);
}
