import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { handOver } from "../../lib/hand-over";
import { shellQuote } from "../../lib/shell-quote";

test("a hand-over has the account, a login line and Docker's configuration", () => {
    expect(handOver("registry.test:5000", "dev", "s3cret")).toEqual({
        username: "dev",
        password: "s3cret",
        login: "printf '%s' s3cret | docker login --username dev --password-stdin registry.test:5000",
        dockerConfigJson:
            '{"auths":{"registry.test:5000":{"username":"dev","password":"s3cret","auth":"ZGV2OnMzY3JldA=="}}}',
    });
});

test("whatever is quoted arrives at a command as it was", () => {
    const word = fc
        .string({ unit: "binary", maxLength: 40 })
        .filter((text) => !text.includes("\0"));
    fc.assert(
        fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
            const line = `printf '%s\\0' ${words.map(shellQuote).join(" ")}`;
            const output = execFileSync("/bin/sh", ["-c", line], { encoding: "utf8" });
            expect(output).toBe(words.map((text) => `${text}\0`).join(""));
        }),
        { numRuns: 50 },
    );
});
