import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    chmodSync,
    copyFileSync,
    existsSync,
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    readlinkSync,
    realpathSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a run in a sandbox ended with. */
export interface Ended {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

/** How a script is run in a sandbox. */
export interface RunOptions {
    /** Shell commands outside of the root, as its owner, before and after: for mounts, which end with the run. */
    readonly before?: string;
    readonly after?: string;
    readonly umask?: string;
    /** `null`: there is none. */
    readonly path?: string | null;
    readonly folder?: string;
}

/** With what a process gets mounts of its own: as root, else as root of a user namespace. */
const NAMESPACES = [["--mount"], ["--user", "--map-root-user", "--mount"]].find(
    (options) =>
        spawnSync("unshare", [...options, "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0,
);
/** Whether this machine lets a process have mounts of its own. */
export const SANDBOXES_WORK = NAMESPACES !== undefined;
export const IS_ROOT = process.getuid?.() === 0;

const found = (command: string) =>
    spawnSync("sh", ["-c", `command -v ${command}`], { encoding: "utf8" }).stdout.trim();
const BUSYBOX = found("busybox");

/** A shell, and the tools that a host has besides: those of this machine, or busybox alone. */
export const SHELLS = [
    {
        name: "dash",
        command: ["/usr/bin/dash"],
        isBusybox: false,
        isThere: existsSync("/usr/bin/dash"),
    },
    {
        name: "bash",
        command: ["/usr/bin/bash"],
        isBusybox: false,
        isThere: existsSync("/usr/bin/bash"),
    },
    { name: "busybox", command: ["/bin/sh"], isBusybox: true, isThere: BUSYBOX !== "" },
];
export type Shell = (typeof SHELLS)[number];

const PASSWD = "root:x:0:0:root:/root:/bin/sh\nops:x:1000:1000::/home/ops:/bin/sh\n";
const PAM =
    "auth sufficient pam_rootok.so\naccount sufficient pam_permit.so\nsession sufficient pam_permit.so\n";

/**
 * A host of one process: a root folder with an /etc, a /var and a /home of its own, and this machine's programs. Files are
 * put into it and looked at from outside.
 */
export class SandboxHost {
    public readonly root = mkdtempSync(join(tmpdir(), "private-registry-host-"));

    public constructor(public readonly shell: Shell) {
        this.reset();
    }

    public reset(): void {
        this.clear();
        for (const folder of [
            "etc/pam.d",
            "var/lib",
            "home/ops",
            "root",
            "tmp",
            "dev",
            "proc",
            "run",
            "opt/tools",
            "usr",
            "mnt",
        ]) {
            mkdirSync(join(this.root, folder), { recursive: true });
        }
        writeFileSync(this.path("/etc/passwd"), PASSWD);
        writeFileSync(this.path("/etc/group"), "root:x:0:\nops:x:1000:\n");
        writeFileSync(this.path("/etc/pam.d/su"), PAM);
        writeFileSync(this.path("/etc/hosts"), "127.0.0.1 localhost\n");
        if (this.shell.isBusybox) {
            mkdirSync(this.path("/bin"), { recursive: true });
            copyFileSync(BUSYBOX, this.path("/bin/busybox"));
            const applets = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).split("\n");
            for (const applet of applets.filter((name) => name !== "" && name !== "busybox")) {
                symlinkSync("busybox", this.path(`/bin/${applet}`));
            }
            for (const folder of ["usr/lib", "usr/lib64"])
                mkdirSync(join(this.root, folder), { recursive: true });
            for (const folder of ["lib", "lib64"])
                symlinkSync(`usr/${folder}`, this.path(`/${folder}`));
        } else {
            for (const folder of ["bin", "sbin", "lib", "lib64"])
                symlinkSync(`usr/${folder}`, this.path(`/${folder}`));
            // Debian's awk is a link to a link of its /etc.
            mkdirSync(this.path("/etc/alternatives"));
            symlinkSync(realpathSync(found("awk")), this.path("/etc/alternatives/awk"));
        }
    }

    /** Where a path of the host is on this machine. */
    public path(path: string): string {
        return join(this.root, path);
    }

    public run(args: readonly string[], input: string, options: RunOptions = {}): Promise<Ended> {
        const {
            before = ":",
            after = ":",
            umask = "022",
            path = "/usr/bin:/bin",
            folder = "/root",
        } = options;
        const programs = this.shell.isBusybox
            ? "for d in lib lib64; do [ ! -d /usr/$d ] || mount --bind /usr/$d usr/$d; done"
            : "mount --bind /usr usr";
        const command = `set -e; cd "$1"; shift; ${programs}; mount --bind /dev dev; mount --rbind /proc proc; ${before}
            umask ${umask}; set +e
            chroot . ${this.shell.isBusybox ? "/bin/env" : "/usr/bin/env"} -i "$@"
            code=$?; ${after}; exit $code`;
        const child = spawn(
            "unshare",
            [
                ...(NAMESPACES ?? []),
                "sh",
                "-c",
                command,
                "sh",
                this.root,
                ...(path === null ? [] : [`PATH=${path}`]),
                ...this.inFolder(folder),
                ...args,
            ],
            { stdio: ["pipe", "pipe", "pipe"] },
        );
        child.stdin.on("error", () => undefined);
        child.stdin.end(input);
        const out: Buffer[] = [];
        const error: Buffer[] = [];
        child.stdout.on("data", (piece: Buffer) => out.push(piece));
        child.stderr.on("data", (piece: Buffer) => error.push(piece));
        return new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code) => {
                resolve({
                    code,
                    stdout: Buffer.concat(out).toString(),
                    stderr: Buffer.concat(error).toString(),
                });
            });
        });
    }

    private inFolder(folder: string): string[] {
        const [shell = "", ...rest] = this.shell.command;
        return [
            shell,
            ...rest,
            "-c",
            `cd '${folder}'; exec ${this.shell.command.join(" ")} "$@"`,
            "sh",
        ];
    }

    /** Every file, folder and link that a script may touch: kind, mode, owner, and the text's digest or where a link leads. */
    public snapshot(): Map<string, string> {
        const entries = new Map<string, string>();
        for (const folder of ["/etc", "/var", "/home", "/run", "/tmp", "/root", "/opt"])
            this.look(folder, entries);
        return entries;
    }

    private look(path: string, entries: Map<string, string>): void {
        const real = this.path(path);
        const stat = lstatSync(real);
        const owner = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
        if (stat.isSymbolicLink()) entries.set(path, `-> ${readlinkSync(real)}`);
        else if (stat.isDirectory()) {
            entries.set(path, `folder ${owner}`);
            for (const name of readdirSync(real).sort()) this.look(`${path}/${name}`, entries);
        } else if (stat.isFile()) {
            entries.set(
                path,
                `file ${owner} ${createHash("sha256").update(readFileSync(real)).digest("hex")}`,
            );
        } else entries.set(path, `special ${owner}`);
    }

    public dispose(): void {
        this.clear();
        rmSync(this.root, { recursive: true, force: true });
    }

    private clear(): void {
        if (!existsSync(this.root)) return;
        spawnSync("chattr", ["-R", "-i", join(this.root, "etc")], { stdio: "ignore" });
        for (const name of readdirSync(this.root)) {
            rmSync(join(this.root, name), { recursive: true, force: true });
        }
        chmodSync(this.root, 0o755);
    }
}
