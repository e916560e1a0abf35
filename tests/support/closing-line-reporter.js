/** Ends a run with one plain line, "N passed, N failed, N skipped", for people and CI systems that count. */
module.exports = class ClosingLineReporter {
    onRunComplete(_contexts, results) {
        const skipped = results.numPendingTests + results.numTodoTests;
        const broken = results.numRuntimeErrorTestSuites;
        process.stdout.write(
            `${results.numPassedTests} passed, ${results.numFailedTests + broken} failed, ${skipped} skipped\n`,
        );
    }
};
