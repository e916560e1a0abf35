import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectReadable, open, testWithBrowser, withBrowser } from "../support/browser";
import { pageOf } from "../support/status";
import { EXAMPLE } from "../support/status-example";
import { hostile, HOSTILE } from "../support/status-hostile";

/** The status page in a browser, from statuses that need no registry. */

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "private-registry-page-"));
});
afterEach(() => {
    rmSync(folder, { recursive: true });
});

function write(status: unknown): string {
    const file = join(folder, "status.html");
    writeFileSync(file, pageOf(status));
    return file;
}

testWithBrowser("it is readable for everybody, and needs nothing but itself", () =>
    withBrowser((browser) => expectReadable(browser, write(EXAMPLE))),
);

testWithBrowser("whatever the names of others are, they are only text", () =>
    withBrowser(async (browser) => {
        const file = write(hostile());
        await expectReadable(browser, file);
        const { page } = await open(browser, file, "light", 1280);
        const text = await page.evaluate<string>("document.body.textContent");
        for (const name of HOSTILE) expect(text).toContain(name);
        expect(await page.evaluate<number>("document.scripts.length")).toBe(0);
        expect(await page.evaluate<string>("document.title")).toContain("Registry");
    }),
);

testWithBrowser("what a repository's tags are is to be had with the keyboard alone", () =>
    withBrowser(async (browser) => {
        const { page } = await open(browser, write(EXAMPLE), "light", 1280);
        const details = "document.activeElement.closest('details')";
        for (let presses = 0; !(await page.evaluate<boolean>(`${details} !== null`)); presses++) {
            if (presses > 50) throw new Error("no tags are reached by the Tab key");
            await page.keyboard.press("Tab");
        }
        await page.keyboard.press("Enter");
        expect(await page.evaluate<string>(`${details}.innerText`)).toContain("1.9.0 (98.0 MB)");
    }),
);

// Makes docs/pictures anew: STATUS_PICTURES=docs/pictures npm test -- tests/integration/status-page.test.ts
const pictures = process.env.STATUS_PICTURES;
(pictures === undefined ? test.skip : test)("the pictures of the documentation", () =>
    withBrowser(async (browser) => {
        for (const scheme of ["light", "dark"] as const) {
            const { page } = await open(browser, write(EXAMPLE), scheme, 1100);
            await page.screenshot({
                path: join(pictures ?? "", `status-${scheme}.png`),
                clip: { x: 0, y: 0, width: 1100, height: 1205 },
                fullPage: true,
            });
        }
    }),
);
