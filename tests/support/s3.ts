import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Bucket } from "../../lib/s3";
import { must, run } from "./run";
import { read } from "./settings";
import { freePort } from "./stack";

const BUILD = join(__dirname, "s3-server/build");
const REGION = "us-east-1";

/** For what needs a Redis; skipped where none is installed (Debian: apt-get install redis-server). */
export const hasRedis = spawnSync("redis-server", ["--version"]).error === undefined;

/** A Docker network of its own: this machine's address in it is one that containers of any network reach. */
export class ServiceNetwork {
    private constructor(
        private readonly name: string,
        public readonly gateway: string,
    ) {}

    public static async create(): Promise<ServiceNetwork> {
        const name = `private-registry-services-${randomBytes(4).toString("hex")}`;
        await must("docker", ["network", "create", name]);
        const format = "{{(index .IPAM.Config 0).Gateway}}";
        const found = await must("docker", ["network", "inspect", "--format", format, name]);
        return new ServiceNetwork(name, found.trim());
    }

    public async dispose(): Promise<void> {
        await must("docker", ["network", "rm", this.name]);
    }
}

/** A server process that can be ended hard, started again and made to hang. */
class Service {
    private child: ChildProcess | undefined;
    public log = "";

    protected constructor(
        private readonly command: string,
        private readonly args: readonly string[],
        private readonly env: NodeJS.ProcessEnv,
        public readonly host: string,
        public readonly port: number,
    ) {}

    public async start(): Promise<void> {
        const child = spawn(this.command, this.args, {
            env: { ...process.env, ...this.env },
            stdio: ["ignore", "pipe", "pipe"],
        });
        this.child = child;
        for (const stream of [child.stdout, child.stderr]) {
            stream.on("data", (data) => (this.log += String(data)));
        }
        while (!(await isListening(this.host, this.port))) {
            if (child.exitCode !== null) throw new Error(`${this.command} ended: ${this.log}`);
            await sleep(50);
        }
    }

    /** Ends it as a power cut does. */
    public async kill(): Promise<void> {
        if (this.child?.exitCode !== null) return;
        const ended = once(this.child, "exit");
        this.child.kill("SIGKILL");
        await ended;
        this.child = undefined;
    }
}

/** What an S3 server shows: paths of PEM files, and the authority that signed, PEM. */
export interface ServerCertificate {
    readonly certificate: string;
    readonly privateKey: string;
    readonly authority: string;
}

/** A real S3 server over a folder, with one bucket. */
export class S3Server extends Service {
    private readonly bucket: string;

    private constructor(
        private readonly folder: string,
        server: string,
        host: string,
        port: number,
        private readonly keys: { readonly accessKey: string; readonly secretKey: string },
        private readonly tls: ServerCertificate | undefined,
    ) {
        super(
            server,
            [
                ...["--port", `${host}:${port}`, "--quiet", "--keep-alive"],
                ...(tls === undefined ? [] : ["--cert", tls.certificate, "--key", tls.privateKey]),
                ...["posix", join(folder, "data")],
            ],
            { ROOT_ACCESS_KEY: keys.accessKey, ROOT_SECRET_KEY: keys.secretKey },
            host,
            port,
        );
        this.bucket = "images";
    }

    public static async create(host: string, tls?: ServerCertificate): Promise<S3Server> {
        const server = (await must(BUILD, [])).trim();
        const folder = mkdtempSync(join(tmpdir(), "private-registry-s3-"));
        mkdirSync(join(folder, "data"));
        const keys = {
            accessKey: `AK${randomBytes(8).toString("hex").toUpperCase()}`,
            secretKey: randomBytes(20).toString("hex"),
        };
        const s3 = new S3Server(folder, server, host, await freePort(), keys, tls);
        await s3.start();
        await s3.makeBucket(s3.bucket);
        return s3;
    }

    /** The value of `storage` that leads here. */
    public config(fields: Record<string, unknown> = {}): { s3: Record<string, unknown> } {
        const endpoint = `${this.tls === undefined ? "http" : "https"}://${this.host}:${this.port}`;
        const trust = this.tls && { caCertificate: this.tls.authority };
        const place = { bucket: this.bucket, region: REGION, endpoint };
        return { s3: { ...place, ...this.keys, ...trust, ...fields } };
    }

    public secrets(): string[] {
        return Object.values(this.keys);
    }

    public client(fields: Record<string, unknown> = {}): Bucket {
        const { s3 } = read({ storage: this.config(fields) });
        if (s3 === undefined) throw new Error("the configuration has no bucket");
        return new Bucket(s3);
    }

    public async makeBucket(bucket: string): Promise<void> {
        const { status, body } = await this.client({ bucket }).ask("PUT", "");
        if (status !== 200) throw new Error(`bucket: ${status} ${body}`);
    }

    /** Keys of all objects, as they lie in the folder. */
    public keysOf(under = ""): string[] {
        const root = join(this.folder, "data", this.bucket, under);
        if (!existsSync(root)) return [];
        return readdirSync(root, { recursive: true, encoding: "utf8" })
            .filter((file) => !file.startsWith(".sgwtmp") && statSync(join(root, file)).isFile())
            .sort();
    }

    /** The bytes of an object. */
    public read(key: string): Buffer {
        return readFileSync(join(this.folder, "data", this.bucket, key));
    }

    public async dispose(): Promise<void> {
        await this.kill();
        rmSync(this.folder, { recursive: true, force: true });
    }
}

/** A real Redis with a password. */
export class RedisServer extends Service {
    public static async create(host: string): Promise<RedisServer> {
        const password = randomBytes(16).toString("hex");
        const port = await freePort();
        const limits = ["--maxmemory", "32mb", "--maxmemory-policy", "allkeys-lru"];
        const args = ["--bind", host, "--port", String(port), "--requirepass", password];
        const redis = new RedisServer(
            password,
            "redis-server",
            [...args, "--save", "", "--appendonly", "no", ...limits],
            host,
            port,
        );
        await redis.start();
        return redis;
    }

    private constructor(
        public readonly password: string,
        command: string,
        args: readonly string[],
        host: string,
        port: number,
    ) {
        super(command, args, {}, host, port);
    }

    public config(): Record<string, unknown> {
        return { address: `${this.host}:${this.port}`, password: this.password };
    }

    public async ask(...command: string[]): Promise<string> {
        const place = ["-h", this.host, "-p", String(this.port), "--no-auth-warning"];
        const env = { ...process.env, REDISCLI_AUTH: this.password };
        return (await run("redis-cli", [...place, ...command], { env })).stdout.trim();
    }

    public dispose(): Promise<void> {
        return this.kill();
    }
}

function isListening(host: string, port: number): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ host, port });
        socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
        socket.on("close", () => undefined);
        socket.unref();
        socket.once("connect", () => socket.destroy());
    });
}
