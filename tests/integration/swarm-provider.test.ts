import { join } from "node:path";
import { docker } from "../support/docker";
import { REGISTRY_IMAGE } from "../support/images";
import { must } from "../support/run";
import { type TestStack, withStack } from "../support/stack";
import { runningTasks, type Task, tasksOf, withSwarm, words } from "../support/swarm";

const PROGRAM = join(__dirname, "../fixtures/swarm-registry.ts");
const DEV = "dev:$2y$05$QlTnIRBtxw7lT0y2ZiDSg.TZ1aPYcXoKP3TtVlDB7Tm7sm0f5gP2G";

/** The service of a stack, and what its program is told. */
class SwarmRegistry {
    public readonly service: string;
    public readonly gateway: string;
    private settings: Record<string, string | number> = {
        image: REGISTRY_IMAGE,
        replicas: 1,
        accounts: DEV,
    };

    public constructor(public readonly stack: TestStack) {
        this.service = `swarm-${stack.name}`;
        this.gateway = `${this.service}-gateway`;
        this.change({});
    }

    public change(settings: Record<string, string | number>): void {
        this.settings = { ...this.settings, ...settings };
        this.stack.configure(this.settings);
    }

    public async id(): Promise<string> {
        const [id] = await words("service", "inspect", "--format", "{{.ID}}", this.service);
        return id ?? "";
    }

    public secrets(): Promise<string[]> {
        const filter = `name=${this.service}-accounts`;
        return words("secret", "ls", "--filter", filter, "--format", "{{.Name}}");
    }

    /** Addresses that the service's name has for a container of no service on its network. */
    public async addresses(): Promise<string[]> {
        const lookup = ["busybox", "nslookup", `tasks.${this.service}`, "127.0.0.11"];
        const answer = await must("docker", ["exec", this.gateway, ...lookup]);
        const found = answer.split("Name:").slice(1).join("");
        return [...found.matchAll(/Address[ \d]*: (\S+)/g)].map(([, address]) => address ?? "");
    }

    /** Status of a request to one replica, without a login. */
    public async ask(address: string): Promise<string> {
        const { stderr } = await docker(
            ...["exec", this.gateway, "wget", "-S", "-O", "-", `http://${address}:5000/v2/`],
        );
        return /HTTP\/1.1 (\d+)/.exec(stderr)?.[1] ?? stderr;
    }
}

function withSwarmRegistry(test: (registry: SwarmRegistry) => Promise<void>): Promise<void> {
    return withSwarm(() =>
        withStack({}, (stack) => test(new SwarmRegistry(stack)), { program: PROGRAM }),
    );
}

/** Whether each task that took over ran before the one that it took over from had ended. */
function tookOverRunning(before: readonly Task[], after: readonly Task[]): boolean[] {
    return before.map(({ id, slot }) => {
        const old = after.find((task) => task.id === id);
        const next = after.find((task) => task.slot === slot && task.isWanted);
        if (old === undefined || old.isWanted || next?.state !== "running") {
            return false;
        }
        return old.state === "running" || next.since <= old.since;
    });
}

test("a registry lives in a swarm: up, three replicas, no changes, rolling updates, one replica, destroy", () =>
    withSwarmRegistry(async (registry) => {
        const { stack, service } = registry;
        await stack.up();
        const id = await registry.id();
        const [first] = await runningTasks(service);
        registry.change({ replicas: 3 });
        await stack.up();
        expect(await registry.id()).toBe(id);
        const before = await runningTasks(service);
        expect(before).toHaveLength(3);
        expect(before.map((task) => task.id)).toContain(first?.id);
        // A container of no service finds every replica by name, and each reads the accounts.
        const addresses = await registry.addresses();
        expect(new Set(addresses).size).toBe(3);
        expect(await Promise.all(addresses.map((address) => registry.ask(address)))).toEqual([
            "401",
            "401",
            "401",
        ]);

        await stack.up("--expect-no-changes");
        // What the daemon says of everything is still what the program says.
        await stack.must("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        await stack.up("--expect-no-changes");

        registry.change({ logLevel: "error" });
        await stack.up();
        expect(await registry.id()).toBe(id);
        const after = await tasksOf(service);
        expect(tookOverRunning(before, after)).toEqual([true, true, true]);
        const now = after.filter(({ isWanted }) => isWanted);
        expect(now.map(({ env }) => env.includes("REGISTRY_LOG_LEVEL=error"))).toEqual([
            true,
            true,
            true,
        ]);

        // A secret's name has the hash of its content, so that the service can go over to the new one.
        const [secret] = await registry.secrets();
        registry.change({ accounts: DEV.replace("dev:", "ops:") });
        await stack.up();
        expect(await registry.id()).toBe(id);
        const secrets = await registry.secrets();
        expect(secrets).toHaveLength(1);
        expect(secrets).not.toContain(secret);

        const kept = (await runningTasks(service)).map((task) => task.id);
        registry.change({ replicas: 1 });
        await stack.up();
        const [last, ...others] = (await runningTasks(service)).map((task) => task.id);
        expect(others).toEqual([]);
        expect(kept).toContain(last);
        await stack.up("--expect-no-changes");
        expect(await registry.addresses()).toHaveLength(1);

        await stack.destroy();
        expect(await words("service", "ls", "--quiet", "--filter", `name=${service}`)).toEqual([]);
        expect(await registry.secrets()).toEqual([]);
        expect(await words("network", "ls", "--quiet", "--filter", `name=${service}`)).toEqual([]);
        expect(await words("ps", "--all", "--quiet", "--filter", `name=${service}`)).toEqual([]);
    }));

// Of a failed task the official provider says nothing but that the service failed.
const testOfReasons = process.env.PULUMIW_ENGINE_KIND === "offline" ? test : test.skip;

testOfReasons(
    "a service that does not come up, and an update that fails, say what the task says",
    () =>
        withSwarmRegistry(async (registry) => {
            const { stack, service } = registry;
            registry.change({ address: ":no-port", timeout: "30s" });
            const failed = await stack.pulumi(["up", "--yes", "--skip-preview"]);
            expect(failed.code).not.toBe(0);
            expect(failed.printed).toContain(
                `service ${service} did not converge after 30s: 0 of 1 tasks run`,
            );
            expect(failed.printed).toContain("non-zero exit (1)");
            expect(await words("service", "ls", "--quiet", "--filter", `name=${service}`)).toEqual(
                [],
            );

            registry.change({ address: ":5000", timeout: "60s" });
            await stack.up();
            const working = await runningTasks(service);

            for (const [failureAction, outcome] of [
                ["rollback", "service rollback completed"],
                ["pause", "service update paused"],
            ] as const) {
                registry.change({ failureAction, address: ":no-port" });
                const { code, printed } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
                expect(code).not.toBe(0);
                expect(printed).toContain(outcome);
                expect(printed).toContain("non-zero exit (1)");
                // The old replica is stopped only when the new one runs.
                const running = await runningTasks(service);
                expect(running.map(({ id }) => id)).toEqual(working.map(({ id }) => id));
            }

            registry.change({ address: ":5000" });
            await stack.up();
            await stack.up("--expect-no-changes");
            expect(await registry.ask((await registry.addresses())[0] ?? "")).toBe("401");
        }),
);
