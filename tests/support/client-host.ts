import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { canonicalAddress } from "../../lib/address";
import { docker } from "./docker";
import { must, type Result, run } from "./run";

/** What a client host has: only SSH, an Alpine-like userland, Docker, Podman, or containerd. */
export type HostKind = "light" | "busybox" | "docker" | "podman" | "containerd";

const LABEL = "private-registry-test=client-host";
/** What a Docker daemon needs inside a container that is not privileged. */
const NESTED = [
    ..."SYS_ADMIN NET_ADMIN NET_RAW MKNOD SYS_PTRACE SYS_CHROOT DAC_READ_SEARCH"
        .split(" ")
        .flatMap((capability) => ["--cap-add", capability]),
    ...["seccomp", "apparmor"].flatMap((kind) => ["--security-opt", `${kind}=unconfined`]),
    ...["--env", "OWN_FILES=1"],
];
const RUN_OPTIONS: Readonly<Record<HostKind, readonly string[]>> = {
    light: ["--cap-add", "NET_ADMIN"],
    busybox: ["--cap-add", "NET_ADMIN"],
    docker: [...NESTED, "--volume", "/var/lib/docker"],
    podman: [...NESTED, "--volume", "/var/lib/containers"],
    containerd: [...NESTED, "--volume", "/var/lib/containerd"],
};
const READY: Readonly<Record<HostKind, string>> = {
    light: "true",
    busybox: "true",
    docker: "docker info",
    podman: "podman --version",
    containerd: "ctr version",
};

/** A key pair for one test file. Its folder goes when the process ends. */
export interface KeyPair {
    readonly privateKey: string;
    readonly privateKeyPath: string;
    readonly publicKey: string;
}

/** A Docker network with client hosts. A registry that they shall reach is bound to its gateway. */
export class ClientNetwork {
    private readonly keyFolders: string[] = [];
    public readonly key = this.makeKeyPair();
    /** What the user `typist` logs in with. */
    public readonly password = randomBytes(12).toString("hex");
    private readonly hosts: ClientHost[] = [];

    private constructor(
        public readonly name: string,
        public readonly gateway: string,
        public readonly gatewayIpv6: string | undefined,
    ) {}

    public static async create({ ipv6 = false } = {}): Promise<ClientNetwork> {
        const id = randomBytes(4).toString("hex");
        const name = `private-registry-clients-${id}`;
        const subnet = `fd00:${id.slice(0, 4)}:${id.slice(4)}::/64`;
        const options = ipv6 ? ["--ipv6", "--subnet", subnet] : [];
        await must("docker", ["network", "create", "--label", LABEL, ...options, name]);
        const format = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}\n{{end}}";
        const lines = (await must("docker", ["network", "inspect", "--format", format, name]))
            .trim()
            .split("\n");
        const gateways = lines.map((line) => line.split(" ")[0]?.replace(/\/\d+$/, "") ?? "");
        return new ClientNetwork(
            name,
            gateways.find((address) => address.includes(".")) ?? "",
            ipv6 ? canonicalAddress(`fd00:${id.slice(0, 4)}:${id.slice(4)}::1`) : undefined,
        );
    }

    /** Makes a key pair as ssh-keygen does, with a passphrase when one is given. Its files go with the network. */
    public makeKeyPair(passphrase = ""): KeyPair {
        const folder = mkdtempSync(join(tmpdir(), "private-registry-key-"));
        this.keyFolders.push(folder);
        const privateKeyPath = join(folder, "id_ed25519");
        execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", privateKeyPath]);
        return {
            privateKey: readFileSync(privateKeyPath, "utf8"),
            privateKeyPath,
            publicKey: readFileSync(`${privateKeyPath}.pub`, "utf8").trim(),
        };
    }

    public async addHost(kind: HostKind): Promise<ClientHost> {
        const host = await ClientHost.start(kind, this);
        this.hosts.push(host);
        return host;
    }

    /** Removes the keys, the hosts, then the network. */
    public async dispose(): Promise<void> {
        this.keyFolders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
        const found = await docker(
            ...["ps", "--all", "--quiet", "--filter", `network=${this.name}`, "--filter"],
            `label=${LABEL}`,
        );
        const ids = [...new Set([...this.hosts.map(({ name }) => name), ...lines(found.stdout)])];
        await Promise.all(ids.map((id) => docker("rm", "--force", "--volumes", id)));
        // Docker may take a container off a network some time after it has removed it.
        for (let tries = 0; tries < 50; tries++) {
            if ((await docker("network", "rm", this.name)).code === 0) return;
            await sleep(200);
        }
        await must("docker", ["network", "rm", this.name]);
    }
}

/** A container that is logged in to over SSH, as a host would be. */
export class ClientHost {
    private constructor(
        public readonly name: string,
        public readonly kind: HostKind,
        public readonly address: string,
        public readonly ipv6: string | undefined,
        /** Public key as in `known_hosts`, without the name. */
        public hostKey: string,
        private readonly gateway: string,
    ) {}

    public static async start(kind: HostKind, network: ClientNetwork): Promise<ClientHost> {
        const image = await must(join(__dirname, "client-host/image"), [kind]);
        const name = `private-registry-client-${randomBytes(4).toString("hex")}`;
        await must("docker", [
            ...["run", "--detach", "--name", name, "--hostname", name, "--label", LABEL],
            ...["--network", network.name, ...RUN_OPTIONS[kind]],
            ...["--env", `AUTHORIZED_KEY=${network.key.publicKey}`],
            ...["--env", `PASSWORD=${network.password}`, image.trim()],
        ]);
        const format =
            "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}";
        const found = await must("docker", ["inspect", "--format", format, name]);
        const [address = "", ipv6] = found.trim().split(" ");
        const host = new ClientHost(name, kind, address, ipv6, "", network.gateway);
        await host.isReady();
        return host;
    }

    private async isReady(): Promise<void> {
        for (let tries = 0; ; tries++) {
            const ready = await this.run(READY[this.kind]);
            if (ready.code === 0 && (await this.speaksSsh())) break;
            if (tries > 300) {
                const { stdout, stderr } = await docker("logs", "--tail", "20", this.name);
                throw new Error(`${this.name} (${this.kind}) did not start: ${stdout}${stderr}`);
            }
            await sleep(100);
        }
        await this.readHostKey();
    }

    private speaksSsh(): Promise<boolean> {
        return new Promise((resolve) => {
            const socket = connect({ host: this.address, port: 22, timeout: 1000 });
            const end = (answer: boolean) => {
                socket.destroy();
                resolve(answer);
            };
            socket.once("data", () => {
                end(true);
            });
            for (const event of ["error", "timeout", "close"]) {
                socket.once(event, () => {
                    end(false);
                });
            }
        });
    }

    private async readHostKey(): Promise<void> {
        const line = await this.must("cat /etc/ssh/ssh_host_ed25519_key.pub");
        this.hostKey = line.split(" ").slice(0, 2).join(" ").trim();
    }

    /** Runs a shell command line on the host, without SSH. */
    public run(
        command: string,
        { user = "root", input = "" }: { user?: string; input?: string | Buffer } = {},
    ): Promise<Result> {
        const args = ["exec", "--interactive", "--user", user, this.name, "sh", "-c", command];
        return run("docker", args, { input });
    }

    public async must(command: string, options: { input?: string } = {}): Promise<string> {
        const { code, stdout, stderr } = await this.run(command, options);
        if (code !== 0) {
            throw new Error(`${this.name}: ${command}: exit ${code}\n${stdout}${stderr}`);
        }
        return stdout;
    }

    /** Everything below a folder, one line each: path, mode, owner, and the text's digest or where a link leads. */
    public listing(folder = "/etc"): Promise<string> {
        return this.must(
            `find ${folder} | LC_ALL=C sort | while IFS= read -r path; do
                set -- $(ls -ldn "$path")
                if [ -L "$path" ]; then text="-> $(readlink "$path")"; elif [ -f "$path" ]; then text=$(sha256sum <"$path"); else text=; fi
                echo "$path $1 $3:$4 $text"
            done`,
        );
    }

    /** How many logins there have been over SSH. */
    public async logins(): Promise<number> {
        return Number(await this.must("grep -c '^Accepted [a-z]* for ' /var/log/sshd.log || true"));
    }

    /** From now on, connections are refused. */
    public async stopSsh(): Promise<void> {
        await this.must("touch /run/no-ssh; kill $(cat /run/sshd.pid)");
        while (await this.speaksSsh()) await sleep(50);
    }

    public async startSsh(): Promise<void> {
        await this.must("rm -f /run/no-ssh");
        while (!(await this.speaksSsh())) await sleep(50);
    }

    /** From now on connections are taken, by the kernel, and nothing is said on them. */
    public async freezeSsh(): Promise<void> {
        await this.must("kill -STOP $(cat /run/sshd.pid)");
    }

    public async thawSsh(): Promise<void> {
        await this.must("kill -CONT $(cat /run/sshd.pid)");
    }

    /** From now on it answers nothing to this machine, or to a host, as one that is off: connecting to it runs into a timeout. */
    public async vanish(from = this.gateway): Promise<void> {
        await this.must(`ip route add blackhole ${from}`);
    }

    public async comeBack(to = this.gateway): Promise<void> {
        await this.must(`ip route del blackhole ${to}`);
    }

    /** As after a new installation. */
    public async changeHostKey(): Promise<void> {
        await this.stopSsh();
        await this.must(
            "rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key",
        );
        await this.startSsh();
        await this.readHostKey();
    }

    /** Fills what lies below a folder up. Not for the kinds without a container runtime. */
    public async fillDisk(folder: string): Promise<void> {
        await this.must(
            `mkdir -p ${folder} && mount -t tmpfs -o size=4k tmpfs ${folder} && { dd if=/dev/zero of=${folder}/filler bs=1k count=64 2>/dev/null || true; }`,
        );
    }

    public async freeDisk(folder: string): Promise<void> {
        await this.must(`umount ${folder}`);
    }
}

/** Calls a test with hosts of these kinds on a network of their own, and removes all of it whatever happens. */
export async function withHosts<const Kinds extends readonly HostKind[]>(
    kinds: Kinds,
    test: (hosts: { [K in keyof Kinds]: ClientHost }, network: ClientNetwork) => Promise<void>,
    options: { readonly ipv6?: boolean } = {},
): Promise<void> {
    const network = await ClientNetwork.create(options);
    try {
        const hosts = await Promise.all(kinds.map((kind) => network.addHost(kind)));
        await test(hosts as unknown as { [K in keyof Kinds]: ClientHost }, network);
    } catch (error) {
        // What the test says counts, not what is left over because of it.
        await network.dispose().catch(() => undefined);
        throw error;
    }
    await network.dispose();
}

/** A host of each of these kinds for all tests of a file, which makes and removes them. */
export function hostsOfFile<Kind extends HostKind>(...kinds: readonly Kind[]) {
    let network: ClientNetwork | undefined;
    const hosts = new Map<Kind, ClientHost>();
    beforeAll(async () => {
        const made = await ClientNetwork.create();
        network = made;
        await Promise.all(kinds.map(async (kind) => hosts.set(kind, await made.addHost(kind))));
    });
    afterAll(() => network?.dispose());
    return {
        on: (kind: Kind): ClientHost => {
            const host = hosts.get(kind);
            if (host === undefined) throw new Error(`no host of the kind ${kind}`);
            return host;
        },
        /** The address of this machine on their network. */
        gateway: (): string => {
            if (network === undefined) throw new Error("the hosts are not there yet");
            return network.gateway;
        },
    };
}

function lines(text: string): string[] {
    return text.split("\n").filter((line) => line !== "");
}
