// @ts-check

/**
 * What a piece of work comes to, or an error when it takes longer than this. The work itself is not stopped.
 *
 * @template T
 * @param {Promise<T>} work
 * @param {number} patienceMs
 * @returns {Promise<T>}
 */
export async function within(work, patienceMs) {
    work.catch(() => undefined);
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    /** @type {Promise<never>} */
    const limit = new Promise((_, reject) => {
        const error = new Error(`no answer within ${patienceMs / 1000} s`);
        timer = setTimeout(() => reject(error), patienceMs);
    });
    try {
        return await Promise.race([work, limit]);
    } finally {
        clearTimeout(timer);
    }
}
