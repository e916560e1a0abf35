import { askOnce, pushBlob, Stream } from "./stream";
import type { TestStack } from "./stack";

/**
 * Changes accounts that many times, a password or a further account in turn, while another team asks
 * and pushes all the time; returns what that team met.
 */
export async function changeAccounts(stack: TestStack, changes: number) {
    stack.configure({ teams: { dev: {}, web: {} } });
    await stack.up();
    const outputs = await stack.outputs();
    const requests = Stream.start(2, () => askOnce(outputs, "dev"));
    const pushes = Stream.start(1, () => pushBlob(outputs, "dev"));
    for (let change = 1; change <= changes; change++) {
        const accounts = change % 2 === 0 ? ["web"] : [`web-${change}`, "web"];
        stack.configure({ teams: { dev: {}, web: { generation: change + 1, accounts } } });
        await stack.up();
    }
    return { requests: await requests.end(), pushes: await pushes.end() };
}
