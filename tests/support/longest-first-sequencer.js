const { default: Sequencer } = require("@jest/test-sequencer");

/** Files that take longer than their size says. */
const LONG = ["integration/conformance", "integration/client-programs"];

/**
 * Jest begins with the files that took longest before. On a machine that has no times of before it goes by their size, and one
 * worker would wait at the end for the other one's small file with the long run: so runs on Docker come before those without,
 * and of them first those that are known to take long.
 */
module.exports = class LongestFirstSequencer extends Sequencer {
    sort(tests) {
        return super.sort(tests).sort((a, b) => rank(a) - rank(b));
    }
};

function rank({ path }) {
    if (LONG.some((name) => path.endsWith(`/${name}.test.ts`))) return 0;
    return path.includes("/integration/") ? 1 : 2;
}
