import { parse } from "yaml";
import { registryConfig } from "../../lib/registry-config";

const args = {
    httpSecret: 'tricky: "secret" # with %{yaml} in it',
    deleteEnabled: true,
    readOnly: false,
    metricsPublished: false,
    behindGateway: false,
};
const read = (changes: Partial<typeof args> = {}) =>
    parse(registryConfig({ ...args, ...changes })) as Record<string, never>;

test("is YAML that holds what was given", () => {
    expect(read()).toMatchObject({
        version: "0.1",
        log: { level: "info", formatter: "json", accesslog: { disabled: true } },
        storage: { delete: { enabled: true }, maintenance: { readonly: { enabled: false } } },
        http: {
            secret: args.httpSecret,
            tls: { minimumtls: "tls1.2" },
            debug: { addr: "127.0.0.1:5001", prometheus: { enabled: false } },
        },
        auth: { htpasswd: { path: "/etc/private-registry/htpasswd" } },
    });
});

test("modes", () => {
    expect(read({ deleteEnabled: false, readOnly: true })).toMatchObject({
        storage: { delete: { enabled: false }, maintenance: { readonly: { enabled: true } } },
    });
    expect(read({ metricsPublished: true })).toMatchObject({
        http: { debug: { addr: ":5001", prometheus: { enabled: true } } },
    });
});

test("behind a gateway it has no port, no TLS and no accounts", () => {
    const { http, auth } = read({ behindGateway: true });
    expect(http).toMatchObject({ net: "unix", addr: "/run/registry/registry.sock" });
    expect(http).not.toHaveProperty("tls");
    expect(auth).toBeUndefined();
});
