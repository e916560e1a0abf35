import { execFileSync } from "node:child_process";
import { join } from "node:path";

const CONFIGURATION = join(__dirname, "../../scripts/shared/configuration.mjs");

test("a script reads every key as the program does, however it was set", () => {
    const printed = {
        "docker:host": { value: "unix:///run/docker.sock", secret: false },
        "private-registry:address": { value: "2001:db8::1", secret: false },
        "private-registry:port": { value: "5443", secret: false },
        "private-registry:hostname": { value: "[no list", secret: false },
        "private-registry:ssh": {
            value: '{"user":"ops"}',
            objectValue: { user: "ops" },
            secret: false,
        },
        // Without --path, pulumi takes it for a text.
        "private-registry:clients": { value: '{"a":{"host":"192.0.2.21"}}', secret: true },
        // Without --show-secrets.
        "private-registry:redis": { secret: true },
    };
    const program = `
        import { valuesIn } from ${JSON.stringify(CONFIGURATION)};
        process.stdout.write(JSON.stringify(valuesIn(${JSON.stringify(JSON.stringify(printed))})));`;
    const read = execFileSync("node", ["--input-type=module", "-e", program], { encoding: "utf8" });
    expect(JSON.parse(read)).toEqual({
        host: "unix:///run/docker.sock",
        address: "2001:db8::1",
        port: "5443",
        hostname: "[no list",
        ssh: { user: "ops" },
        clients: { a: { host: "192.0.2.21" } },
        redis: "",
    });
});
