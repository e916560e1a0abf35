// @ts-check

/**
 * What a piece of work comes to, or an error that says what there was not when it takes longer than this. The work itself is not stopped.
 *
 * @template T
 * @param {Promise<T>} work
 * @param {number} patienceMs
 * @param {string} [missed]
 * @returns {Promise<T>}
 */
export async function within(work, patienceMs, missed = "no answer") {
    work.catch(() => undefined);
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    /** @type {Promise<never>} */
    const limit = new Promise((_, reject) => {
        const error = new Error(`${missed} within ${patienceMs / 1000} s`);
        timer = setTimeout(() => reject(error), patienceMs);
    });
    try {
        return await Promise.race([work, limit]);
    } finally {
        clearTimeout(timer);
    }
}
