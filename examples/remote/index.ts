import * as pulumi from "@pulumi/pulumi";
import { preflight, PrivateRegistry, type PrivateRegistryArgs } from "private-registry";

const config = new pulumi.Config();

const args: PrivateRegistryArgs = {
    hostname: "registry.example.com",
    address: config.require("address"),
    port: config.getNumber("port"),
    dockerHost: config.require("dockerHost"),
    // With permissions there is a gateway in front, which takes changes of these while it runs.
    teams: {
        web: { push: ["web/*"], pull: ["base/*"] },
        base: { push: ["base/*"], delete: ["base/*"] },
        ops: { admin: true },
    },
};

export = async () => {
    await preflight("registry", args);
    const { registry, url, caCertificate, teams } = new PrivateRegistry("registry", args);
    return { registry, url, caCertificate, teams };
};
