import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiImages } from "../support/api-images";
import { type ClientHost, withHosts } from "../support/client-host";
import { client, fleet, login, pull, push, REGISTRY_NAME } from "../support/fleet";
import { ask } from "../support/registry-client";
import { type TestStack, withStack } from "../support/stack";

/** A host that does the same thing all the time. */
class Repeater {
    private constructor(private readonly host: ClientHost) {}

    /** Runs a command line that prints one line, again and again until `end`. */
    public static async start(host: ClientHost, command: string): Promise<Repeater> {
        await host.must(
            `rm -f /tmp/end; (while [ ! -e /tmp/end ]; do ${command}; sleep 0.02; done) >/tmp/results 2>&1 </dev/null &`,
        );
        return new Repeater(host);
    }

    /** What was printed. */
    public async end(): Promise<string[]> {
        await this.host.must("touch /tmp/end; sleep 0.5");
        return (await this.host.must("cat /tmp/results")).trim().split("\n");
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

test("authorities are exchanged in three ups without a client ever refusing the registry", () =>
    withHosts(["light", "light", "docker"], async ([a, b, c], network) => {
        const targets = ["docker"];
        const clients = { a: client(a, { targets }), b: client(b, { targets }), c: client(c) };
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
            await login(c, stack);
            await push(c, image);
            await pull(c, image);
            const ask401 = `curl -q -s -o /dev/null --cacert '${ca}' --max-time 5 -w '%{http_code} %{exitcode}\\n' https://${registry}/v2/`;
            const pullAnew = `docker image rm ${image} >/dev/null 2>&1; docker pull -q ${image} >/dev/null 2>/tmp/error && echo pulled || tail -n 1 /tmp/error`;

            const step = async (authorities: string[]) => {
                const repeaters = await Promise.all([
                    Repeater.start(a, ask401),
                    Repeater.start(b, ask401),
                    Repeater.start(c, pullAnew),
                ]);
                await sleep(300);
                stack.configure(config(authorities));
                await stack.up();
                await sleep(300);
                const results = await Promise.all(repeaters.map((repeater) => repeater.end()));
                for (const { length } of results) expect(length).toBeGreaterThan(3);
                return results;
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
    }));

test("a client that does not know the new authority yet is named, and keeps the certificate from being exchanged", () =>
    withHosts(["light", "light"], async ([a, b], network) => {
        const targets = ["docker"];
        const clients = { a: client(a, { targets }), b: client(b, { targets }) };
        const config = (authorities: string[]) => fleet(network, clients, { authorities });
        await withStack(config(["1"]), async (stack: TestStack) => {
            await stack.up();
            const question = { address: network.gateway };
            const served = async () =>
                (await ask(await stack.outputs(), "/v2/", question)).certificate;
            const first = await served();
            const up = () => stack.pulumi(["up", "--yes", "--skip-preview", "--continue-on-error"]);

            await b.stopSsh();
            stack.configure(config(["1", "2"]));
            const told = await up();
            expect(told.code).not.toBe(0);
            expect(told.printed).toMatch(
                /\(registry-trust-b\):\s+error: dial .*connection refused/,
            );
            stack.configure(config(["2", "1"]));
            const blocked = await up();
            expect(blocked.code).not.toBe(0);
            expect(blocked.printed).toMatch(
                /\(registry-trust-b\):\s+error: dial .*connection refused/,
            );
            expect(await served()).toBe(first);

            await b.startSsh();
            await stack.up();
            expect(await served()).not.toBe(first);
            stack.configure(config(["2"]));
            expect((await stack.up()).printed).toContain("proof: 401");
            await stack.destroy();
        });
    }));

test("another key algorithm is the server's at once, and an authority's only by a rotation", () =>
    withHosts(["light"], async ([host], network) => {
        const clients = { a: client(host, { targets: ["docker"] }) };
        const config = (fields: Record<string, unknown>) => fleet(network, clients, fields);
        await withStack(config({}), async (stack: TestStack) => {
            await stack.up();
            const before = await stack.outputs();
            const registry = `${REGISTRY_NAME}:${stack.port}`;
            const as = { team: "dev", address: network.gateway, hostname: REGISTRY_NAME };
            const { digest } = await new ApiImages(before, as).image("team/app", "1");
            const logins = await host.logins();
            const ca = `/etc/docker/certs.d/${registry}/ca.crt`;

            for (const keyAlgorithm of ["RSA", "ECDSA"]) {
                stack.configure(config({ keyAlgorithm }));
                await stack.up();
                const after = await stack.outputs();
                expect(after).toEqual({
                    ...before,
                    certificateExpires: after.certificateExpires,
                });
                expect(await keyTypeOf(host, ca, registry)).toBe(keyAlgorithm);
                expect(await new ApiImages(after, as).pull("team/app", "1")).toBe(digest);
            }
            // No client had to learn anything.
            expect(await host.logins()).toBe(logins);

            stack.configure(config({ keyAlgorithm: "RSA", authorities: ["1", "2"] }));
            await stack.up();
            const { caCertificate } = await stack.outputs();
            const keys = caCertificate
                .split(/(?<=-----END CERTIFICATE-----\n)/)
                .map((pem) => new X509Certificate(pem).publicKey.asymmetricKeyType);
            expect(keys).toEqual(["ec", "rsa"]);
        });
    }));

/** Kind of the key that the registry shows to a host that trusts these certificates and no other. */
async function keyTypeOf(host: ClientHost, ca: string, registry: string): Promise<string> {
    const shown = await host.must(
        `openssl s_client -connect ${registry} -CAfile '${ca}' -verify_return_error </dev/null 2>/dev/null | openssl x509 -noout -text`,
    );
    return shown.includes("Public Key Algorithm: rsa") ? "RSA" : "ECDSA";
}
