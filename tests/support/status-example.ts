/** The status of a registry that somebody could have: what the pictures in docs/pictures show. */
export const EXAMPLE = {
    lookedAt: "2026-11-27T07:10:00Z",
    stack: "production",
    verdict: {
        state: "WRONG",
        reasons: [
            "WRONG: 1 of 3 client hosts differ",
            "due: certificate: 21 days left; the next up renews it",
        ],
    },
    registry: {
        url: "https://registry.example.com:5000",
        answers: true,
        image: "registry:3.1.1",
        version: "3.1.1",
        startedAt: "2026-10-02T05:17:00Z",
        hasGateway: true,
        replicas: null,
        isReadOnly: false,
        isDeleteEnabled: true,
        storage: "volume private-registry-production-data",
        mirrors: [{ registry: "docker.io", address: "registry.example.com:5010" }],
        docker: { host: "ssh://ops@docker.example.com", version: "29.1.2" },
    },
    containers: [
        container("registry", "", "registry:3.1.1"),
        container("gateway", "-gateway", "caddy:2.11.9"),
        container("accounts of the gateway", "-access", "caddy:2.11.9"),
        container("mirror hub", "-mirror-hub", "registry:3.1.1"),
    ],
    checks: [
        check("Docker", "containers, volumes, network and image as they were made"),
        check("settings", "config.yml, serve.sh, hold.sh as they were loaded"),
        check("gateway", "tls.pem, access.json as they were loaded"),
        check(
            "proof",
            "proved: TLS for registry.example.com, 401 without account, accounts accepted: ci, ops, web, web-2",
        ),
        check("mirror hub", "proved: TLS for registry.example.com, 200 without account"),
        check("certificate", "21 days left; the next up renews it", "due"),
        check("authority 1", "3470 days left"),
    ],
    certificates: [
        {
            name: "server",
            state: "due",
            from: "2026-06-01T05:17:00Z",
            until: "2026-12-18T05:17:00Z",
            daysLeft: 21,
            renewedFrom: "2026-11-18T05:17:00Z",
            isSigning: false,
            fingerprint: fingerprint("5A"),
        },
        {
            name: "authority 1",
            state: "ok",
            from: "2026-05-29T05:17:00Z",
            until: "2036-05-26T05:17:00Z",
            daysLeft: 3470,
            renewedFrom: "2035-10-09T05:17:00Z",
            isSigning: true,
            fingerprint: fingerprint("C3"),
        },
    ],
    accounts: {
        logsSince: "2026-10-02T05:17:00Z" as string | null,
        problem: null as string | null,
        list: [
            account(
                "ci",
                "ci",
                "pulls base/*; pushes and pulls app/*, web/*",
                "2026-11-27T07:08:00Z",
            ),
            account("ops", "ops", "everything", "2026-11-20T16:42:00Z", "delete"),
            account("web", "web", "pushes and pulls web/*", "2026-11-26T13:05:00Z", "push"),
            account("web-2", "web", "pushes and pulls web/*"),
        ],
    },
    hosts: [
        host("build1", "192.0.2.21"),
        host(
            "build2",
            "192.0.2.22",
            "docker missing: /etc/docker/certs.d/registry.example.com:5000/ca.crt missing",
        ),
        host("node1", "192.0.2.31"),
    ],
    repositories: {
        list: [
            repository("app/api", 214e6, {
                "1.8.0": 96e6,
                "1.8.1": 96e6,
                "1.9.0": 98e6,
                latest: 98e6,
            }),
            repository("app/worker", 131e6, { "0.4.2": 131e6 }),
            repository("base/node", 61e6, { "24": 61e6, "24-slim": 44e6 }),
            repository("web/shop", 182e6, { "2026.10": 118e6, "2026.11": 121e6 }),
        ],
        known: 4,
        isMore: false,
        bytes: 437e6 as number | null,
        bytesApart: 588e6 as number | null,
        isWhole: true,
        problem: null as string | null,
    },
    disks: [
        {
            role: "images",
            where: "volume private-registry-production-data on ssh://ops@docker.example.com",
            used: 512e6,
            free: 61.4e9,
            size: 98.3e9,
        },
        {
            role: "mirror hub",
            where: "its volume on ssh://ops@docker.example.com",
            used: 3.1e9,
            free: 61.4e9,
            size: 98.3e9,
        },
    ],
};

export type Status = typeof EXAMPLE;

function container(role: string, suffix: string, image: string) {
    return {
        role,
        name: `private-registry-production${suffix}`,
        image,
        state: "ok",
        text: "running, healthy",
        startedAt: "2026-10-02T05:17:00Z",
    };
}

function check(part: string, text: string, state = "ok") {
    return { part, state, text };
}

/** SHA-256 as certificates show it. */
function fingerprint(byte: string): string {
    return Array.from({ length: 32 }, () => byte).join(":");
}

function account(name: string, team: string, permissions: string, at?: string, kind = "pull") {
    return { name, team, permissions, lastUse: at === undefined ? null : { at, kind } };
}

/** A client host, with what differs there. */
export function host(name: string, address: string, ...differs: string[]) {
    const isFine = differs.length === 0;
    return {
        name,
        address,
        state: isFine ? "ok" : "WRONG",
        resolves: "192.0.2.10",
        files: isFine ? "ours" : "missing",
        proof: isFine ? "proved" : "not proved",
        differs,
    };
}

/** A repository, with the sizes of its tags. */
export function repository(name: string, bytes: number, tags: Record<string, number | null>) {
    return {
        name,
        tags: Object.entries(tags).map(([tag, size]) => ({ name: tag, bytes: size })),
        bytes,
        isWhole: true,
        problem: null as string | null,
    };
}
