import { withStack } from "../support/stack";
import { askOnce, pushBlob, Stream } from "../support/stream";

jest.setTimeout(40 * 60_000);

test("50 renewals and 50 changes of accounts and permissions in a row, under load, lose no request and no push", () =>
    withStack({ gateway: true, teams: { dev: {}, web: {} } }, async (stack) => {
        await stack.up();
        const outputs = await stack.outputs();
        const requests = Stream.start(2, () => askOnce(outputs, "dev"));
        const pushes = Stream.start(1, () => pushBlob(outputs, "dev"));
        const certificates = new Set<string>();
        for (let change = 1; change <= 50; change++) {
            stack.configure({
                gateway: true,
                subjectAltNames: [`name-${change}.example.com`],
                teams: {
                    dev: { push: ["*"] },
                    web: { generation: change, pull: [`web-${change}/*`] },
                },
            });
            await stack.up();
            certificates.add((await stack.outputs()).certificateExpires);
        }
        const [asked, pushed] = [await requests.end(), await pushes.end()];
        process.stdout.write(`${asked.done} requests and ${pushed.done} pushes\n`);
        expect([asked.failures, pushed.failures]).toEqual([[], []]);
        expect(certificates.size).toBe(50);
        expect(asked.done).toBeGreaterThan(1000);
    }));
