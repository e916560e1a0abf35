/** @type {import("jest").Config} */
module.exports = {
    testEnvironment: "node",
    testMatch: ["<rootDir>/tests/**/*.test.ts"],
    // Long runs, which npm run test:soak asks for by their folder.
    testPathIgnorePatterns: process.argv.some((argument) => argument.startsWith("tests/soak"))
        ? []
        : ["<rootDir>/tests/soak"],
    modulePathIgnorePatterns: ["<rootDir>/.pulumi-state"],
    // What a file counts over all of its tests says something only where none is left out.
    globals: {
        areAllTestsAsked: !process.argv.some((argument) =>
            /^(-t|--testNamePattern)/.test(argument),
        ),
    },
    transform: { "^.+\\.ts$": ["ts-jest", { diagnostics: false }] },
    // Only a guard against a test that hangs: nothing is asserted about time.
    testTimeout: 900_000,
    // Two cores: more workers only make the integration tests wait for each other.
    maxWorkers: 2,
    testSequencer: "<rootDir>/tests/support/longest-first-sequencer.js",
    reporters: ["default", "<rootDir>/tests/support/closing-line-reporter.js"],
};
