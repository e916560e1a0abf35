// @ts-check
// A bar chart as SVG: readable in light and dark surroundings, and without colours.
const WIDTH = 860;
const LEFT = 250;
const BAR = 16;
const GAP = 14;

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-size: 16px; font-weight: 600; }
    .c0 { fill: #8c959f; } .c1 { fill: #0969da; } .c2 { fill: #8250df; } .c3 { fill: #bf8700; }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; }
        .c0 { fill: #6e7681; } .c1 { fill: #4493f8; } .c2 { fill: #ab7df8; } .c3 { fill: #d29922; }
    }`;

/**
 * @param {string} title
 * @param {string[]} series names of the bars of each group
 * @param {{ label: string, values: number[] }[]} groups
 * @param {(value: number) => string} show
 */
export function drawBars(title, series, groups, show) {
    const most = Math.max(...groups.flatMap(({ values }) => values));
    const scale = (WIDTH - LEFT - 90) / most;
    const height = 70 + groups.length * (series.length * BAR + GAP);
    const legend = series.map(
        (name, index) =>
            `<rect class="c${index}" x="${LEFT + index * 180}" y="38" width="12" height="12"/>` +
            `<text x="${LEFT + index * 180 + 18}" y="49">${escape(name)}</text>`,
    );
    const bars = groups.flatMap(({ label, values }, group) => {
        const top = 66 + group * (series.length * BAR + GAP);
        return [
            `<text x="${LEFT - 12}" y="${top + (series.length * BAR) / 2 + 4}" text-anchor="end">${escape(label)}</text>`,
            ...values.map((value, index) => {
                const y = top + index * BAR;
                const width = Math.max(1, value * scale).toFixed(1);
                return (
                    `<rect class="c${index}" x="${LEFT}" y="${y}" width="${width}" height="${BAR - 3}"/>` +
                    `<text x="${(LEFT + value * scale + 6).toFixed(1)}" y="${y + 11}">${escape(show(value))}</text>`
                );
            }),
        ];
    });
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">`,
        `<style>${STYLE}\n</style>`,
        `<text class="title" x="12" y="22">${escape(title)}</text>`,
        ...legend,
        ...bars,
        "</svg>\n",
    ].join("\n");
}

/** @param {string} text */
function escape(text) {
    return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
