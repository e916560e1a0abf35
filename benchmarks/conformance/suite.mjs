// @ts-check
// The conformance suite of the OCI distribution specification, run against one registry.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { must, run } from "../run.mjs";
import { PROJECT } from "../workspace.mjs";
import report from "./report.js";

const PACKAGE = "github.com/opencontainers/distribution-spec/conformance";

/**
 * A registry, and how to reach it.
 *
 * @typedef {object} Subject
 * @property {string} name
 * @property {string} registry host and port
 * @property {string} [authorities] path of a PEM file; unset: the registry has no TLS
 * @property {{ username: string, password: string }} [account]
 */

/** Builds the suite where it is not there yet; returns the path of its program. */
export async function buildSuite() {
    const tool = join(PROJECT, "tests/support/build-go-tool");
    return (await must(tool, ["conformance", PACKAGE])).trim();
}

/** Version of the suite's module. */
export function suiteVersion() {
    const pinned = readFileSync(join(PROJECT, "tests/support/conformance/go.mod"), "utf8");
    return new RegExp(`^\\s*${PACKAGE} (\\S+)`, "m").exec(pinned)?.[1] ?? "unknown";
}

/**
 * Runs all of the suite, in repositories that no other run has; its own reports are written to the folder.
 *
 * @param {string} suite
 * @param {Subject} subject
 * @param {string} folder
 */
export async function runSuite(suite, subject, folder) {
    mkdirSync(folder, { recursive: true });
    const id = randomBytes(4).toString("hex");
    const { code, stdout, stderr } = await run(suite, [], {
        // It would read a file of settings from where it is run.
        cwd: folder,
        env: {
            ...withoutSuiteSettings(),
            OCI_REGISTRY: subject.registry,
            OCI_TLS: subject.authorities === undefined ? "disabled" : "enabled",
            OCI_REPO1: `conformance/${id}/repo1`,
            OCI_REPO2: `conformance/${id}/repo2`,
            OCI_VERSION: "1.1",
            OCI_LOG: "error",
            OCI_RESULTS_DIR: folder,
            ...(subject.authorities && { SSL_CERT_FILE: subject.authorities }),
            ...(subject.account && {
                OCI_USERNAME: subject.account.username,
                OCI_PASSWORD: subject.account.password,
            }),
        },
    });
    const file = join(folder, "junit.xml");
    if (!existsSync(file)) {
        throw new Error(`the suite ended with ${code} and without a report: ${stderr || stdout}`);
    }
    return report.readReport(readFileSync(file, "utf8"));
}

/** Those of the user are for registries of theirs. */
function withoutSuiteSettings() {
    return Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !name.startsWith("OCI_")),
    );
}
