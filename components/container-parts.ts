import { createHash } from "node:crypto";
import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { DRAIN_SECONDS } from "../lib/registry-config";

/** Docker label with the stack that something belongs to. */
export const OWNER_LABEL = "private-registry.stack";
/** Docker label with the hash of what a container has to be replaced for. */
export const SETTINGS_LABEL = "private-registry.settings";

export function sha256(...texts: readonly string[]): string {
    return createHash("sha256").update(texts.join("\0")).digest("hex");
}

/** A file for a loader to put in its place. */
export function upload(file: string, content: pulumi.Input<string>, isProgram = false) {
    return { file: `/load/${file}`, content, permissions: isProgram ? "0500" : "0400" };
}

/** What each container may use of its Docker host. */
export interface Limits {
    /** Memory at most, what it has read and written of files lately included; it has no swap. Unit: MiB. */
    readonly memoryMiB: number;
    /** Its part of processors that are all busy, relative to other containers', which have 1024 unless told otherwise. */
    readonly cpuShares: number;
}

export function limits({ memoryMiB, cpuShares }: Limits) {
    // Docker sets the second one by itself where it is missing, which would be a difference.
    return { memory: memoryMiB, memorySwap: memoryMiB, cpuShares };
}

/** An image that containers of a component are made from; it stays when they go. */
export function imageOf(name: string, image: string, parent: pulumi.Resource): docker.RemoteImage {
    return new docker.RemoteImage(`${name}-image`, { name: image, keepLocally: true }, { parent });
}

/** A container that does one thing and ends, without a network; `up` waits for it. */
export const LOADING = {
    entrypoints: ["/bin/sh", "-c"],
    networkMode: "none",
    securityOpts: ["no-new-privileges:true"],
    attach: true,
    mustRun: false,
    restart: "no",
};

/** What a health check runs: asks the container's own loopback whether it serves. */
export function healthTest(url: string): string[] {
    return ["CMD", "wget", "-q", "-O", "/dev/null", url];
}

/** A container's health check, with every field in the form that Docker reports back: a missing one would be a difference. */
export function healthcheck(url: string) {
    return healthcheckOf(healthTest(url));
}

/** The same for a container that is asked in another way. */
export function healthcheckOf(tests: string[]) {
    return {
        tests,
        interval: "30s",
        timeout: "5s",
        startPeriod: "5s",
        startInterval: "0s",
        retries: 3,
    };
}

export function tcpPort(internal: number, external: number, ip: string) {
    return { internal, external, ip, protocol: "tcp" };
}

/** What every serving container has: nothing to write to, logs that do not grow without end, and time to end in. */
export const SERVING = {
    readOnly: true,
    securityOpts: ["no-new-privileges:true"],
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    restart: "unless-stopped",
    stopTimeout: DRAIN_SECONDS + 5,
    destroyGraceSeconds: DRAIN_SECONDS + 5,
};

/** Where a serving container may write: memory. */
export const SCRATCH = { "/tmp": "rw,noexec,nosuid,nodev,size=64m" };
