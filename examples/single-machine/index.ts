import * as pulumi from "@pulumi/pulumi";
import { preflight, PrivateRegistry, type PrivateRegistryArgs } from "private-registry";

const config = new pulumi.Config();

const args: PrivateRegistryArgs = {
    // Nobody but this machine reaches it.
    bindAddress: "127.0.0.1",
    port: config.getNumber("port"),
    teams: ["dev", "ci"],
};

export = async () => {
    await preflight("registry", args);
    const { registry, url, caCertificate, teams } = new PrivateRegistry("registry", args);
    return { registry, url, caCertificate, teams };
};
