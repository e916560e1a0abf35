// @ts-check
// How far something long has come: one line that moves on a terminal, else one every half minute.

import { bytes } from "./report.mjs";

const REDRAW_MS = 200;
const LINE_MS = 30_000;

export class Progress {
    #next = process.stderr.isTTY ? 0 : Date.now() + LINE_MS;
    #done = 0;

    /**
     * @param {string} title
     * @param {number} [total] bytes, when they are known
     */
    constructor(title, total) {
        this.title = title;
        this.total = total;
    }

    /** @param {number} count bytes that were done now */
    add(count) {
        this.#done += count;
        const now = Date.now();
        if (now < this.#next) return;
        const isTerminal = process.stderr.isTTY;
        this.#next = now + (isTerminal ? REDRAW_MS : LINE_MS);
        const whole = this.total ? ` of ${bytes(this.total)}` : "";
        const line = `  ${this.title} … ${bytes(this.#done)}${whole}`;
        process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
    }

    /**
     * Hands bytes on, and counts them.
     *
     * @param {AsyncIterable<Buffer>} chunks
     */
    async *watch(chunks) {
        for await (const chunk of chunks) {
            this.add(chunk.length);
            yield chunk;
        }
    }

    /** Leaves a line free for what is said next. */
    end() {
        if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    }
}
