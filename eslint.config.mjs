import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import prettier from "eslint-config-prettier";
import globals from "globals";
import tseslint from "typescript-eslint";

export default tseslint.config(
    {
        // The examples are compiled against the package itself: see tests/integration/library.test.ts.
        ignores: ["node_modules/", ".pulumi-state/", "offline/", "coverage/", "dist/", "examples/"],
    },
    js.configs.recommended,
    {
        files: ["**/*.ts"],
        extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
        languageOptions: { parserOptions: { projectService: true } },
        plugins: { "@pulumi": pulumi },
        rules: {
            "@pulumi/no-output-in-template-literal": "error",
            "@pulumi/no-output-instance-in-template-literal": "error",
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
            "@typescript-eslint/no-confusing-void-expression": "off",
            "@typescript-eslint/prefer-nullish-coalescing": [
                "error",
                { ignorePrimitives: { string: true } },
            ],
        },
    },
    {
        // What a mock or a parsed answer holds is for the assertion to say.
        files: ["tests/**/*.ts", "benchmarks/**/*.ts"],
        rules: {
            "@typescript-eslint/no-unsafe-assignment": "off",
            "@typescript-eslint/no-base-to-string": "off",
            "@typescript-eslint/no-unnecessary-type-parameters": "off",
        },
    },
    { files: ["**/*.js"], languageOptions: { sourceType: "commonjs", globals: globals.node } },
    { files: ["**/*.mjs"], languageOptions: { globals: globals.node } },
    prettier,
);
