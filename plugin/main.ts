import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { PrivateRegistry } from "../components/private-registry";
import { settingsOf } from "../lib/arguments";
import { pluginSchema } from "../lib/plugin-schema";
import { preflight } from "../preflight";

/** As it lies in the package: in `dist/plugin`. */
const PACKAGE = join(__dirname, "../../package.json");

/** The component for programs in other languages: the engine starts this, and asks it to make registries. */
class RegistryPlugin implements pulumi.provider.Provider {
    public readonly version = (JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string })
        .version;
    public readonly schema = pluginSchema(this.version);

    public async construct(
        name: string,
        type: string,
        inputs: pulumi.Inputs,
        options: pulumi.ComponentResourceOptions,
    ): Promise<pulumi.provider.ConstructResult> {
        if (type !== "private-registry:index:PrivateRegistry") {
            throw new Error(`no such resource: ${type}; there is private-registry:PrivateRegistry`);
        }
        const settings = settingsOf(name, inputs);
        await preflight(settings);
        const { urn, registry, url, caCertificate, caFingerprints, certificateExpires, teams } =
            new PrivateRegistry(name, settings, options);
        const state = { registry, url, caCertificate, caFingerprints, certificateExpires, teams };
        return { urn, state };
    }
}

void pulumi.provider.main(new RegistryPlugin(), process.argv.slice(2));
