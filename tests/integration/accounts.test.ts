import { setTimeout as sleep } from "node:timers/promises";
import { changeAccounts } from "../support/account-changes";
import { ask } from "../support/registry-client";
import { withStack } from "../support/stack";

test("changes of accounts lose no request and no push of another team", () =>
    withStack({}, async (stack) => {
        const { requests, pushes } = await changeAccounts(stack, 6);
        expect([requests.failures, pushes.failures]).toEqual([[], []]);
        expect(requests.done).toBeGreaterThan(100);
        expect(pushes.done).toBeGreaterThan(20);
    }));

test("an account is exchanged while both work, and a team that is removed is refused within a second", () =>
    withStack({ teams: { dev: {}, web: {} } }, async (stack) => {
        await stack.up();
        const container = await stack.containerId();
        const first = await stack.outputs();

        stack.configure({ teams: { dev: {}, web: { accounts: ["web-2", "web"] } } });
        await stack.up();
        const both = await stack.outputs();
        expect(both.teams.web?.username).toBe("web-2");
        expect(both.teams.web?.dockerConfigJson).not.toBe(first.teams.web?.dockerConfigJson);
        expect(await ask(both, "/v2/", { team: "web" })).toMatchObject({ status: 200 });
        expect(await ask(first, "/v2/", { team: "web" })).toMatchObject({ status: 200 });

        stack.configure({ teams: { dev: {}, web: { accounts: ["web-2"] } } });
        await stack.up();
        expect(await ask(first, "/v2/", { team: "web" })).toMatchObject({ status: 401 });
        expect(await ask(both, "/v2/", { team: "web" })).toMatchObject({ status: 200 });
        expect(await stack.outputs()).toEqual(both);

        stack.configure({ teams: { dev: {} } });
        await stack.up();
        await sleep(1000);
        expect(await ask(both, "/v2/", { team: "web" })).toMatchObject({ status: 401 });
        expect(await ask(first, "/v2/", { team: "dev" })).toMatchObject({ status: 200 });
        expect(await stack.containerId()).toBe(container);
    }));
