import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { trustScript } from "../../lib/trust-script";
import { type ClientHost, ClientNetwork } from "../support/client-host";
import { fleet, REGISTRY_NAME } from "../support/fleet";
import { npmRun } from "../support/npm-run";
import { type Result, run } from "../support/run";
import { type Outputs, TestStack } from "../support/stack";
import { PARTS } from "../support/team-access";

/** What a team is given, used for what it is for, on hosts that are no clients of the stack. */

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;

let network: ClientNetwork;
let docker: ClientHost;
let podman: ClientHost;
let containerd: ClientHost;
let stack: TestStack | undefined;
let outputs: Outputs;
let image: string;
let digest: string;
let password: string;
/** What `--output` wrote for the team web. */
let folder: string;

beforeAll(async () => {
    network = await ClientNetwork.create();
    const kinds = ["docker", "podman", "containerd"] as const;
    const adding = Promise.all(kinds.map((kind) => network.addHost(kind)));
    stack = await TestStack.create(fleet(network, {}, { teams: ["dev", "web"] }));
    await stack.up();
    outputs = await stack.outputs();
    password = outputs.teams.web?.password ?? "";
    image = `${outputs.registry}/team/app:1`;
    folder = stack.path("web");
    expect(await handover("web", "--output", folder)).toMatchObject({ code: 0, stderr: "" });
    [docker, podman, containerd] = (await adding) as [ClientHost, ClientHost, ClientHost];
    // As their DNS would; on the other one that is left to the script.
    for (const host of [podman, containerd]) await host.must(KNOWN());
    await give(podman, "/root/push");
    digest = await podman.must(
        `head -c 64 /dev/urandom >/tmp/content && tar -c -C /tmp content | podman import - ${image} >&2 &&
        podman push --cert-dir /root/push --authfile /root/push/auth.json --digestfile /tmp/digest ${image} >&2 &&
        podman image rm ${image} >&2 && rm -r /root/push && cat /tmp/digest`,
    );
});

afterAll(async () => {
    await stack?.dispose();
    await network.dispose();
});

const KNOWN = () => `echo '${network.gateway} ${REGISTRY_NAME}' >>/etc/hosts`;

function handover(...args: string[]): Promise<Result> {
    const env = { ...stack?.environment, INIT_CWD: stack?.folder };
    return npmRun("handover", args, { cwd: stack?.folder, env });
}

function file(name: string): string {
    return readFileSync(join(folder, name), "utf8");
}

/** Brings files of the hand-over to a host; all of them when none is named. */
async function give(host: ClientHost, path: string, names = readdirSync(folder)): Promise<void> {
    const { stdout } = await run("tar", ["-c", "-C", folder, "--mode=u=rwX,go=rX", ...names]);
    const unpacked = await host.run(`mkdir -p ${path} && tar -x -C ${path}`, { input: stdout });
    expect(unpacked.code).toBe(0);
}

/** Runs a command that asks the registry. Docker looks at /etc/hosts anew only every five seconds, as Go does. */
async function ask(host: ClientHost, command: string, options = {}): Promise<string> {
    for (let tries = 0; ; tries++) {
        const { stdout, stderr } = await host.run(command, options);
        if (tries === 8 || !stderr.includes("no such host")) return stdout + stderr;
        await sleep(1000);
    }
}

/** Calls while Docker on its host trusts the registry, as ca.crt's explanation says. */
async function trusting(test: () => Promise<void>): Promise<void> {
    const certs = `/etc/docker/certs.d/${outputs.registry}`;
    await docker.must(`cp -p /etc/hosts /tmp/hosts && ${KNOWN()} && mkdir -p '${certs}'`);
    await give(docker, certs, ["ca.crt"]);
    try {
        await test();
    } finally {
        await docker.must(
            `cat /tmp/hosts >/etc/hosts; rm -r /etc/docker/certs.d /root/.docker; docker image rm --force ${image}`,
        );
    }
}

describe("npm run handover", () => {
    it("shows the teams, and of a team all but the password", async () => {
        const teams = await handover();
        expect(teams.stdout).toMatch(/^TEAM +USER NAME\ndev +dev\nweb +web\n/);
        const shown = await handover("web");
        for (const part of [
            ...[outputs.registry, outputs.url, outputs.caCertificate, ...outputs.caFingerprints],
            ...[network.gateway, "User name  web\n", "Password   [secret]"],
            `Log in     printf '%s' [secret] | docker login --username web`,
            ...["hosts.toml", "buildkitd.toml", "gitlab-ci.yml"].map(file),
        ]) {
            expect(shown.stdout).toContain(part);
        }
        const json = await handover("web", "--json");
        expect(JSON.parse(json.stdout)).toMatchObject({
            registry: outputs.registry,
            username: "web",
            password: "[secret]",
            login: "[secret]",
            files: { "ca.crt": outputs.caCertificate, "pull-secret.yaml": "[secret]" },
        });
        for (const { stdout, stderr } of [teams, shown, json]) {
            for (const form of formsOf(password)) expect(stdout + stderr).not.toContain(form);
        }
    });

    it("shows the password when it is asked for", async () => {
        const { stdout } = await handover("web", "--show-secrets");
        expect(stdout).toContain(`Password   ${password}\n`);
        expect(stdout).toContain(`Log in     ${outputs.teams.web?.login ?? ""}\n`);
        for (const name of ["config.json", "auth.json", "pull-secret.yaml", "registries.yaml"]) {
            expect(stdout).toContain(file(name));
        }
        const asked = await handover("web", "--show-secrets", "--json");
        const json = JSON.parse(asked.stdout) as { files: Record<string, string> };
        expect(json).toMatchObject(outputs.teams.web ?? {});
        expect(Object.keys(json.files).sort()).toEqual(readdirSync(folder).sort());
    });

    it("writes a folder for its owner alone, brings it up to date, and takes no other", async () => {
        const modes = () =>
            readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
        expect(statSync(folder).mode & 0o777).toBe(0o700);
        expect(new Set(modes())).toEqual(new Set([0o600]));
        expect(file("password")).toBe(password);

        chmodSync(folder, 0o755);
        writeFileSync(join(folder, "ca.crt"), "old");
        chmodSync(join(folder, "ca.crt"), 0o644);
        writeFileSync(join(folder, "contexts"), "of Docker's");
        expect(await handover("web", "--output", "web")).toMatchObject({ code: 0 });
        expect(file("ca.crt")).toBe(outputs.caCertificate);
        expect(file("contexts")).toBe("of Docker's");
        expect(statSync(folder).mode & 0o777).toBe(0o700);
        expect(statSync(join(folder, "ca.crt")).mode & 0o777).toBe(0o600);

        const theirs = join(folder, "../theirs");
        mkdirSync(theirs);
        writeFileSync(join(theirs, "README.txt"), "mine");
        const { code, stdout, stderr } = await handover("web", "--output", "theirs");
        expect([code, stdout]).toEqual([1, ""]);
        expect(stderr).toMatch(
            /--output .*theirs is refused: it has files in it that are not from/,
        );
        expect(readdirSync(theirs)).toEqual(["README.txt"]);
    });

    it("knows no other team", async () => {
        expect(await handover("ops")).toEqual({
            code: 1,
            stdout: "",
            stderr: 'handover: no such team: "ops"; the teams are dev, web\n',
        });
    });
});

describe("the files", () => {
    it("let Docker pull: config.json, and the same from the pull secret of Kubernetes", () =>
        trusting(async () => {
            await give(docker, "/tmp/web", ["config.json"]);
            expect(await ask(docker, `docker pull ${image}`)).toContain("no basic auth");
            const withFolder = await ask(docker, `DOCKER_CONFIG=/tmp/web docker pull ${image}`);
            expect(withFolder).toContain(digest);

            const secret = parse(file("pull-secret.yaml")) as PullSecret;
            expect(secret).toEqual({
                apiVersion: "v1",
                kind: "Secret",
                metadata: { name: "private-registry-web" },
                type: "kubernetes.io/dockerconfigjson",
                data: { ".dockerconfigjson": expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) },
            });
            await docker.must(`rm -r /tmp/web; docker image rm ${image}; mkdir /tmp/pod`);
            await docker.run("base64 -d >/tmp/pod/config.json", {
                input: secret.data[".dockerconfigjson"],
            });
            const asPod = await ask(docker, `docker --config /tmp/pod pull ${image}`);
            expect(asPod).toContain(digest);
            await docker.must("rm -r /tmp/pod");
        }));

    (hasKubectl ? it : it.skip)("make the same pull secret as kubectl does", async () => {
        const made = await run("kubectl", [
            ...["create", "secret", "docker-registry", "private-registry-web"],
            ...["--from-file", `.dockerconfigjson=${join(folder, "config.json")}`],
            ...["--dry-run=client", "--output", "json"],
        ]);
        const ofKubectl = JSON.parse(made.stdout) as PullSecret;
        delete ofKubectl.metadata.creationTimestamp;
        const ours = parse(file("pull-secret.yaml")) as PullSecret;
        const [decoded, wanted] = [ours, ofKubectl].map(({ data, ...others }) => ({
            ...others,
            config: Buffer.from(data[".dockerconfigjson"], "base64").toString().trimEnd(),
        }));
        expect(decoded).toEqual(wanted);
    });

    it("let Podman and Skopeo pull: auth.json and ca.crt, as a user without root", async () => {
        const user = { user: "guest" };
        await give(podman, "/home/guest/web", ["auth.json", "ca.crt"]);
        const inspect = `REGISTRY_AUTH_FILE=$HOME/web/auth.json skopeo inspect docker://${image}`;
        const command = `export HOME=/home/guest; ${inspect}`;
        expect(await ask(podman, command, user)).toMatch(/x509: certificate signed by unknown/);
        const certs = `/home/guest/.config/containers/certs.d/${outputs.registry}`;
        await podman.must(`mkdir -p '${certs}' && cp /home/guest/web/ca.crt '${certs}'`);
        expect(await ask(podman, command, user)).toContain(`"Digest": "${digest}"`);

        await podman.must(`cp -r /home/guest/.config /root/`);
        const pull = `podman pull --authfile /home/guest/web/auth.json ${image}`;
        expect(await podman.run(pull)).toMatchObject({ code: 0 });
        expect(await podman.must(`podman image inspect --format '{{.Digest}}' ${image}`)).toContain(
            digest,
        );
        await podman.must(`podman image rm ${image}; rm -r /root/.config /home/guest/*`);
        await podman.must("rm -r /home/guest/.config");
    });

    it("let containerd pull: hosts.toml with ca.crt beside it", async () => {
        const certs = `/tmp/certs.d/${outputs.registry}`;
        const pull = `read -r password; ctr --debug images pull --hosts-dir /tmp/certs.d --user "web:$password" ${image} && ctr images list`;
        const input = { input: `${password}\n` };
        expect(await ask(containerd, pull, input)).toMatch(/x509: certificate signed by unknown/);
        await give(containerd, `'${certs}'`, ["hosts.toml", "ca.crt"]);
        const pulled = await ask(containerd, pull, input);
        expect(pulled).toContain(digest);
        // It would take the certificate also without a file that it understands.
        expect(pulled).not.toContain("failed to decode");
    });

    it("let a job of GitLab's log in to a Docker that was told of the authority before", async () => {
        const { variables, default: defaults } = parse(file("gitlab-ci.yml")) as GitlabCi;
        const [{ command }] = defaults.services;
        const beforeScript = defaults.before_script.join("\n");
        const { REGISTRY, REGISTRY_USERNAME } = variables;
        await docker.must(
            `cp -p /etc/hosts /tmp/hosts && ${KNOWN()} && mkdir -p /tmp/ci &&
            printf '#!/bin/sh\\necho daemon started\\n' >/tmp/ci/dockerd-entrypoint.sh && chmod +x /tmp/ci/*`,
        );
        await give(docker, "/tmp/ci", ["ca.crt", "password"]);
        const job = (commands: string) =>
            ask(
                docker,
                `export PATH=/tmp/ci:$PATH HOME=/tmp/ci REGISTRY='${REGISTRY}' REGISTRY_USERNAME='${REGISTRY_USERNAME}' \
                    REGISTRY_CA="$(cat /tmp/ci/ca.crt)" REGISTRY_PASSWORD="$(cat /tmp/ci/password)"
                ${commands}`,
            );
        try {
            expect(await job(beforeScript)).toMatch(/x509: certificate signed by unknown/);
            const service = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
            expect(await job(service)).toBe("daemon started\n");
            expect(await job(`${beforeScript}\ndocker pull ${image}`)).toContain(digest);
        } finally {
            await docker.must(
                `cat /tmp/hosts >/etc/hosts; rm -rf /tmp/ci /etc/docker/certs.d; docker image rm --force ${image}`,
            );
        }
    });
});

describe("trust-and-login.sh", () => {
    const run = (host: ClientHost, args = "", options = {}) =>
        host.run(`cd "$HOME" && sh /opt/web/trust-and-login.sh ${args}`, options);

    beforeEach(async () => {
        for (const host of [docker, podman]) {
            await host.must("rm -rf /opt/web");
            await give(host, "/opt/web", ["trust-and-login.sh"]);
        }
    });

    it("makes a Docker host trust the registry, and leaves it as it was", async () => {
        await docker.must(`cp -p /etc/hosts /tmp/hosts && ${KNOWN()}`);
        expect(await ask(docker, `docker pull ${image}`)).toMatch(/x509: certificate signed by/);
        await docker.must("cat /tmp/hosts >/etc/hosts");
        const before = await docker.listing();

        expect(await run(docker)).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("no password: run this on a terminal"),
        });
        expect(await run(docker, "", { user: "guest", input: password })).toMatchObject({
            code: 1,
        });
        expect(await run(docker, "--password-stdin", { user: "guest", input: password })).toEqual(
            expect.objectContaining({
                code: 1,
                stderr: expect.stringContaining("guest is not root"),
            }),
        );
        expect(await docker.listing()).toBe(before);

        const refused = await run(docker, "--password-stdin", { input: "wrong" });
        expect(refused.stderr).toMatch(/^trust-and-login: docker login: .* 401 Unauthorized/);
        const first = await run(docker, "--password-stdin", { input: password });
        expect(first).toMatchObject({ code: 0, stderr: "" });
        expect(first.stdout).toMatch(/^docker: logged in to .* as web$/m);
        expect(await ask(docker, `docker pull ${image}`)).toContain(digest);

        const after = await docker.listing();
        expect(after).not.toBe(before);
        // This time from the file beside it.
        await give(docker, "/opt/web", ["password"]);
        const second = await run(docker);
        expect(second).toMatchObject({ code: 0, stderr: "" });
        expect(second.stdout).toMatch(/^docker: \/etc\/docker\/certs\.d\/.*\/ca\.crt unchanged$/m);
        expect(await docker.listing()).toBe(after);

        const removed = await run(docker, "--remove");
        expect(removed).toMatchObject({ code: 0, stderr: "" });
        expect(await docker.listing()).toBe(before);
        expect(await docker.must("cat /root/.docker/config.json")).not.toContain('auth"');
        expect(await docker.run("ls /var/lib/private-registry")).not.toMatchObject({ code: 0 });
        expect(await run(docker, "--remove")).toMatchObject({ code: 0 });
        for (const { stdout, stderr } of [refused, first, second, removed]) {
            for (const form of formsOf(password)) expect(stdout + stderr).not.toContain(form);
        }
        await docker.must(`rm -r /root/.docker; docker image rm ${image}`);
    });

    it("becomes root with sudo only for what is root's, and asks on a terminal without an echo", async () => {
        await docker.must("usermod --append --groups docker ops");
        const before = await docker.listing();
        // What the commands are given is noted: none gets the password as an argument.
        await docker.must(
            `mkdir /tmp/noted && for tool in docker sudo sh; do
                printf '#!/bin/sh\\necho "$0 $*" >>/tmp/noted/log\\nexec %s "$@"\\n' "$(command -v $tool)" >/tmp/noted/$tool
            done && chmod 777 /tmp/noted && chmod 755 /tmp/noted/*`,
        );
        // Docker's terminal for the test: the password is typed only once it is asked for.
        const typed = await docker.run(
            `touch /tmp/noted/screen && chmod 666 /tmp/noted/screen
            { until grep -q 'Password of web' /tmp/noted/screen; do sleep 0.1; done; cat; } |
                PATH=/tmp/noted:$PATH script --quiet --flush --return --command 'sh /opt/web/trust-and-login.sh' /tmp/noted/screen`,
            { user: "ops", input: `${password}\n` },
        );
        expect(typed.stdout).toContain(`docker: logged in to ${outputs.registry} as web`);
        expect(typed.stdout + (await docker.must("cat /tmp/noted/screen"))).not.toContain(password);
        const log = await docker.must("cat /tmp/noted/log");
        expect(log).toMatch(
            /sudo -n sh -s apply\n(.*\n)*.*docker login --username web --password-stdin/,
        );
        expect(log).not.toContain(password);
        const pulled = await ask(docker, `HOME=/home/ops docker pull ${image}`, { user: "ops" });
        expect(pulled).toContain(digest);

        expect(await run(docker, "--remove", { user: "ops" })).toMatchObject({ code: 0 });
        expect(await docker.listing()).toBe(before);
        await docker.must(`rm -r /tmp/noted /home/ops/.docker; docker image rm ${image}`);
    });

    it("sets Podman up for a user alone, without root", async () => {
        // As a session of the user would have it.
        const session = "export XDG_RUNTIME_DIR=/run/user/guest HOME=/home/guest";
        await podman.must("install --directory --owner guest --mode 700 /run/user/guest");
        const user = { user: "guest", input: password };
        const asUser = (command: string) => ask(podman, `${session}; ${command}`, user);
        const trustAndLogin = (option: string) =>
            asUser(`sh /opt/web/trust-and-login.sh ${option} && echo done`);
        const system = await podman.listing();

        const first = await trustAndLogin("--password-stdin");
        expect(first).toMatch(/^trust: .*\/\.config\/containers\/certs\.d\/.* written\n/);
        expect(first).toMatch(/podman: logged in to .* as web\ndone\n$/);
        const inspect = `skopeo inspect docker://${image}`;
        expect(await asUser(inspect)).toContain(`"Digest": "${digest}"`);
        expect(await trustAndLogin("--password-stdin")).toMatch(/^trust: .* unchanged\n/);
        expect(await trustAndLogin("--remove")).toMatch(/\.crt removed\ndone\n$/);
        expect(await asUser(inspect)).toMatch(/x509: certificate signed by unknown/);
        expect(await podman.run("find /home/guest/.config | grep certs.d")).toMatchObject({
            stdout: "",
        });
        expect(await podman.must("cat /run/user/guest/containers/auth.json")).not.toContain(
            'auth"',
        );
        expect(await podman.listing()).toBe(system);
    });

    it("leaves a host alone that is a client of the stack", async () => {
        const trust = trustScript(
            {
                stack: "private-registry-client",
                hostname: REGISTRY_NAME,
                port: stack?.port ?? 0,
                registry: outputs.registry,
                address: network.gateway,
                targets: ["docker"],
                proofRequired: true,
                bundle: outputs.caCertificate,
            },
            PARTS.trust,
        );
        expect(await docker.run("sh -s apply", { input: trust })).toMatchObject({ code: 0 });
        const before = await docker.listing();
        const first = await run(docker, "--password-stdin", { input: password });
        expect(first).toMatchObject({ code: 0 });
        expect(first.stdout).toContain("set up as a client host");
        expect(await ask(docker, `docker pull ${image}`)).toContain(digest);
        expect(await run(docker, "--remove")).toMatchObject({ code: 0 });
        expect(await docker.listing()).toBe(before);
        await docker.run("sh -s remove", { input: trust });
        await docker.must(`rm -r /root/.docker; docker image rm ${image}`);
    });

    it("does for a job of GitHub's what its steps say", async () => {
        const { steps } = parse(file("github-actions.yml")) as { steps: { run?: string }[] };
        const command = steps.flatMap((step) => step.run ?? []).join("\n");
        const job = await docker.run(
            `cd /opt/web && read -r REGISTRY_PASSWORD && export REGISTRY_PASSWORD && ${command}`,
            { input: `${password}\n` },
        );
        expect(job.stdout).toContain(`docker: logged in to ${outputs.registry} as web`);
        expect(await ask(docker, `docker pull ${image}`)).toContain(digest);
        expect(await run(docker, "--remove")).toMatchObject({ code: 0 });
        await docker.must(`rm -r /root/.docker; docker image rm ${image}`);
    });
});

interface PullSecret {
    readonly metadata: { creationTimestamp?: unknown };
    readonly data: { readonly ".dockerconfigjson": string };
}

interface GitlabCi {
    readonly variables: { readonly REGISTRY: string; readonly REGISTRY_USERNAME: string };
    readonly default: {
        readonly services: readonly [{ readonly command: readonly string[] }];
        readonly before_script: readonly string[];
    };
}

/** The password as it may turn up. */
function formsOf(secret: string): string[] {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const { dockerConfigJson = "" } = outputs.teams.web ?? {};
    return [secret, base64(`web:${secret}`), base64(dockerConfigJson)];
}
