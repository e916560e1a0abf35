import { sortFailures } from "../support/restart-failures";

test("while a registry restarts a request may be refused or cut, and nothing else may go wrong", () => {
    const allowed = [
        "connect ECONNREFUSED 127.0.0.1:5000",
        "socket hang up",
        "aborted",
        '502 instead of 201: {"errors":[{"code":"UNAVAILABLE"}]}',
        "405 instead of 202: ",
        '400 instead of 201: {"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}',
    ];
    const others = [
        "500 instead of 201: ",
        "502 instead of 201: ",
        '400 instead of 201: {"errors":[{"code":"DIGEST_INVALID"}]}',
        "401 instead of 202: ",
        "sha256:0 is not intact",
    ];
    const sorted = sortFailures([...others, ...allowed]);
    expect(Object.values(sorted.allowed)).toEqual([3, 1, 1, 1]);
    expect(sorted.others).toEqual(others);
});
