import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { rootCertificates } from "node:tls";
import type { Advice } from "./advice";
import type { Mirror, Upstream } from "./mirror-config";
import { noAnswer } from "./no-answer";
import { failure, type Look } from "./service-checks";

const TIMEOUT_MS = 10_000;

interface Answer {
    readonly status: number;
    readonly challenge: string;
}

/**
 * Asks the registry that a mirror fetches from whether it is one, and takes the mirror's login. It is asked as the mirror does:
 * by HTTP Basic, or for a token where it says who gives them.
 *
 * @param path the mirror in the configuration, as `--path` takes it
 * @param say how to tell what to change
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export async function lookAtUpstream(
    path: string,
    { upstream }: Mirror,
    say: Advice,
): Promise<Look> {
    const { url, proxy, credentials } = upstream;
    if (proxy !== undefined) {
        return { unseen: `${url} is behind the proxy ${proxy}` };
    }
    try {
        const first = await ask(`${url}/v2/`, upstream);
        if (first.status === 200) return {};
        if (first.status >= 500 || first.status === 429) {
            return { unseen: `${url} answers ${first.status}` };
        }
        const question = first.status === 401 ? tokenQuestion(first.challenge, url) : undefined;
        if (question === undefined) {
            return {
                problem: `what answers at ${url} is not a registry (answer to /v2/: ${first.status}). Name one: ${say.set(`${path}.upstream`, "<host>")}`,
            };
        }
        if (question === "" && credentials === undefined)
            return { problem: wantsLogin(path, url, say) };
        const { status } = await ask(question === "" ? `${url}/v2/` : question, upstream, true);
        if (status === 200) return {};
        if (status !== 401 && status !== 403) {
            return { unseen: `${url} answers ${status} to a login` };
        }
        return {
            problem:
                credentials === undefined
                    ? wantsLogin(path, url, say)
                    : `${url} does not take the login of ${credentials.username}. Set it anew: ${setLogin(path, say)}`,
        };
    } catch (error) {
        return failure(error, url, `${path}.upstream`, say);
    }
}

function wantsLogin(path: string, url: string, say: Advice): string {
    return `${url} wants a login, and the mirror has none. Set it: ${setLogin(path, say)}`;
}

function setLogin(path: string, { set }: Advice): string {
    return `${set(`${path}.credentials.username`, "<name>")}, and ${set(`${path}.credentials.password`, "", true)}`;
}

/** Where to ask for a token; empty: the registry itself takes the login; undefined: it does not say how to log in. */
function tokenQuestion(challenge: string, url: string): string | undefined {
    if (/^basic\b/i.test(challenge)) return "";
    const field = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1];
    const realm = field("realm");
    if (!/^bearer\b/i.test(challenge) || realm === undefined || !URL.canParse(realm)) {
        return undefined;
    }
    const question = new URL(realm);
    // A login does not go over the line in clear where the registry itself is asked by TLS.
    if (question.protocol !== "https:" && !url.startsWith("http://")) return undefined;
    const service = field("service");
    if (service !== undefined) question.searchParams.set("service", service);
    return question.href;
}

async function ask(
    url: string,
    { caCertificate, credentials }: Upstream,
    isLogin = false,
): Promise<Answer> {
    const request = url.startsWith("https:") ? requestHttps : requestHttp;
    return new Promise((resolve, reject) => {
        const asked = request(
            url,
            {
                agent: false,
                timeout: TIMEOUT_MS,
                ca: caCertificate === undefined ? undefined : [...rootCertificates, caCertificate],
                auth:
                    isLogin && credentials !== undefined
                        ? `${credentials.username}:${credentials.password}`
                        : undefined,
            },
            (response) => {
                const { statusCode = 0, headers } = response;
                text(response).then(
                    () =>
                        resolve({
                            status: statusCode,
                            challenge: headers["www-authenticate"] ?? "",
                        }),
                    reject,
                );
            },
        );
        asked.on("timeout", () => asked.destroy(noAnswer(TIMEOUT_MS)));
        asked.on("error", reject);
        asked.end();
    });
}
