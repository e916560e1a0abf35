// @ts-check
// Why a host could not be logged in to, in words that say what to do.

/** @type {readonly [RegExp, string, string][]} what is said, by the provider or by ssh2; what it means; what to do */
const CAUSES = [
    [
        /host key mismatch|no common algorithm for host key|no matching host key|host denied/i,
        "it shows another host key than the one that is pinned",
        "if it was installed anew: npm run host-keys shows its key, to compare and to set; else somebody poses as it",
    ],
    [
        /unable to authenticate|no supported methods remain|authentication methods failed/i,
        "it refuses the login",
        "add the public key to authorized_keys there, or correct user and privateKeyPath",
    ],
    [
        /passphrase/i,
        "the private key needs its passphrase, or another one",
        "./pulumiw config set --secret --path ssh.privateKeyPassword",
    ],
    [
        /SSH agent|agent socket/i,
        "the SSH agent does not answer",
        "start it and set SSH_AUTH_SOCK, or set ssh.privateKeyPath",
    ],
    [
        /no such host|name resolution|server misbehaving|ENOTFOUND|EAI_AGAIN/,
        "its name does not resolve here",
        "correct host, or put the name into the DNS of this machine",
    ],
    [
        /connection refused|ECONNREFUSED/i,
        "nothing listens there",
        "start sshd on it, or correct host and port",
    ],
    [
        /administratively prohibited|open failed/i,
        "the host on the way lets no connection through to it",
        "set AllowTcpForwarding yes in sshd_config there, and see that PermitOpen names it",
    ],
    [
        /no SSH handshake within/,
        "it takes connections and then says nothing",
        "start its sshd or the host anew, or correct host and port",
    ],
    [
        /context deadline exceeded|no answer within/,
        "it was not done in time",
        "see what hangs there, then run up again",
    ],
    [
        /no connection through|i\/o timeout|no route to host|unreachable|host is down|timed out|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/i,
        "it does not answer",
        "switch it on, or see to the network between",
    ],
    [
        /connection reset|ECONNRESET|EOF|handshake failed|connection lost/i,
        "what answers there does not speak SSH, or turned the connection away",
        "correct host and port, or see the log of its sshd",
    ],
];

/**
 * The cause with what was said in brackets, and what to do; the first line of what was said when it is none of the known ones.
 *
 * @param {string} said
 */
export function explain(said) {
    const first = said.trim().split("\n")[0] ?? said;
    const cause = CAUSES.find(([pattern]) => pattern.test(said));
    return cause === undefined ? first : `${cause[1]} (${first.split(": ").at(-1)}); ${cause[2]}`;
}
