// @ts-check

/**
 * Lines of columns, each as wide as its widest cell.
 *
 * @param {string[][]} rows
 * @returns {string[]}
 */
export function table(rows) {
    const widths = (rows[0] ?? []).map((_, column) =>
        Math.max(...rows.map((row) => (row[column] ?? "").length)),
    );
    return rows.map((row) =>
        row
            .map((cell, column) => cell.padEnd(widths[column] ?? 0))
            .join("  ")
            .trimEnd(),
    );
}
