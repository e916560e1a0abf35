/** The error of a request that was given up; its code is that of a connection which times out. Unit: milliseconds. */
export function noAnswer(timeout: number): Error {
    return Object.assign(new Error(`no answer in ${timeout / 1000} s`), { code: "ETIMEDOUT" });
}
