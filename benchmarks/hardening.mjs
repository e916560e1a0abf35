// @ts-check
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { get } from "./load.mjs";
import { versionOf } from "./machine.mjs";
import { interleave, median, medians, percentile, say } from "./measure.mjs";
import { startOurs } from "./ours.mjs";
import { cpuSeconds } from "./processes.mjs";
import { run } from "./run.mjs";
import { withWorkspace } from "./workspace.mjs";

const RATE = 100;
const SECONDS = 4;
const GUESSES = 200;
/** What testssl.sh is to say of both. */
const GRADE = "A+";
const SCORE = 96;
const SEVERITIES = ["MEDIUM", "HIGH", "CRITICAL"];

export const tools = ["testssl", "openssl"];
export const title = "Wrong passwords: what they cost, and what they tell";
export const about = `
Our stack without a gateway and with one. One user asks for \`GET /v2/\` over one kept connection, again and again for ${SECONDS} seconds a
sample, while nobody else is there and while ${RATE} wrong logins a second come over 16 kept connections, half of them with a name that exists:
the median time of an answer. The same guesses without that user: what the containers spend on each, of a processor. And the time of ${GUESSES} wrong logins
with a name that exists and as many with one that does not, in turn, one after the other. A password has 238 bits: at ${RATE}
guesses a second it would be found after 10^62 years, so processors are all that guessing costs. Where testssl.sh is installed, it looks at both
as clients see them.`;

/** Measures a user's answers beside guesses, what a guess costs, and what wrong logins tell. */
export function measure() {
    return withWorkspace((other) => withWorkspace((workspace) => compare(other, workspace)));
}

/** @typedef {{ label: string, port: number, account: string, containers: string[], authority: string }} Ours */

/**
 * @param {import("./workspace.mjs").Workspace} other
 * @param {import("./workspace.mjs").Workspace} workspace
 */
async function compare(other, workspace) {
    const direct = await start(other, "registry alone", [""], {});
    const gateway = await start(workspace, "gateway", ["", "-gateway", "-access"], {
        gateway: true,
    });
    /** @type {Record<string, number[]>} */
    const slowest = {};
    let unknownName = NaN;
    /** @type {import("./measure.mjs").Subject[]} */
    const subjects = [direct, gateway].flatMap((ours) => {
        /** @param {string} name */
        const answers = (name) => async () => {
            const times = await askAgain(ours);
            (slowest[name] ??= []).push(percentile(times, 95));
            return median(times);
        };
        const [quiet, guessed] = [`${ours.label}, quiet`, `${ours.label}, guesses`];
        return /** @type {import("./measure.mjs").Subject[]} */ ([
            [quiet, answers(quiet)],
            [guessed, async () => (await besideGuesses(ours, answers(guessed))).result],
            [`${ours.label}, a guess`, () => costOfGuess(ours)],
        ]);
    });
    const samples = await interleave([
        ...subjects,
        [
            "registry alone, wrong password",
            async () => {
                const [wrong, unknown] = await guessInTurn(direct.port);
                unknownName = unknown;
                return wrong;
            },
        ],
        ["registry alone, unknown name", async () => unknownName],
    ]);
    const of = medians(samples);
    const facts = [direct, gateway].flatMap(({ label }) => {
        const p95 = (/** @type {string} */ name) =>
            median((slowest[name] ?? []).slice(1)).toFixed(2);
        return [
            `${label}: 95 of 100 answers within ${p95(`${label}, quiet`)} ms, and within ${p95(`${label}, guesses`)} ms beside guesses.`,
            `${label}: ${RATE} guesses a second take ${Math.round((of(`${label}, a guess`) * RATE) / 10)} % of one processor.`,
        ];
    });
    for (const ours of [direct, gateway]) facts.push(await scan(ours));
    return {
        unit: "ms",
        samples,
        ratios: [
            ...[direct, gateway].map(({ label }) => ({
                name: `${label}, time of an answer: beside ${RATE} guesses a second / quiet`,
                value: of(`${label}, guesses`) / of(`${label}, quiet`),
            })),
            {
                name: "registry alone, wrong login: unknown name / wrong password",
                value: of("registry alone, unknown name") / of("registry alone, wrong password"),
                aim: "0.9 to 1.1",
            },
        ],
        facts,
    };
}

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {string} label
 * @param {string[]} roles ends of the containers' names
 * @param {Readonly<Record<string, unknown>>} settings
 * @returns {Promise<Ours>}
 */
async function start(workspace, label, roles, settings) {
    const { port, user, caCertificate } = await startOurs(workspace, "ours", settings);
    const name = `private-registry-${workspace.name}`;
    return {
        label,
        port,
        account: user,
        containers: roles.map((role) => name + role),
        authority: caCertificate,
    };
}

/**
 * Times of all answers that one user gets, sorted. Unit: ms.
 *
 * @param {Ours} ours
 */
async function askAgain({ port, account }) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    /** @type {number[]} */
    const times = [];
    const began = performance.now();
    try {
        for (let now = began; now - began < SECONDS * 1000;) {
            const status = await get(port, account, agent);
            if (status !== 200) throw new Error(`status ${status}`);
            const next = performance.now();
            times.push(next - now);
            now = next;
        }
    } finally {
        agent.destroy();
    }
    return times;
}

/**
 * Does something while guesses come.
 *
 * @template T
 * @param {Ours} ours
 * @param {() => Promise<T>} act
 */
async function besideGuesses({ port }, act) {
    const program = join(import.meta.dirname, "guesses.mjs");
    const guesses = spawn(process.execPath, [program, String(port), String(RATE)], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(guesses, "close");
    const said = text(guesses.stdout);
    try {
        await sleep(500);
        return { result: await act(), count: async () => (await ended, Number(await said)) };
    } finally {
        guesses.kill();
        await ended;
    }
}

/**
 * Times of wrong logins with a name that exists and with one that does not, in turn, so that what else the machine does
 * hits both. Unit: ms, medians.
 *
 * @param {number} port
 * @returns {Promise<[number, number]>}
 */
async function guessInTurn(port) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    /** @type {[number[], number[]]} */
    const times = [[], []];
    try {
        for (let count = 0; count < 2 * GUESSES; count++) {
            const name = count % 2 === 0 ? "dev" : "nob";
            const began = performance.now();
            const status = await get(port, `${name}:${randomBytes(20).toString("hex")}`, agent);
            if (status !== 401) throw new Error(`a wrong login was answered with ${status}`);
            times[count % 2]?.push(performance.now() - began);
        }
    } finally {
        agent.destroy();
    }
    return [median(times[0]), median(times[1])];
}

/**
 * What one wrong login takes of a processor, in all containers together. Unit: ms.
 *
 * @param {Ours} ours
 */
async function costOfGuess(ours) {
    const before = await cpuSeconds(ours.containers);
    const { count } = await besideGuesses(ours, () => sleep(SECONDS * 1000));
    const guesses = await count();
    if (guesses < SECONDS * RATE * 0.9) say(`only ${guesses} guesses were answered`);
    return (((await cpuSeconds(ours.containers)) - before) * 1000) / guesses;
}

/**
 * The grade and the score that testssl.sh gives from version 3.2 on, beside what is aimed at.
 *
 * @param {readonly { id: string, finding: string }[]} findings
 */
function rating(findings) {
    const [grade, score] = ["overall_grade", "final_score"].map(
        (wanted) => findings.find(({ id }) => id === wanted)?.finding,
    );
    if (grade === undefined || score === undefined) return "This version gives no grade.";
    const isMet = grade === GRADE && Number(score) >= SCORE;
    return `Grade ${grade}, score ${score} (aim: ${GRADE}, at least ${SCORE}): ${isMet ? "met" : "**not met**"}.`;
}

/**
 * What testssl.sh finds, in one line.
 *
 * @param {Ours} ours
 */
async function scan({ label, port, authority }) {
    const folder = mkdtempSync(join(tmpdir(), "private-registry-scan-"));
    try {
        const file = join(folder, "findings");
        const ca = join(folder, "ca.crt");
        writeFileSync(ca, authority);
        const quiet = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none"];
        const { code } = await run("sh", ["-c", "command -v testssl"]);
        if (code !== 0) return `${label}: testssl.sh is not installed.`;
        const where = ["--ip", "127.0.0.1", `https://localhost:${port}/v2/`];
        await run("testssl", [...quiet, "--add-ca", ca, "--jsonfile", file, ...where]);
        /** @type {{ id: string, severity: string, finding: string }[]} */
        const findings = JSON.parse(readFileSync(file, "utf8"));
        const bad = findings
            .filter(({ severity }) => SEVERITIES.includes(severity))
            .map(({ id, severity, finding }) => `${id} (${severity}: ${finding})`);
        return (
            `${label}: ${await versionOf("testssl")} has ${findings.length} findings, of medium severity or more: ` +
            `${bad.join("; ") || "none"}. ${rating(findings)}`
        );
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}
