import { docker } from "./docker";

/** Asks a stack's own Redis, in its container, as an operator would: with the password from its file. */
export async function askOwnRedis(
    container: string,
    command: string,
    tls = false,
): Promise<string> {
    const options = tls ? "--tls --cacert /etc/private-registry/redis.crt" : "";
    const script = `REDISCLI_AUTH=$(cat /etc/private-registry/redis-password) redis-cli ${options} ${command}`;
    const { stdout, stderr } = await docker("exec", container, "sh", "-c", script);
    return (stdout + stderr).trim();
}
