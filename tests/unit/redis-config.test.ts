import { redisConfig, redisHealthTest } from "../../lib/redis-config";

const lines = (isEncrypted: boolean) => redisConfig("ab12", isEncrypted).split("\n");

test("it keeps nothing on a disk, and forgets before it takes more memory than it may", () => {
    expect(lines(false)).toEqual(
        expect.arrayContaining([
            "port 6379",
            "maxmemory 64mb",
            "maxmemory-policy allkeys-lru",
            'save ""',
            "appendonly no",
        ]),
    );
});

test("the one account is known by the hash of its password and may not do what is dangerous, but for emptying", () => {
    const [account = "", ...others] = lines(false).filter((line) => line.startsWith("user "));
    expect(others).toEqual([]);
    expect(account).toContain(" reset on #ab12 ");
    // In this order: what comes later counts.
    expect(account).toMatch(/ -@all .* -@dangerous \+flushdb \+info$/);
    expect(account).not.toContain("nopass");
});

test("by TLS it is reached in no other way", () => {
    expect(lines(true)).toEqual(expect.arrayContaining(["port 0", "tls-port 6379"]));
    expect(lines(true)).not.toContain("port 6379");
    expect(redisHealthTest(true).join(" ")).toContain(" --tls ");
    expect(redisHealthTest(false).join(" ")).not.toContain("--tls");
});
