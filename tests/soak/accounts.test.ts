import { changeAccounts } from "../support/account-changes";
import { withStack } from "../support/stack";

jest.setTimeout(30 * 60_000);

test("50 changes of accounts in a row lose no request and no push of another team", () =>
    withStack({}, async (stack) => {
        const { requests, pushes } = await changeAccounts(stack, 50);
        process.stdout.write(`${requests.done} requests and ${pushes.done} pushes\n`);
        expect([requests.failures, pushes.failures]).toEqual([[], []]);
        expect(requests.done).toBeGreaterThan(1000);
    }));
