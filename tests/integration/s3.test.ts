import { docker, DockerUser, inspect } from "../support/docker";
import { run } from "../support/run";
import { RedisServer, S3Server, ServiceNetwork } from "../support/s3";
import { TestStack } from "../support/stack";

let network: ServiceNetwork;
let s3: S3Server;
let redis: RedisServer;
let stack: TestStack;
let user: DockerUser;

beforeAll(async () => {
    network = await ServiceNetwork.create();
    s3 = await S3Server.create(network.gateway);
    redis = await RedisServer.create(network.gateway);
    stack = await TestStack.create({ redis: redis.config() });
    user = new DockerUser();
});
afterAll(async () => {
    await stack.dispose();
    await user.dispose();
    await redis.dispose();
    await s3.dispose();
    await network.dispose();
});

test("smoke", async () => {
    const { s3: config } = s3.config();
    stack.configure({ redis: redis.config(), storage: s3.config(), metricsPort: stack.port + 1 });
    const up = await stack.up();
    console.log(up.printed);
    const { teams } = await stack.outputs();
    const registry = `localhost:${stack.port}`;
    await user.login(registry, "dev", teams.dev?.password ?? "");
    await user.makeImage(`${registry}/a/b:1`, 3_000_000);
    const digest = await user.push(`${registry}/a/b:1`);
    console.log(digest, s3.keysOf(), config?.bucket);
    console.log(await user.pullAnew(`${registry}/a/b:1`));
    console.log(await redis.ask("KEYS", "*"));
    const again = await stack.up("--expect-no-changes");
    console.log(again.printed);
    const { stdout } = await docker("logs", stack.containerName);
    console.log(stdout.slice(-3000));
    const vars = await run("curl", ["-sS", `http://127.0.0.1:${stack.port + 1}/debug/vars`]);
    console.log(
        vars.stdout.includes(s3.secrets()[1] ?? ""),
        vars.stdout.includes(redis.password),
        vars.stdout.slice(0, 300),
        vars.stdout.slice(-1000),
    );
    console.log(s3.log, redis.log.slice(-500), (await inspect(stack.containerName)).Id);
});
