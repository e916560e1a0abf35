import { randomBytes } from "node:crypto";
import {
    chmodSync,
    existsSync,
    mkdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { type Target, trustScript } from "../../lib/trust-script";
import "../support/hostile-values";
import {
    IS_ROOT,
    type RunOptions,
    SandboxHost,
    SANDBOXES_WORK,
    type Shell,
    SHELLS,
} from "../support/sandbox-host";
import { makeAuthority } from "../support/test-authority";

/**
 * The script for client hosts where something else stands in the place of each file and folder that it writes: it refuses in
 * one line that names it and changes nothing, or does what it should, leaves everybody else's bytes alone and puts all of it
 * back when it is removed.
 */

const CA = makeAuthority().authority.certificate;
const STACK = "private-registry-dev";
/** Nothing listens there, not even for the moments in which other tests try a port. */
const PORT = 4;
const REGISTRY = `registry.example.test:${PORT}`;
const RECORD = `/var/lib/private-registry/${STACK}`;
const BEGIN = `# BEGIN private-registry ${STACK}`;
const END = `# END private-registry ${STACK}`;
const FOREIGN = "/opt/theirs";
let cases = 0;

/** Of jest.config.js. */
declare const areAllTestsAsked: boolean;

function script(targets: readonly Target[], stack = STACK): string {
    return trustScript(
        {
            stack,
            hostname: "registry.example.test",
            port: PORT,
            registry: REGISTRY,
            address: "127.0.0.1",
            targets,
            proofRequired: false,
            bundle: CA,
        },
        (name) =>
            readFileSync(join(__dirname, "../../components/trust-host", `${name}.sh`), "utf8"),
    );
}

/** Files of ours, by the target that they are for. */
const OWN_FILES: readonly (readonly [Target, string])[] = [
    ["docker", `/etc/docker/certs.d/${REGISTRY}/ca.crt`],
    ["containerd", `/etc/containerd/certs.d/${REGISTRY}/hosts.toml`],
    ["k3s", `/etc/rancher/k3s/certs.d/${REGISTRY}/ca.crt`],
];
/** Files of somebody else that lines of ours are put into. */
const BLOCK_FILES: readonly (readonly [Target, string])[] = [
    ["docker", "/etc/hosts"],
    ["buildkit", "/etc/buildkit/buildkitd.toml"],
    ["k3s", "/etc/rancher/k3s/registries.yaml"],
];
const FOLDERS = OWN_FILES.filter(([target]) => target !== "containerd").flatMap(
    ([target, file]) => {
        const all: (readonly [Target, string])[] = [];
        for (let folder = dirname(file); folder !== "/etc"; folder = dirname(folder))
            all.push([target, folder]);
        return all;
    },
);
const RECORD_FOLDERS = ["/var/lib/private-registry", RECORD].map(
    (folder) => ["docker", folder] as const,
);

/** Puts something hostile into the place of a path. */
type Place = (host: SandboxHost, path: string) => RunOptions | undefined;

function write(host: SandboxHost, path: string, text: string | Buffer, mode = 0o640): void {
    const real = host.path(path);
    // What the host comes with may be a file where a folder is wanted.
    if (existsSync(dirname(real)) && !statSync(dirname(real)).isDirectory()) rmSync(dirname(real));
    mkdirSync(dirname(real), { recursive: true });
    rmSync(real, { recursive: true, force: true });
    writeFileSync(real, text);
    chmodSync(real, mode);
}

function link(host: SandboxHost, path: string, target: string): void {
    const real = host.path(path);
    mkdirSync(dirname(real), { recursive: true });
    rmSync(real, { recursive: true, force: true });
    symlinkSync(target, real);
}

function folder(host: SandboxHost, path: string): void {
    rmSync(host.path(path), { recursive: true, force: true });
    mkdirSync(host.path(path), { recursive: true });
}

function fifo(host: SandboxHost, path: string): void {
    mkdirSync(dirname(host.path(path)), { recursive: true });
    rmSync(host.path(path), { force: true });
    spawnSync("mkfifo", [host.path(path)]);
}

const mounted = (path: string): RunOptions => ({
    before: `mount --bind '.${path}' '.${path}'; mount -o remount,ro,bind '.${path}'`,
});

const LINES = "# of somebody else\n[other]\nmirrors: {}\n10.1.1.1 elsewhere\n";
const IN_PLACE_OF_ANY: Readonly<Record<string, Place>> = {
    "a link that leads nowhere": (host, path) => {
        link(host, path, "/nowhere/at/all");
        return undefined;
    },
    "a link to itself": (host, path) => {
        link(host, path, path);
        return undefined;
    },
    "a link to a file of somebody else": (host, path) => {
        write(host, FOREIGN, LINES);
        link(host, path, FOREIGN);
        return undefined;
    },
    "a link to a folder of somebody else": (host, path) => {
        write(host, `${FOREIGN}/ca.crt`, "theirs");
        link(host, path, FOREIGN);
        return undefined;
    },
    "a pipe": (host, path) => {
        fifo(host, path);
        return undefined;
    },
    "an empty file": (host, path) => {
        write(host, path, "");
        return undefined;
    },
    "a file": (host, path) => {
        write(host, path, LINES, 0o600);
        return undefined;
    },
    "an empty folder": (host, path) => {
        folder(host, path);
        return undefined;
    },
    "a folder with files": (host, path) => {
        write(host, `${path}/theirs`, "theirs");
        return undefined;
    },
    "a folder that is mounted read-only": (host, path) => {
        folder(host, path);
        return mounted(path);
    },
};
const IN_PLACE_OF_FILES: Readonly<Record<string, Place>> = {
    "a file of somebody else that is mounted read-only": (host, path) => {
        write(host, path, LINES);
        return mounted(path);
    },
    "a file that cannot be changed": (host, path) => {
        write(host, path, LINES);
        const { status } = spawnSync("chattr", ["+i", host.path(path)], { stdio: "ignore" });
        return status === 0 ? undefined : mounted(path);
    },
    "a file without a last line end": (host, path) => {
        write(host, path, "theirs\n\nlast: line");
        return undefined;
    },
    "a file with the line ends of another system": (host, path) => {
        write(host, path, LINES.replaceAll("\n", "\r\n"));
        return undefined;
    },
    "a file that nobody may read": (host, path) => {
        write(host, path, LINES, 0);
        return undefined;
    },
    "a binary file": (host, path) => {
        write(host, path, Buffer.from([0, 255, 254, 10, 13, 0, 35, 10, 0]));
        return undefined;
    },
    "a text in no encoding": (host, path) => {
        write(host, path, Buffer.from([0xff, 0xfe, 0xc3, 0x28, 10, 0xe2, 0x82, 10, 0x80]));
        return undefined;
    },
    "a link to the same text": (host, path) => {
        write(host, FOREIGN, CA);
        link(host, path, FOREIGN);
        return undefined;
    },
    "a file of ten megabytes": (host, path) => {
        write(host, path, "0.0.0.0 advertisement.example.test\n".repeat(300_000));
        return undefined;
    },
    "ten megabytes of noise": (host, path) => {
        write(host, path, randomBytes(10 * 1024 * 1024));
        return undefined;
    },
    "one line of a megabyte": (host, path) => {
        write(host, path, `# ${"x".repeat(1024 * 1024)}\nlast`);
        return undefined;
    },
};
const IN_PLACE_OF_BLOCKS: Readonly<Record<string, Place>> = {
    "a block of a stack whose name goes on": (host, path) => {
        write(host, path, `${LINES}${BEGIN}2\n# theirs\n${END}2\n`);
        return undefined;
    },
    "a block of a stack whose name goes on, cut in two": (host, path) => {
        write(host, path, `${LINES}${BEGIN}-2\n# theirs\n`);
        return undefined;
    },
    "a block of ours that lost its end": (host, path) => {
        write(host, path, `${LINES}${BEGIN}\n# x\n`);
        return undefined;
    },
    "a block of ours with the line ends of another system": (host, path) => {
        write(host, path, `${LINES}${BEGIN}\n# x\n${END}\n`.replaceAll("\n", "\r\n"));
        return undefined;
    },
    "our own words in a line of somebody else": (host, path) => {
        write(host, path, `${LINES}# see ${BEGIN}\n# ${END}\nlast: 1`);
        return undefined;
    },
    "a last line that the lines of ours belong below": (host, path) => {
        write(host, path, "# theirs\nconfigs:");
        return undefined;
    },
    "lines of ours that belong in the middle": (host, path) => {
        write(host, path, '# theirs\nconfigs:\n  "a:1":\n    auth: {}');
        return undefined;
    },
};

interface Case {
    readonly name: string;
    readonly target: Target;
    readonly path: string;
    readonly place: Place;
}

function every(
    paths: readonly (readonly [Target, string])[],
    ...kinds: Readonly<Record<string, Place>>[]
): Case[] {
    return paths.flatMap(([target, path]) =>
        kinds.flatMap((kind) =>
            Object.entries(kind).map(([name, place]) => ({
                name: `${name} at ${path}`,
                target,
                path,
                place,
            })),
        ),
    );
}

const CASES = [
    ...every(OWN_FILES.slice(0, 2), IN_PLACE_OF_ANY, IN_PLACE_OF_FILES),
    ...every(BLOCK_FILES, IN_PLACE_OF_ANY, IN_PLACE_OF_FILES, IN_PLACE_OF_BLOCKS),
    ...every(FOLDERS, IN_PLACE_OF_ANY),
    ...every(RECORD_FOLDERS, IN_PLACE_OF_ANY),
    ...every(
        [...OWN_FILES.slice(0, 1), ...BLOCK_FILES].map(
            ([target, path]) => [target, `${path}.${STACK}.new`] as const,
        ),
        IN_PLACE_OF_ANY,
    ),
];

/** Everything that is there, in lines. */
const listed = (snapshot: Map<string, string>) =>
    [...snapshot].map((entry) => entry.join(" ")).join("\n");

/** What of a host is not to change while the script is applied: all but what it writes, and its own records. */
function othersOf(snapshot: Map<string, string>, own: readonly string[]): string {
    return listed(
        new Map(
            [...snapshot].filter(
                ([path]) => !path.startsWith("/var/lib/private-registry") && !own.includes(path),
            ),
        ),
    );
}

/** Applies, looks, applies again, removes; says what is not as it should be. */
async function lifeOf(
    host: SandboxHost,
    targets: readonly Target[],
    hostilePath: string,
    options: RunOptions = {},
    isLookedAt = true,
) {
    const input = script(targets);
    const run = (mode: string) => {
        cases++;
        return host.run(["-s", mode], input, options);
    };
    const before = host.snapshot();
    const applied = await run("apply");
    if (applied.code !== 0) {
        // One line, with the path or that of what it is a part of; and all is as it was.
        expect(applied.stderr).toMatch(/^[^\n]+\n$/);
        const named = [hostilePath, dirname(hostilePath), hostilePath.replace(`.${STACK}.new`, "")];
        expect(named.some((path) => applied.stderr.includes(path))).toBe(true);
        expect(applied.stderr).toMatch(/then run up again\n$/);
        expect(listed(host.snapshot())).toBe(listed(before));
        return applied;
    }
    expect(applied.stderr).toBe("");
    const after = host.snapshot();
    const blockFiles = BLOCK_FILES.map(([, path]) => path);
    // Lines are added to the file that a link leads to; nothing else is written through one.
    const throughLink = blockFiles.includes(hostilePath) ? [FOREIGN] : [];
    const buildkit = `/etc/buildkit/certs/${REGISTRY}/ca.crt`;
    const own = [buildkit, ...OWN_FILES.map(([, path]) => path), ...blockFiles, ...throughLink];
    const isTheirs = [...before.keys()].filter(
        (path) => !own.includes(path) && !path.endsWith(".new"),
    );
    for (const path of isTheirs) expect([path, after.get(path)]).toEqual([path, before.get(path)]);
    if (isLookedAt) {
        const looked = await run("check");
        for (const target of targets)
            expect(looked.stdout).toMatch(new RegExp(`^${target}\\tours\\t`, "m"));
        const again = await run("apply");
        expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: "" });
        expect(again.stdout).not.toMatch(/written/);
        expect(listed(host.snapshot())).toBe(listed(after));
    }
    const removed = await run("remove");
    expect({ code: removed.code, stderr: removed.stderr }).toEqual({ code: 0, stderr: "" });
    // A temporary file that somebody had left is the one thing that is not put back.
    const left = [...before.keys()].filter((path) => path.endsWith(`.${STACK}.new`));
    expect(othersOf(host.snapshot(), left)).toBe(othersOf(before, left));
    return applied;
}

function withHost(shell: Shell, body: (host: SandboxHost) => Promise<unknown>): Promise<void> {
    const host = new SandboxHost(shell);
    return body(host)
        .then(() => undefined)
        .finally(() => {
            host.dispose();
        });
}

/** Several at a time: most of a run is waiting. */
async function inParallel<T>(
    items: readonly T[],
    work: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
    const failures: string[] = [];
    let next = 0;
    const worker = async () => {
        for (let index = next++; index < items.length; index = next++) {
            const item = items[index] as T;
            await work(item, index).catch((error: unknown) => {
                failures.push(`${(item as Case).name}: ${(error as Error).message}`);
            });
        }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    if (failures.length > 0)
        throw new Error(`${failures.length} of ${items.length}:\n${failures.join("\n\n")}`);
}

const SHELLS_HERE = SHELLS.filter(({ isThere }) => isThere);

for (const shell of SHELLS) {
    const canRun = SANDBOXES_WORK && shell.isThere;
    const turn = SHELLS_HERE.indexOf(shell);
    (canRun ? describe : describe.skip)(`with ${shell.name}`, () => {
        // Every kind in every shell, and every place: each shell has its share of the pairs.
        const share = CASES.filter((_case, index) => index % SHELLS_HERE.length === turn);

        test("whatever stands in the place of a file or a folder", async () => {
            await inParallel(share, ({ target, path, place }, index) =>
                withHost(shell, async (host) => {
                    await lifeOf(host, [target], path, place(host, path), index % 3 === 0);
                }),
            );
        });

        test("other people's lines come back byte for byte", async () => {
            const line = fc.oneof(
                fc.string({ unit: "binary-ascii", maxLength: 40 }),
                fc.constantFrom(
                    "",
                    "configs:",
                    "  a: 1",
                    "# x",
                    BEGIN.slice(0, -1),
                    `${BEGIN}2`,
                    "10.1.1.1 registry.example.tes",
                    "[other]",
                    "\r",
                    "é\u{1f600}",
                ),
            );
            const text = fc
                .tuple(
                    fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\n\n")), {
                        maxLength: 12,
                    }),
                    line,
                )
                .map(([lines, last]) => lines.flat().join("") + last)
                .map((joined) =>
                    joined.replaceAll("\0", "").replaceAll(/registry\.example\.test/gi, ""),
                );
            await withHost(shell, (host) =>
                fc.assert(
                    fc.asyncProperty(text, text, text, async (...texts) => {
                        host.reset();
                        BLOCK_FILES.forEach(([, path], index) => {
                            write(host, path, texts[index] ?? "", 0o604);
                        });
                        const targets = ["docker", "buildkit", "k3s"] as const;
                        await lifeOf(host, targets, "registries.yaml");
                    }),
                    { numRuns: 6 },
                ),
            );
        });

        test("two stacks on one host, one's name the beginning of the other's", async () => {
            await withHost(shell, async (host) => {
                const before = listed(host.snapshot());
                const targets = ["docker", "buildkit"] as const;
                const run = (mode: string, stack: string) => {
                    cases++;
                    return host.run(["-s", mode], script(targets, stack));
                };
                // The second one finds the name in a line that is not its own, which says the same.
                for (const stack of [`${STACK}2`, STACK, `${STACK}2`]) {
                    expect(await run("apply", stack)).toMatchObject({ code: 0, stderr: "" });
                }
                expect((await run("check", STACK)).stdout).not.toMatch(/\t(missing|duplicated)\t/);
                for (const stack of [`${STACK}2`, STACK]) {
                    expect(await run("remove", stack)).toMatchObject({ code: 0, stderr: "" });
                }
                expect(readFileSync(host.path("/etc/hosts"), "utf8")).toBe("127.0.0.1 localhost\n");
                expect(before).not.toContain("private-registry");
            });
        });

        test("whatever umask, PATH and folder it is run with", async () => {
            const evil = "#!/bin/sh\n: >/opt/owned\n";
            const ordinary = "/opt/evil:/usr/bin:/bin";
            const paths = [
                null,
                "",
                ":",
                ".",
                ordinary,
                ".:/usr/bin:/bin",
                "/opt/with blank:/o'p\"t:$(id):/opt/*",
            ];
            const surroundings = paths.flatMap((path, index) =>
                ["000", "077", "777"].map((umask) => ({
                    name: `${umask} ${path}`,
                    path,
                    umask,
                    folder: index % 2 === 0 ? "/opt/evil" : "/root",
                })),
            );
            const share = surroundings.filter(
                (_each, index) => index % SHELLS_HERE.length === turn,
            );
            await inParallel(share, (options) =>
                withHost(shell, async (host) => {
                    for (const tool of [
                        "cat",
                        "awk",
                        "grep",
                        "mv",
                        "cp",
                        "rm",
                        "sed",
                        "tr",
                        "ls",
                        "tail",
                        "find",
                        "mkdir",
                        // What the system has not may be run from the PATH that root was given.
                        ...(options.path === ordinary ? [] : ["curl", "getent", "restorecon"]),
                    ]) {
                        write(host, `/opt/evil/${tool}`, evil, 0o755);
                    }
                    const applied = await lifeOf(
                        host,
                        ["docker", "buildkit", "k3s"],
                        "/etc",
                        options,
                    );
                    expect(applied.code).toBe(0);
                    expect(existsSync(host.path("/opt/owned"))).toBe(false);
                }),
            );
        });

        test("modes of what it writes do not follow the umask", async () => {
            for (const umask of ["000", "077"]) {
                await withHost(shell, async (host) => {
                    cases++;
                    await host.run(["-s", "apply"], script(["docker", "k3s"]), { umask });
                    const snapshot = host.snapshot();
                    expect(snapshot.get(`/etc/docker/certs.d/${REGISTRY}/ca.crt`)).toMatch(
                        /^file 444 0:0 /,
                    );
                    expect(snapshot.get("/etc/docker")).toBe("folder 755 0:0");
                    expect(snapshot.get("/etc/rancher/k3s/registries.yaml")).toMatch(
                        /^file 644 0:0 /,
                    );
                    expect(snapshot.get(RECORD)).toBe("folder 700 0:0");
                    expect(snapshot.get("/etc/hosts")).toMatch(/^file 644 0:0 /);
                });
            }
        });

        test("a full disk: everything is as it was, and one line says where", async () => {
            const full = [
                ["/var/lib", "/var/lib/private-registry", ["docker"]],
                ["/etc/docker", "/etc/docker", ["docker"]],
                ["/etc/buildkit", "/etc/buildkit", ["buildkit"]],
                ["/etc/rancher", "/etc/rancher", ["k3s"]],
                ["/etc/containerd", "/etc/containerd", ["containerd"]],
            ] as const;
            for (const [place, named, targets] of full) {
                for (const room of [0, 1]) {
                    await withHost(shell, async (host) => {
                        cases++;
                        folder(host, place);
                        const theirs =
                            place === "/etc/buildkit" ? "debug = true\n" : "mirrors: {}\n";
                        const file =
                            place === "/etc/buildkit"
                                ? "buildkitd.toml"
                                : place === "/etc/rancher"
                                  ? "k3s/registries.yaml"
                                  : "theirs";
                        const list = `find '.${place}' ! -name filler ! -name room -exec ls -ld {} \\; | awk '{ print $1, $3, $NF }' | sort`;
                        const ended = await host.run(["-s", "apply"], script(targets), {
                            before: [
                                `mount -t tmpfs -o size=64k,nr_inodes=100 tmpfs '.${place}'`,
                                `mkdir -p "$(dirname '.${place}/${file}')"; printf '${theirs.trim()}\\n' >'.${place}/${file}'`,
                                `head -c ${room * 4096} /dev/zero >'.${place}/room'; dd if=/dev/zero of='.${place}/filler' bs=4k 2>/dev/null || true; rm '.${place}/room'`,
                                `${list} >/tmp/before.$$`,
                            ].join("\n"),
                            after: [
                                `${list} | cmp -s - /tmp/before.$$ && [ "$(cat '.${place}/${file}')" = '${theirs.trim()}' ] || { [ $code = 0 ] || echo CHANGED; ${list}; }`,
                                "rm -f /tmp/before.$$",
                            ].join("\n"),
                        });
                        if (room === 0) expect(ended.code).not.toBe(0);
                        if (ended.code !== 0) {
                            expect(ended.stdout).not.toContain("CHANGED");
                            expect(ended.stderr).toMatch(
                                /^cannot write [^\n]*No space left[^\n]*; free some space there, then run up again\n$/,
                            );
                            expect(ended.stderr).toContain(named);
                            expect(readFileSync(host.path("/etc/hosts"), "utf8")).toBe(
                                "127.0.0.1 localhost\n",
                            );
                        }
                    });
                }
            }
        });

        test("a file that is mounted by itself, on a full disk, keeps its text", async () => {
            await withHost(shell, async (host) => {
                cases++;
                const lines = "10.1.1.1 elsewhere\n".repeat(215);
                write(host, "/etc/hosts", "");
                write(host, "/opt/lines", lines);
                const ended = await host.run(["-s", "apply"], script(["docker"]), {
                    before: `mkdir -p mnt; mount -t tmpfs -o size=16k tmpfs mnt; cp opt/lines mnt/hosts; mount --bind mnt/hosts etc/hosts
                    dd if=/dev/zero of=mnt/filler bs=4k 2>/dev/null || true`,
                    after: "cmp etc/hosts opt/lines && echo KEPT",
                });
                expect(ended.stdout).toContain("KEPT");
                expect(ended.stderr).toMatch(/^cannot write \/etc\/hosts: No space left[^\n]*\n$/);
            });
        });

        // Debian's busybox has no su.
        (IS_ROOT && !shell.isBusybox ? test : test.skip)(
            "a user's own folder: root is led nowhere by the user's links",
            async () => {
                const ownFolder = "/home/ops/.config/docker/certs.d";
                const places: Readonly<Record<string, (host: SandboxHost) => void>> = {
                    "a link to a folder of root": (host) => {
                        folder(host, "/opt/roots/docker");
                        rmSync(host.path("/home/ops/.config"), { recursive: true });
                        link(host, "/home/ops/.config", "/opt/roots");
                        folder(host, "/opt/roots/systemd/user");
                        write(host, "/opt/roots/systemd/user/docker.service", "");
                    },
                    "a link to a file of root": (host) => {
                        write(host, "/opt/roots", "roots");
                        link(host, `${ownFolder}/${REGISTRY}/ca.crt`, "/opt/roots");
                    },
                    "a pipe": (host) => {
                        fifo(host, `${ownFolder}/${REGISTRY}/ca.crt`);
                    },
                    "a device without an end": (host) => {
                        link(host, `${ownFolder}/${REGISTRY}/ca.crt`, "/dev/zero");
                    },
                    "a link for the temporary file": (host) => {
                        write(host, "/opt/roots", "roots");
                        link(host, `${ownFolder}/${REGISTRY}/ca.crt.${STACK}.new`, "/opt/roots");
                    },
                };
                for (const [name, place] of Object.entries(places)) {
                    await withHost(shell, async (host) => {
                        cases++;
                        write(host, "/home/ops/.config/systemd/user/docker.service", "");
                        place(host);
                        spawnSync("chown", ["-Rh", "1000:1000", host.path("/home/ops")]);
                        const of = (snapshot: Map<string, string>) =>
                            [...snapshot].filter(([path]) => path.startsWith("/opt"));
                        const before = of(host.snapshot());
                        const ended = await host.run(["-s", "apply"], script(["found"]));
                        expect([name, of(host.snapshot())]).toEqual([name, before]);
                        if (ended.code !== 0)
                            expect(ended.stderr).toMatch(/^[^\n]*\/home\/ops\/[^\n]*\n$/);
                        const removed = await host.run(["-s", "remove"], script(["found"]));
                        expect([name, removed.code, removed.stderr]).toEqual([name, 0, ""]);
                        expect(of(host.snapshot())).toEqual(before);
                    });
                }
            },
        );
    });
}

afterAll(() => {
    if (!areAllTestsAsked) return;
    process.stdout.write(`hostile hosts: ${CASES.length} places, ${cases} runs of the script\n`);
    expect(CASES.length).toBeGreaterThan(200);
    expect(cases).toBeGreaterThan(CASES.length);
});
