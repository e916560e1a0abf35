import { setTimeout as sleep } from "node:timers/promises";
import { type ClientHost, type HostKind, withHosts } from "./client-host";
import { client, fleet, login, pull, push, REGISTRY_NAME } from "./fleet";
import { ask } from "./registry-client";
import { withStack } from "./stack";

/** A host that does the same thing all the time. */
class Repeater {
    private constructor(private readonly host: ClientHost) {}

    /** Runs a command line that prints one line, again and again until `end`. */
    public static async start(host: ClientHost, command: string): Promise<Repeater> {
        await host.must(
            `rm -f /tmp/end; (while [ ! -e /tmp/end ]; do ${command}; sleep 0.02; done; echo end) >/tmp/results 2>&1 </dev/null &`,
        );
        return new Repeater(host);
    }

    /** Lets it print that many lines more. */
    public async more(lines: number): Promise<void> {
        const wanted = (await this.printed()).length + lines;
        while ((await this.printed()).length < wanted) await sleep(100);
    }

    /** What was printed from the start to its end. */
    public async end(): Promise<string[]> {
        await this.host.must("touch /tmp/end");
        for (;;) {
            const printed = await this.printed();
            if (printed.at(-1) === "end") return printed.slice(0, -1);
            await sleep(100);
        }
    }

    private async printed(): Promise<string[]> {
        return (await this.host.must("cat /tmp/results")).split("\n").filter(Boolean);
    }
}

/** What is fine at any time, and what while the container is replaced: refused or cut off, but never not trusted. */
const FINE = /^(401 0|pulled)$/;
const FINE_OR_REPLACED =
    /^(401 0|pulled|000 (7|16|35|52|56|92)|.*(connection refused|connection reset|EOF|broken pipe).*)$/;

/** How often a client that was answered was not answered any more. */
function gapsIn(results: readonly string[]): number {
    const isFine = results.map((result) => FINE.test(result));
    return isFine.filter((fine, index) => !fine && isFine[index - 1] !== false).length;
}

/**
 * Exchanges authorities in three ups, while one host pulls and all others ask without a pause. None of them may ever refuse the
 * registry. How many ask is `asking`, at least one.
 */
export function exchangeAuthorities(asking: number): Promise<void> {
    const kinds = Array.from({ length: asking }, (): HostKind => "light");
    return withHosts(["docker", ...kinds], async ([puller, ...lights], network) => {
        const [a] = lights;
        if (a === undefined) throw new Error("no host asks");
        const clients: Record<string, Record<string, unknown>> = { puller: client(puller) };
        for (const [index, host] of lights.entries()) {
            clients[`light-${index + 1}`] = client(host, { targets: ["docker"] });
        }
        const config = (authorities: string[]) => fleet(network, clients, { authorities });
        await withStack(config(["1"]), async (stack) => {
            await stack.up();
            const registry = `${REGISTRY_NAME}:${stack.port}`;
            const question = { team: "dev", address: network.gateway };
            const served = async () =>
                (await ask(await stack.outputs(), "/v2/", question)).certificate;
            const first = await served();
            const ca = `/etc/docker/certs.d/${registry}/ca.crt`;
            // What a host comes to think of the certificate that the registry shows now.
            await a.must(
                `openssl s_client -connect ${registry} </dev/null 2>/dev/null | openssl x509 >/tmp/first.crt`,
            );
            const verifyFirst = () => a.run(`openssl verify -CAfile '${ca}' /tmp/first.crt`);
            expect(await verifyFirst()).toMatchObject({ code: 0, stdout: "/tmp/first.crt: OK\n" });
            const container = await stack.containerId();
            const image = `${registry}/team/app:1`;
            await login(puller, stack);
            await push(puller, image);
            await pull(puller, image);
            const ask401 = `curl -q -s -o /dev/null --cacert '${ca}' --max-time 120 -w '%{http_code} %{exitcode}\\n' https://${registry}/v2/`;
            const pullAnew = `docker image rm ${image} >/dev/null 2>&1; docker pull -q ${image} >/dev/null 2>/tmp/error && echo pulled || tail -n 1 /tmp/error`;

            const step = async (authorities: string[]) => {
                const repeaters = await Promise.all([
                    ...lights.map((host) => Repeater.start(host, ask401)),
                    Repeater.start(puller, pullAnew),
                ]);
                const more = () => Promise.all(repeaters.map((repeater) => repeater.more(2)));
                await more();
                stack.configure(config(authorities));
                await stack.up();
                await more();
                return Promise.all(repeaters.map((repeater) => repeater.end()));
            };

            // Everybody learns of the new one. The registry runs on.
            for (const result of (await step(["1", "2"])).flat()) expect(result).toMatch(FINE);
            expect(await verifyFirst()).toMatchObject({ code: 0 });
            expect(await stack.containerId()).toBe(container);
            expect(await served()).toBe(first);

            // The new one signs. No client is touched; they are refused only while the container is replaced, which is once.
            const logins = await a.logins();
            const second = await step(["2", "1"]);
            for (const results of second) {
                for (const result of results) expect(result).toMatch(FINE_OR_REPLACED);
                expect([results, gapsIn(results) <= 1]).toEqual([results, true]);
            }
            expect(second.flat()).toContain("pulled");
            expect(await a.logins()).toBe(logins);
            expect(await served()).not.toBe(first);

            // The old one goes, and what it has signed is refused.
            expect(await verifyFirst()).toMatchObject({ code: 0 });
            for (const result of (await step(["2"])).flat()) expect(result).toMatch(FINE);
            const bundle = await a.must(`cat '${ca}'`);
            expect(bundle).toBe((await stack.outputs()).caCertificate);
            expect(bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
            expect(await verifyFirst()).toMatchObject({
                code: 2,
                stderr: expect.stringContaining("unable to get local issuer certificate"),
            });
        });
    });
}
