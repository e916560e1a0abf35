import { isIPv6 } from "node:net";
import * as fc from "fast-check";
import { canonicalAddress, hostAndPort, isWildcard, subjectAltNames } from "../../lib/address";

test.each([
    ["registry.example.com", 5000, "registry.example.com:5000"],
    ["192.0.2.7", 443, "192.0.2.7:443"],
    ["2001:db8::1", 5000, "[2001:db8::1]:5000"],
])("%s and port %i are %s", (host, port, expected) => {
    expect(hostAndPort(host, port)).toBe(expected);
});

test("alternative names are sorted into names and addresses, each once", () => {
    expect(subjectAltNames(["b.test", "127.0.0.1", undefined, "a.test", "::1", "b.test"])).toEqual({
        dnsNames: ["a.test", "b.test"],
        ipAddresses: ["127.0.0.1", "::1"],
    });
});

test("the order in which alternative names are given makes no difference", () => {
    const name = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
        fc.property(fc.array(name), fc.infiniteStream(fc.nat()), (names, numbers) => {
            const keyed = names.map((value) => ({ value, key: numbers.next().value }));
            const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
            expect(subjectAltNames(shuffled)).toEqual(subjectAltNames(names));
        }),
    );
});

test.each([
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8::1", "2001:db8::1"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:0db8:0:0:0000:0:0:1", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::ffff:C000:0207", "::ffff:192.0.2.7"],
])("the address %s is printed as %s by systems", (given, printed) => {
    expect(canonicalAddress(given)).toBe(printed);
});

test("an address means the same in the form in which systems print it, which is one", () => {
    const anyAddress = fc.ipV6().filter((address) => isIPv6(address));
    fc.assert(
        fc.property(anyAddress, (address) => {
            const canonical = canonicalAddress(address);
            const asUrl = (text: string) => new URL(`http://[${text}]`).hostname;
            expect(asUrl(canonical)).toBe(asUrl(address));
            expect(canonicalAddress(canonical)).toBe(canonical);
            expect(canonicalAddress(address.toUpperCase())).toBe(canonical);
        }),
    );
});

test.each([
    ["0.0.0.0", true],
    ["::", true],
    ["127.0.0.1", false],
])("%s is a wildcard: %s", (address, expected) => {
    expect(isWildcard(address)).toBe(expected);
});
