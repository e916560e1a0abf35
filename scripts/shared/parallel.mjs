// @ts-check

/**
 * Does some work for each of these, so many at the same time.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {number} limit
 * @param {(item: T, index: number) => Promise<void>} work
 */
export async function inParallel(items, limit, work) {
    // All workers take from the same one.
    const rest = items.entries();
    const worker = async () => {
        for (const [index, item] of rest) await work(item, index);
    };
    await Promise.all(Array.from({ length: limit }, worker));
}
