import { X509Certificate } from "node:crypto";
import { ApiImages } from "../support/api-images";
import { type ClientHost, withHosts } from "../support/client-host";
import { exchangeAuthorities } from "../support/authority-exchange";
import { client, fleet, REGISTRY_NAME } from "../support/fleet";
import { ask } from "../support/registry-client";
import { type TestStack, withStack } from "../support/stack";

test("authorities are exchanged in three ups without a client ever refusing the registry", () =>
    exchangeAuthorities(2));

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
