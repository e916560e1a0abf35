import { ApiImages } from "../support/api-images";
import { S3Server, ServiceNetwork } from "../support/s3";
import { withStack } from "../support/stack";
import { status } from "../support/status";
import type { Status } from "../support/status-example";
import { withSwarm } from "../support/swarm";

test("of replicas in a Swarm and of a bucket it is said what can be seen, and what cannot", async () => {
    const network = await ServiceNetwork.create();
    const s3 = await S3Server.create(network.gateway);
    try {
        await withSwarm(() =>
            withStack({ swarm: true, replicas: 2, storage: s3.config() }, async (stack) => {
                await stack.up();
                const images = new ApiImages(await stack.outputs());
                await images.image("team/app", "1", { layer: Buffer.alloc(50_000, "layer") });

                const { code, stdout, stderr } = await status(stack, []);
                expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
                for (const line of [
                    /^All is as it was set up\.$/m,
                    /^ {2}version +not known \(image registry:3/m,
                    /^ {2}replicas +2 of 2 run, as a service of a Swarm$/m,
                    /^ {2}storage +the bucket \S+ at http/m,
                    /^ {2}gateway +ok +running/m,
                    /^ {2}dev +dev +everything +.* UTC \(push\)$/m,
                    /^ {2}team\/app +5\d\.\d kB +1: 1$/m,
                    /^ {2}images +the bucket \S+ at \S+ +\? +\? +\?$/m,
                    /^ {2}Of the replicas, which may be on other machines, only their number is seen/m,
                    /^ {2}How full a bucket is, only the bucket tells/m,
                ]) {
                    expect(stdout).toMatch(line);
                }
                // Asked in the name of the account, which is no use of it.
                const uses = async () =>
                    (JSON.parse((await status(stack, ["--json", "-"])).stdout) as Status).accounts
                        .list;
                expect(await uses()).toEqual(await uses());
            }),
        );
    } finally {
        await s3.dispose();
        await network.dispose();
    }
});
