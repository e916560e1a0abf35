import * as pulumi from "@pulumi/pulumi";
import { preflight, PrivateRegistry, type PrivateRegistryArgs } from "private-registry";

interface Host {
    host: string;
    hostKey: string;
}

const config = new pulumi.Config();

const args: PrivateRegistryArgs = {
    hostname: "registry.example.com",
    // Where the hosts below find it: no DNS is needed.
    address: config.require("address"),
    port: config.getNumber("port"),
    ssh: {
        user: "root",
        privateKey: config.requireSecret("sshKey"),
        jumpHost: config.requireObject<Host>("jumpHost"),
    },
    clients: config.requireObject<Record<string, Host>>("hosts"),
    // The hosts get the images of Docker Hub from here, and Docker Hub is asked once for each.
    mirrors: { hub: { upstream: "docker.io", port: config.getNumber("mirrorPort") ?? 5010 } },
};

export = async () => {
    await preflight("registry", args);
    const { registry, url, caCertificate, certificateExpires, teams } = new PrivateRegistry(
        "registry",
        args,
    );
    return { registry, url, caCertificate, certificateExpires, teams };
};
