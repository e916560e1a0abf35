// @ts-check
// Lets a script call the program's own functions, which are TypeScript, on every version of Node.js that the project runs on.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import ts from "typescript";

const require = createRequire(import.meta.url);
const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };

require.extensions[".ts"] = (/** @type {any} */ module, /** @type {string} */ file) => {
    const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), { compilerOptions });
    module._compile(outputText, file);
};

/**
 * @param {string} path from the project's folder
 * @returns {any}
 */
export function load(path) {
    return require(`../../${path}`);
}
