// @ts-check
// A container whose creation was interrupted is in the state as if it were there. Nothing would start or fill it any more:
// the engine takes it for one to be updated, and there is nothing to update. So the next run is told to make it anew.
import { pathToFileURL } from "node:url";
import { pulumi, tryPulumi } from "../check/state.mjs";

/** @param {string} stack */
export function replaceHalfMade(stack) {
    const { deployment } = JSON.parse(pulumi(["stack", "export"], stack));
    for (const { urn, type, initErrors = [] } of deployment?.resources ?? []) {
        if (type === "docker:index/container:Container" && initErrors.length > 0) {
            tryPulumi(["state", "taint", "--yes", urn], stack);
        }
    }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
    replaceHalfMade(process.argv[2] ?? "");
}
