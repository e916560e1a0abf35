import { type ClientHost, withHosts } from "../support/client-host";
import { client, fleet, REGISTRY_NAME } from "../support/fleet";
import { type TestStack, withStack } from "../support/stack";

/** Makes an image on a host, pushes it, and returns its digest. */
async function push(host: ClientHost, image: string): Promise<string> {
    await host.must(`head -c 64 /dev/urandom >/tmp/content && tar -c -C /tmp content | docker import - ${image}`);
    const pushed = await host.must(`docker push ${image}`);
    return /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? pushed;
}

async function login(host: ClientHost, stack: TestStack): Promise<void> {
    const { teams } = await stack.outputs();
    await host.run(teams.dev?.login ?? "").then(({ stdout }) => {
        expect(stdout).toContain("Login Succeeded");
    });
}

test("what one host pushes another one pulls, and destroy leaves no trace on either", () =>
    withHosts(["docker", "docker"], async ([a, b], network) => {
        if (a === undefined || b === undefined) throw new Error("two hosts were asked for");
        await withStack(fleet(network, { a: client(a), b: client(b) }), async (stack) => {
            const registry = `${REGISTRY_NAME}:${stack.port}`;
            const image = `${registry}/team/app:1`;

            // By hand, as in the tutorial: the name alone is not enough.
            await stack.up();
            const before = `${network.gateway} ${REGISTRY_NAME}`;
            void before;
            await login(a, stack);
            const digest = await push(a, image);
            expect((await b.run(`docker pull ${image}`)).stderr).toContain("no basic auth credentials");
            await login(b, stack);
            expect(await b.must(`docker pull ${image}`)).toContain(digest);
        });
    }));
