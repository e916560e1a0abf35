import { EXAMPLE, host, repository, type Status } from "./status-example";

/** Names that would be more than text if something took them for it. */
export const HOSTILE = [
    "<script>document.title='taken'</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</td></table><h1>taken</h1>",
    "</style><style>*{display:none}</style>",
    "<!-- ",
    "&lt;b&gt;",
    "${7*7} {{7*7}} `x`",
    "\u05d0\u05d1\u05d2 \u0627\u0628\u062c",
    `very-long-${"x".repeat(400)}`,
];

/** The example with such names wherever a text of somebody else's may stand. */
export function hostile(): Status {
    const status = structuredClone(EXAMPLE);
    const all = HOSTILE.join(" ");
    status.verdict.reasons = [...HOSTILE];
    status.registry.version = all;
    status.registry.storage = all;
    status.checks.forEach((check) => {
        check.part = all;
        check.text = all;
    });
    status.hosts = HOSTILE.map((name) => ({
        ...host("build1", name, name),
        resolves: name,
        files: name,
        proof: name,
    }));
    status.repositories.list = HOSTILE.map((name) =>
        repository(name, 1e6, Object.fromEntries(HOSTILE.map((tag) => [tag, null]))),
    );
    status.repositories.problem = all;
    status.accounts.problem = all;
    return status;
}
