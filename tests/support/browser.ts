import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";

/** Where Debian's, Ubuntu's and Google's packages put it. */
const PLACES = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    (process.env.PATH ?? "").split(":").map((folder) => join(folder, name)),
);
const program = PLACES.find((place) => existsSync(place));

/** For what only a browser can say; skipped where there is none. */
export function testWithBrowser(name: string, work: () => Promise<void>): void {
    if (program === undefined)
        test.skip(`${name} (no browser here; Debian: apt-get install chromium)`, work);
    else test(name, work);
}

export type Scheme = "light" | "dark";

/** Calls a test with a headless Chromium that is gone afterwards. */
export async function withBrowser(test: (browser: Browser) => Promise<void>): Promise<void> {
    const browser = await chromium.launch({
        executablePath: program,
        // As root, its sandbox does not start.
        chromiumSandbox: process.getuid?.() !== 0,
    });
    try {
        await test(browser);
    } finally {
        await browser.close();
    }
}

/** A file that is open in a browser, and what happened since. */
export interface OpenPage {
    readonly page: Page;
    /** Addresses that were asked for. */
    readonly requests: string[];
    /** What the browser complained of. */
    readonly messages: string[];
}

export async function open(
    browser: Browser,
    file: string,
    scheme: Scheme,
    width: number,
): Promise<OpenPage> {
    const page = await browser.newPage({
        colorScheme: scheme,
        viewport: { width, height: 800 },
    });
    const requests: string[] = [];
    const messages: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(error.message));
    await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
    return { page, requests, messages };
}

/** What axe finds that keeps people from using a page. */
export async function barriers(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
    return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** A file is what it should be in a browser: quiet, complete in itself, readable for everybody, also on a phone. */
export async function expectReadable(browser: Browser, file: string): Promise<void> {
    for (const scheme of ["light", "dark"] as const) {
        for (const width of [1280, 375]) {
            const { page, requests, messages } = await open(browser, file, scheme, width);
            expect({ requests, messages }).toEqual({
                requests: [pathToFileURL(file).href],
                messages: [],
            });
            expect([scheme, width, await barriers(page)]).toEqual([scheme, width, []]);
            const needed = await page.evaluate<number>("document.scrollingElement.scrollWidth");
            expect([scheme, needed]).toEqual([scheme, width]);
            await page.close();
        }
    }
}
