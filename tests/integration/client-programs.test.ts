import { writeFileSync } from "node:fs";
import { type ClientHost, ClientNetwork } from "../support/client-host";
import {
    ALL_PROGRAMS,
    type ClientProgram,
    PROGRAMS,
    type Step,
    STEPS,
} from "../support/client-programs";
import {
    clientsOf,
    type Hosts,
    startBuildKit,
    startHosts,
    stopBuildKit,
} from "../support/client-programs-hosts";
import { fleet, REGISTRY_NAME } from "../support/fleet";
import { MANIFESTS } from "../support/images";
import { ociArchive } from "../support/oci-layout";
import { ask, type Question } from "../support/registry-client";
import type { Result } from "../support/run";
import { type Outputs, TestStack } from "../support/stack";

/** The programs that people use registries with, each on a host that the stack has set up, and none with settings of its own. */

const INDEXES =
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";
/** Where the table of what was tried goes, for benchmarks/clients.mjs. */
const TABLE = process.env.CLIENT_PROGRAMS_TABLE;

let network: ClientNetwork;
let hosts: Hosts;
const table: Record<string, string>[] = [];

beforeAll(async () => {
    network = await ClientNetwork.create();
    hosts = await startHosts(network);
}, 1_800_000);

afterAll(async () => {
    await network.dispose();
    if (TABLE !== undefined) writeFileSync(TABLE, JSON.stringify(table));
});

const STACKS = {
    "a registry alone": {},
    "a gateway with permissions": {
        gateway: true,
        teams: {
            dev: { push: ["team/*"], delete: ["team/*"] },
            web: { pull: ["team/*"] },
        },
    },
};

describe.each(Object.entries(STACKS))("%s", (kind, config) => {
    let stack: TestStack;
    let outputs: Outputs;

    beforeAll(async () => {
        stack = await TestStack.create(fleet(network, clientsOf(hosts), config));
        await stack.up();
        outputs = await stack.outputs();
        if (ALL_PROGRAMS) await startBuildKit(hosts.current);
    });
    afterAll(async () => {
        if (ALL_PROGRAMS) await stopBuildKit(hosts.current);
        await stack.dispose();
    });

    const head = (path: string) => {
        const question: Question = { team: "dev", method: "HEAD", hostname: REGISTRY_NAME };
        const address = network.gateway;
        return ask(outputs, path, { ...question, address, accept: `${MANIFESTS}, ${INDEXES}` });
    };

    test.each(PROGRAMS.map((program) => [program.name, program] as const))(
        "%s",
        async (name, program) => {
            const user = new ProgramUser(program, hosts[program.place], outputs);
            const row: Record<string, string> = { registry: kind, program: name };
            table.push(row);
            row.version = await user.version();
            await user.begin();

            row["without login"] = "failed";
            const early = await user.run("push", { isLoggedIn: false });
            expect([early.code === 0, early.stderr + early.stdout]).toEqual([
                false,
                expect.stringMatching(
                    /401|unauthorized|authentication required|no basic auth|credential not found/i,
                ),
            ]);
            row["without login"] = "refused";

            for (const step of STEPS) {
                if (program.steps[step] === undefined) {
                    row[step] = "-";
                    continue;
                }
                row[step] = "failed";
                const { code, stdout, stderr } = await user.run(step);
                expect([step, code, code === 0 ? "" : stdout + stderr]).toEqual([step, 0, ""]);
                const pushed = await head(`/v2/${user.repository}/manifests/1`);
                if (step === "push") user.digest = String(pushed.headers["docker-content-digest"]);
                if (step === "list tags") expect(stdout).toMatch(/(^|[\s"])1("|\s|$)/m);
                if (step !== "login") {
                    expect([step, pushed.status]).toEqual([step, step === "delete" ? 404 : 200]);
                }
                row[step] = "done";
            }

            if ("gateway" in config) {
                row["not its own"] = "failed";
                const other = await user.run("push", { repository: `other/${user.name}` });
                expect([other.code === 0, other.stderr + other.stdout]).toEqual([
                    false,
                    expect.stringMatching(/denied|403|forbidden|permissions of this account/i),
                ]);
                row["not its own"] = "refused";
            }
        },
    );
});

/** Somebody who uses a program on a host. */
class ProgramUser {
    public readonly name: string;
    public readonly repository: string;
    public digest = "";

    public constructor(
        private readonly program: ClientProgram,
        private readonly host: ClientHost,
        private readonly outputs: Outputs,
    ) {
        this.name = program.name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
        this.repository = `team/${this.name}`;
    }

    public async version(): Promise<string> {
        const { stdout } = await this.host.run(this.program.version);
        return stdout.trim().replace(/\s+/g, " ");
    }

    /** Forgets all logins, and brings an image there. */
    public async begin(): Promise<void> {
        await this.host.must(
            "rm -rf /root/.docker/config.json /root/.regctl /run/containers/0/auth.json /run/user/0/containers/auth.json",
        );
        const layout = `/tmp/${this.name}-layout`;
        const unpack = `cat >${layout}.tar && rm -rf ${layout} && mkdir ${layout} && tar -x -C ${layout} -f ${layout}.tar`;
        const { code, stderr } = await this.host.run(unpack, {
            input: ociArchive(`local/${this.name}:1`),
        });
        if (code !== 0) throw new Error(stderr);
    }

    public run(
        step: Step,
        { isLoggedIn = true, repository = this.repository } = {},
    ): Promise<Result> {
        const password = isLoggedIn ? (this.outputs.teams.dev?.password ?? "") : "wrong";
        const variables = {
            registry: this.outputs.registry,
            image: `${this.outputs.registry}/${repository}`,
            digest: this.digest,
            name: this.name,
            layout: `/tmp/${this.name}-layout`,
        };
        const set = Object.entries(variables).map(([key, value]) => `${key}='${value}'; `);
        return this.host.run(`${set.join("")}${this.program.steps[step] ?? "false"}`, {
            input: `${password}\n`,
        });
    }
}
