import { dockerMachine, parseDockerEndpoint } from "../../lib/docker-endpoint";

test.each([
    ["unix:///var/run/docker.sock", { scheme: "unix", path: "/var/run/docker.sock" }, "127.0.0.1"],
    ["tcp://docker.test:2376", { scheme: "tcp", host: "docker.test", port: 2376 }, "docker.test"],
    ["tcp://docker.test", { scheme: "tcp", host: "docker.test", port: 2375 }, "docker.test"],
    [
        "ssh://ops@docker.test",
        { scheme: "ssh", user: "ops", host: "docker.test", port: 22 },
        "docker.test",
    ],
    [
        "ssh://docker.test:2222",
        { scheme: "ssh", user: "", host: "docker.test", port: 2222 },
        "docker.test",
    ],
    [
        "ssh://ops@[2001:db8::1]:22",
        { scheme: "ssh", user: "ops", host: "2001:db8::1", port: 22 },
        "2001:db8::1",
    ],
] as const)("%s", (text, endpoint, machine) => {
    expect(parseDockerEndpoint(text)).toEqual(endpoint);
    expect(dockerMachine(endpoint)).toBe(machine);
});

test.each([
    "",
    "docker.test",
    "unix://relative",
    "npipe:////./pipe/docker_engine",
    "ssh://ops@docker.test:0",
    "ssh://ops@docker.test:70000",
    "ssh://-oProxyCommand=x y@host",
    "tcp://host:12/path",
])("%j is refused", (text) => {
    expect(parseDockerEndpoint(text)).toBeUndefined();
});
