// @ts-check
// What really runs on the Docker host, against what the last `up` left there.
import { spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { find, tryPulumi } from "../shared/state.mjs";

const DAY = 86_400_000;
/** Days before its end at which a certificate is an alarm: by then some `up` should have renewed it. */
const ALARM_DAYS = 7;
/** Days before its end at which it is worth a word, whatever `earlyRenewalDays` is; of a shorter life the last third. */
const NOTICE_DAYS = 30;
const PATIENCE_MS = 1000;
/** What the finding is called that says whether the registry answers as it should. */
export const ANSWERS = "proof";

/** @typedef {import("../shared/state.mjs").Resource} Resource */
/**
 * `isDue`: fine, and not for long without an `up`. `expires`: when a certificate ends, in ms since 1970.
 *
 * @typedef {{ part: string, text: string, isFine: boolean, isDue?: boolean, expires?: number }} Finding
 */

/** @typedef {"ok" | "due" | "WRONG"} State of what was looked at, in one word */

/**
 * @param {Pick<Finding, "isFine" | "isDue">} finding
 * @returns {State}
 */
export function stateOf({ isFine, isDue = false }) {
    if (!isFine) return "WRONG";
    return isDue ? "due" : "ok";
}

/**
 * @param {Resource[]} resources
 * @param {string} stack
 * @returns {Finding[]}
 */
export function checkRegistry(resources, stack) {
    return [
        ...checkDockerHost(resources, stack),
        ...checkAnswers(resources),
        ...checkCertificates(resources),
    ];
}

/**
 * What the Docker host has, as far as it answers.
 *
 * @param {Resource[]} resources
 * @param {string} stack
 * @returns {Finding[]}
 */
export function checkDockerHost(resources, stack) {
    return [
        ...checkDocker(resources, stack),
        ...placesIn(resources).flatMap((place) => checkSettings(resources, place)),
    ];
}

/**
 * What is answered at the published ports.
 *
 * @param {Resource[]} resources
 * @returns {Finding[]}
 */
export function checkAnswers(resources) {
    return [
        proveServer(resources, ANSWERS, "registry-proof-command"),
        ...mirrorsIn(resources).map((mirror) =>
            proveServer(resources, `mirror ${mirror}`, `registry-mirror-${mirror}-proof-command`),
        ),
    ];
}

/**
 * What the providers see is gone or changed: containers, volumes, network, image.
 *
 * @param {Resource[]} resources
 * @param {string} stack
 * @returns {Finding[]}
 */
function checkDocker(resources, stack) {
    const { stdout, status } = tryPulumi(["refresh", "--preview-only", "--json"], stack);
    if (status !== 0) {
        return [
            { part: "Docker", text: "cannot be compared: pulumi refresh failed", isFine: false },
        ];
    }
    const { steps } = JSON.parse(stdout);
    const differing = steps.filter((/** @type {any} */ { op }) =>
        ["delete", "update"].includes(op),
    );
    /** @type {Finding[]} */
    const findings = differing.map((/** @type {any} */ { op, urn, detailedDiff }) => ({
        part: roleOf(urn),
        text:
            op === "delete" ? "is gone" : describe(resources, urn, Object.keys(detailedDiff ?? {})),
        isFine: false,
    }));
    return findings.length > 0
        ? findings
        : [
              {
                  part: "Docker",
                  text: "containers, volumes, network and image as they were made",
                  isFine: true,
              },
          ];
}

/**
 * @param {Resource[]} resources
 * @param {string} urn
 * @param {string[]} properties
 */
function describe(resources, urn, properties) {
    if (properties.includes("mustRun")) return "does not run";
    // A container that Docker starts again and again has no ports meanwhile.
    const loop = properties.some((name) => name.startsWith("ports")) && loopOf(resources, urn);
    return loop || `was changed: ${properties.join(", ")}`;
}

/**
 * What keeps a container from running that Docker starts again and again; undefined when it does not.
 *
 * @param {Resource[]} resources
 * @param {string} urn
 */
function loopOf(resources, urn) {
    const host = find(resources, "registry-docker")?.inputs.host;
    const name = resources.find((resource) => resource.urn === urn)?.inputs.name;
    const format = "{{.State.Restarting}} {{.State.ExitCode}}";
    const { stdout } = spawnSync(
        "docker",
        ["--host", host, "inspect", "--type", "container", "--format", format, name],
        { encoding: "utf8" },
    );
    const [isRestarting, exitCode] = stdout.trim().split(" ");
    return isRestarting === "true"
        ? `ends as soon as it is started (exit code ${exitCode}); see: docker logs ${name}`
        : undefined;
}

/** @param {string} urn */
function roleOf(urn) {
    return (urn.split("::").at(-1) ?? urn).replace(/^registry-server-/, "");
}

/** Where settings are: what finding them is called, who loaded them, and who reads them. */
const PLACES = [
    {
        part: "settings",
        loaderName: "registry-server-loader",
        readerName: "registry-server-container",
    },
    {
        part: "gateway",
        loaderName: "registry-gateway-loader",
        readerName: "registry-gateway-container",
    },
    {
        part: "settings of Redis",
        loaderName: "registry-server-redis-loader",
        readerName: "registry-server-redis-container",
    },
];

/**
 * Names of the pull-through caches.
 *
 * @param {Resource[]} resources
 */
export function mirrorsIn(resources) {
    return resources.flatMap(
        ({ urn }) => /:Container::registry-mirror-(.+)-container$/.exec(urn)?.[1] ?? [],
    );
}

/** @param {Resource[]} resources */
function placesIn(resources) {
    return [
        ...PLACES,
        ...mirrorsIn(resources).map((mirror) => ({
            part: `settings of ${mirror}`,
            loaderName: `registry-mirror-${mirror}-loader`,
            readerName: `registry-mirror-${mirror}-container`,
        })),
    ];
}

/**
 * The files that are read, against those that were loaded.
 *
 * @param {Resource[]} resources
 * @param {(typeof PLACES)[number]} place
 * @returns {Finding[]}
 */
function checkSettings(resources, { part, loaderName, readerName }) {
    const loader = find(resources, loaderName);
    const container = find(resources, readerName);
    // Without a gateway or a Redis there are none of theirs, and a Swarm keeps those of its services itself.
    const isOptional =
        part !== "settings" || find(resources, "registry-server-service") !== undefined;
    if (isOptional && loader === undefined && container === undefined) return [];
    return [compareSettings(resources, part, loader, container)];
}

/**
 * @param {Resource[]} resources
 * @param {string} part
 * @param {Resource | undefined} loader
 * @param {Resource | undefined} container
 * @returns {Finding}
 */
function compareSettings(resources, part, loader, container) {
    const host = find(resources, "registry-docker")?.inputs.host;
    const mount = container?.inputs.volumes?.find((/** @type {any} */ { readOnly }) => readOnly);
    if (loader === undefined || container === undefined || mount === undefined) {
        return { part, text: "not in the state; run: npm run up", isFine: false };
    }
    /** @type {Map<string, string>} */
    const wanted = new Map(
        loader.inputs.uploads.map((/** @type {any} */ { file, content }) => [
            file.replace(/^.*\//, ""),
            createHash("sha256").update(content).digest("hex"),
        ]),
    );
    // Also from a container that does not run, and whatever its image has of tools.
    const archive = spawnSync(
        "docker",
        ["--host", host, "cp", `${container.inputs.name}:${mount.containerPath}`, "-"],
        { maxBuffer: 1 << 26 },
    );
    if (archive.status !== 0) {
        const said = archive.stderr?.toString().trim().split("\n").at(-1) ?? "";
        return { part, text: `cannot be looked at: ${said}`, isFine: false };
    }
    const folder = mount.containerPath.replace(/^.*\//, "");
    const changed = [...wanted].filter(([file, digest]) => {
        const { stdout } = spawnSync("tar", ["-xOf", "-", `${folder}/${file}`], {
            input: archive.stdout,
            stdio: ["pipe", "pipe", "ignore"],
        });
        return createHash("sha256").update(stdout).digest("hex") !== digest;
    });
    return changed.length === 0
        ? { part, text: `${[...wanted.keys()].join(", ")} as they were loaded`, isFine: true }
        : {
              part,
              text: `${changed.map(([file]) => file).join(", ")} changed or gone`,
              isFine: false,
          };
}

/**
 * The proof of the last `up`, once more.
 *
 * @param {Resource[]} resources
 * @param {string} part
 * @param {string} name
 * @returns {Finding}
 */
function proveServer(resources, part, name) {
    const proof = find(resources, name);
    if (proof === undefined) {
        return { part, text: "not in the state; run: npm run up", isFine: false };
    }
    // A registry that was not started just now needs no patience.
    const program = proof.inputs.stdin.replace(
        /\nprove\(\{/,
        `\nprove({"patienceMs":${PATIENCE_MS},`,
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, ["-"], {
        input: program,
        encoding: "utf8",
    });
    const said = (status === 0 ? stdout : stderr).trim().split("\n").at(-1) ?? "";
    return { part, text: said, isFine: status === 0 };
}

/**
 * The server's certificate and those of the authorities: what its finding is called, PEM, and how long before its end any
 * `up` renews it.
 *
 * @param {Resource[]} resources
 * @returns {{ part: string, certPem: string, earlyRenewalHours: number }[]}
 */
export function certificatesIn(resources) {
    const server = find(resources, "registry-authority-server-cert");
    const authorities = resources.filter(({ urn }) => /::registry-authority-cert-[^:]*$/.test(urn));
    return [server, ...authorities]
        .filter((resource) => resource !== undefined)
        .map(({ urn, inputs: { earlyRenewalHours = 0 }, outputs: { certPem } }) => ({
            part: urn.endsWith("server-cert")
                ? "certificate"
                : `authority ${urn.replace(/^.*-cert-/, "")}`,
            certPem,
            earlyRenewalHours,
        }));
}

/**
 * @param {Resource[]} resources
 * @returns {Finding[]}
 */
export function checkCertificates(resources) {
    return certificatesIn(resources).map(({ part, certPem, earlyRenewalHours }) => {
        const days = daysLeft(certPem);
        const isFine = days > ALARM_DAYS;
        const isRenewed = days * 24 < earlyRenewalHours;
        const isDue = isFine && (isRenewed || days <= Math.min(NOTICE_DAYS, lifeOf(certPem) / 3));
        const advice = isRenewed
            ? `; ${isFine ? "the next up renews it" : "run: npm run up"}`
            : `; an up renews it in its last ${earlyRenewalHours / 24} (earlyRenewalDays)`;
        return {
            part,
            text: `${days} days left${isFine && !isDue ? "" : advice}`,
            isFine,
            isDue,
            expires: expiryOf(certPem),
        };
    });
}

/**
 * Size and free space of the file system that the images lie on, in bytes; undefined when it cannot be asked.
 *
 * @param {Resource[]} resources
 * @returns {{ size: number, available: number } | undefined}
 */
export function measureData(resources) {
    const container = find(resources, "registry-server-container");
    const host = find(resources, "registry-docker")?.inputs.host;
    const mount = container?.inputs.volumes?.find(
        (/** @type {any} */ { containerPath }) => containerPath === "/var/lib/registry",
    );
    if (container === undefined || mount === undefined) return undefined;
    // Busybox is in the official image and in ours; only the official one has a df by itself.
    const df = ["busybox", "df", "-Pk", mount.containerPath];
    const { status, stdout } = spawnSync(
        "docker",
        ["--host", host, "exec", container.inputs.name, ...df],
        { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    return status === 0 ? fileSystemIn(stdout) : undefined;
}

/**
 * @param {string} text as `df -Pk` prints it
 * @returns {{ size: number, available: number } | undefined} in bytes
 */
export function fileSystemIn(text) {
    const numbers = / (\d+) +\d+ +(\d+) +\d+% /.exec(text);
    if (numbers === null) return undefined;
    return { size: Number(numbers[1]) * 1024, available: Number(numbers[2]) * 1024 };
}

/** @param {string} pem */
export function daysLeft(pem) {
    return Math.floor((expiryOf(pem) - Date.now()) / DAY);
}

/**
 * In days, from its first to its last.
 *
 * @param {string} pem
 */
function lifeOf(pem) {
    return (expiryOf(pem) - Date.parse(new X509Certificate(pem).validFrom)) / DAY;
}

/** @param {string} pem */
function expiryOf(pem) {
    return Date.parse(new X509Certificate(pem).validTo);
}

/**
 * Has the next `up` load the settings anew. What the providers see themselves, `up --refresh` mends.
 *
 * @param {Resource[]} resources
 * @param {Finding[]} findings
 * @param {string} stack
 */
export function haveSettingsLoaded(resources, findings, stack) {
    for (const { part, loaderName } of placesIn(resources)) {
        const loader = find(resources, loaderName);
        const areWrong = findings.some((finding) => finding.part === part && !finding.isFine);
        if (areWrong && loader !== undefined) {
            tryPulumi(["state", "taint", "--yes", loader.urn], stack);
        }
    }
}
