"use strict";
// Runs on its own (`node -`), so it uses nothing but Node.js.
const https = require("node:https");
const { X509Certificate } = require("node:crypto");

/** How long a registry may take to give up a storage that does not answer: it tries each request four times. */
const STORAGE_PATIENCE_MS = 150_000;
/** A repository that nobody has: asking for it makes the registry ask its storage. */
const NOBODYS = "/v2/private-registry-proof";
/** How long a registry may take to answer a request after its container was started. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 50;

const TRANSIENT = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

/** Tells apart, in words that name the fix, why the registry could not be asked. */
function cause(error, { address, port, hostname, containerName }) {
    const where = `${address}:${port}`;
    const look = `see: docker logs ${containerName}`;
    switch (error.code) {
        case "ECONNREFUSED":
            return `nothing answers at ${where}; ${look}`;
        // So does Docker's proxy while there is nothing behind it.
        case "ECONNRESET":
        case "EPIPE":
            return `what answers at ${where} cuts the connection off; ${look}`;
        case "ETIMEDOUT":
        case "EHOSTUNREACH":
        case "ENETUNREACH":
            return `no way to ${where} from this machine (firewall, route or bindAddress?)`;
        case "ENOTFOUND":
        case "EAI_AGAIN":
            return `the name ${address} does not resolve on this machine`;
        case "ERR_TLS_CERT_ALTNAME_INVALID":
            return `the certificate served at ${where} is not for ${hostname}`;
        case "CERT_NOT_YET_VALID":
            return `the clock of this machine is behind: by it (${new Date().toISOString()}) the certificate served at ${where} is not valid yet`;
        case "CERT_HAS_EXPIRED":
            return `the certificate served at ${where} has ended by the clock of this machine (${new Date().toISOString()})`;
        case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
        case "SELF_SIGNED_CERT_IN_CHAIN":
        case "DEPTH_ZERO_SELF_SIGNED_CERT":
        case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
        case "CERT_SIGNATURE_FAILURE":
            return `something else answers at ${where}: its certificate is not from this stack's authority`;
        case "EPROTO":
            return `what answers at ${where} does not speak TLS`;
        default:
            return `${error.message}; ${look}`;
    }
}

function ask(
    { address, port, hostname, caBundle },
    authorization,
    { method = "GET", path = "/v2/", timeout = 5_000 } = {},
) {
    return new Promise((resolve, reject) => {
        const request = https.request(
            {
                host: address,
                port,
                method,
                path,
                ca: caBundle,
                // The handshake and its checks are for the name that clients type.
                servername: /^[\d.]+$|:/.test(hostname) ? "" : hostname,
                checkServerIdentity: (_, certificate) =>
                    require("node:tls").checkServerIdentity(hostname, certificate),
                headers: { host: `${hostname}:${port}`, ...(authorization && { authorization }) },
                agent: false,
                timeout,
            },
            (response) => {
                const certificate = response.socket.getPeerX509Certificate();
                // Cut off after its head, it would end nothing.
                response.on("error", reject);
                response.resume();
                response.on("end", () =>
                    resolve({
                        status: response.statusCode,
                        headers: response.headers,
                        certificate,
                    }),
                );
            },
        );
        request.on("timeout", () =>
            request.destroy(
                Object.assign(new Error(`no answer in ${timeout / 1000} s`), { code: "ETIMEDOUT" }),
            ),
        );
        request.on("error", reject);
        request.end();
    });
}

/** What is answered in the end: a process that comes, or gives way to another one, leaves some requests without an answer. */
async function answerTo(input, authorization, options) {
    const end = Date.now() + (input.patienceMs ?? PATIENCE_MS);
    for (let tries = 1; ; tries++) {
        try {
            return await ask(input, authorization, options);
        } catch (error) {
            // The first time it may have been this machine that stood still, but not for as long as a storage may take.
            const mayAskAgain =
                Date.now() <= end || (tries === 1 && options?.timeout === undefined);
            if (!TRANSIENT.has(error.code) || !mayAskAgain) {
                throw new Error(cause(error, input), { cause: error });
            }
            await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
    }
}

function basicOf(username, password) {
    return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/**
 * Has the registry read from its storage. An upload that is begun and dropped would leave something behind there. Where
 * accounts have permissions, one of an admin has to ask.
 */
async function proveStorage(input, accounts) {
    const { storage, containerName } = input;
    const question = { path: `${NOBODYS}/tags/list`, timeout: STORAGE_PATIENCE_MS };
    let status;
    for (const [username, password] of accounts) {
        ({ status } = await answerTo(input, basicOf(username, password), question).catch(
            (error) => ({ status: error.cause.message }),
        ));
        if (status !== 403) break;
    }
    if (status === 403) return ", storage not asked: no team is an admin";
    // Of a bucket that has nothing yet it says that it has no tags.
    if (status !== 404 && status !== 200) {
        throw new Error(
            `the registry runs and cannot use its storage, ${storage} (answer: ${status}). It has to be reached from the registry's container; see: docker logs ${containerName}`,
        );
    }
    return ", storage answers";
}

async function check(input) {
    const { hostname, port, containerName, loaderExitCode } = input;
    if (loaderExitCode !== undefined && loaderExitCode !== 0) {
        throw new Error(
            `the settings could not be loaded (exit code ${loaderExitCode}); see: docker logs of the loader container of ${containerName}`,
        );
    }
    const answer = await answerTo(input);
    if (answer.headers["docker-distribution-api-version"] !== "registry/2.0") {
        throw new Error(`what answers at ${input.address}:${port} is not a registry`);
    }
    if (
        answer.certificate.fingerprint256 !== new X509Certificate(input.certificate).fingerprint256
    ) {
        throw new Error(
            `the registry still serves an older certificate; restart it: docker restart ${containerName}`,
        );
    }
    const [wanted, rule] = input.anonymous ? [200, "accepted"] : [401, "refused"];
    if (answer.status !== wanted) {
        throw new Error(
            `a request without account must be ${rule} with ${wanted}, the registry answered ${answer.status}`,
        );
    }
    const accounts = Object.entries(input.passwords);
    for (const [username, password] of accounts) {
        const { status } = await answerTo(input, basicOf(username, password));
        if (status !== 200) {
            throw new Error(
                `the account ${username} must be accepted with 200, the registry answered ${status}`,
            );
        }
    }
    const names = accounts.map(([name]) => name).join(", ");
    const storage = input.storage === undefined ? "" : await proveStorage(input, accounts);
    return input.anonymous
        ? `proved: TLS for ${hostname}, 200 without account`
        : `proved: TLS for ${hostname}, 401 without account, accounts accepted: ${names}${storage}`;
}

// Called by the line that is appended to this program.
// eslint-disable-next-line no-unused-vars
function prove(input) {
    check(input).then(
        (result) => console.log(result),
        (error) => {
            console.error(
                `https://${input.hostname}:${input.port}/v2/ is not proved: ${error.message}`,
            );
            process.exitCode = 1;
        },
    );
}
