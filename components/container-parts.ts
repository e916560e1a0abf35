import { DRAIN_SECONDS } from "../lib/registry-config";

/** Asks a container's own loopback whether it serves. Every field in the form that Docker reports back: a missing one would be a difference. */
export function healthcheck(url: string) {
    return {
        tests: ["CMD", "wget", "-q", "-O", "/dev/null", url],
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
