// @ts-check
// What a Markdown document has its reader do: the commands of its ```console blocks, and invisible comments about them.
//
//   <!-- not run: REASON -->            the next block is shown only
//   <!-- before: COMMANDS -->           run here, unseen: what the reader has, and a test machine has not
//   <!-- after: COMMANDS -->            run at the document's end, also after a failure, the last one first
//   <!-- exit 1 (COMMAND) -->           in the next block, the command that begins like this ends with 1
//   <!-- stdin (COMMAND): COMMANDS -->  that command is given the output of these, as if it were typed

/**
 * @typedef {{ kind: "command", line: number, text: string, asRoot: boolean, expected?: string[], exit: number, stdin?: string }} Command
 * @typedef {{ kind: "before" | "after", line: number, text: string }} Hidden
 * @typedef {{ line: number, reason: string, commands: string[] }} Skipped
 * @typedef {{ steps: (Command | Hidden)[], skipped: Skipped[], problems: string[], languages: string[] }} Document
 * @typedef {{ name: string, line: number, prefix?: string, text?: string }} Directive
 */

const DIRECTIVE = /^(not run|before|after|exit \d+|stdin)(?: \(([^)]*)\))?(?::\s+([\s\S]+))?$/;
/** Looks like a directive, and is perhaps one with a slip of the pen. Other comments are the author's own. */
const RESEMBLES = /^[a-z]+( [a-z0-9]+)?( \(.*\))?(:|$)/;

/**
 * @param {string} markdown
 * @returns {Document}
 */
export function readDocument(markdown) {
    /** @type {Document} */
    const document = { steps: [], skipped: [], problems: [], languages: [] };
    /** @type {Directive[]} */
    let pending = [];
    const lines = markdown.split("\n");
    for (let index = 0; index < lines.length; index++) {
        const line = lines[index] ?? "";
        const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)/.exec(line);
        if (fence !== null) {
            const [, indent = "", mark = "", language = ""] = fence;
            const start = index + 1;
            do index++;
            while (index < lines.length && lines[index]?.trim() !== mark);
            document.languages.push(language);
            if (language === "console") {
                const block = lines
                    .slice(start, index)
                    .map((text) => (text.startsWith(indent) ? text.slice(indent.length) : text));
                readBlock(document, block, start + 1, pending);
                pending = [];
            }
        } else if (line.trimStart().startsWith("<!--")) {
            const start = index;
            while (index < lines.length - 1 && !(lines[index] ?? "").includes("-->")) index++;
            const comment = lines.slice(start, index + 1).join("\n");
            readComment(
                document,
                comment.trim().slice(4).split("-->")[0]?.trim() ?? "",
                start + 1,
                pending,
            );
        }
    }
    for (const { name, line } of pending) {
        document.problems.push(`${line}: '${name}' has no block behind it`);
    }
    return document;
}

/**
 * @param {Document} document
 * @param {string} comment
 * @param {number} line
 * @param {Directive[]} pending
 */
function readComment(document, comment, line, pending) {
    const found = DIRECTIVE.exec(comment);
    if (found === null) {
        if (RESEMBLES.test(comment)) document.problems.push(`${line}: not a directive: ${comment}`);
        return;
    }
    const [, name = "", prefix, text] = found;
    const needsText = !name.startsWith("exit");
    const needsPrefix = name.startsWith("exit") || name === "stdin";
    if ((needsText && text === undefined) || (needsPrefix && prefix === undefined)) {
        document.problems.push(
            `${line}: '${name}' lacks ${needsPrefix ? "the (command) or the text" : "its text"}`,
        );
    } else if (name === "before" || name === "after") {
        document.steps.push({ kind: name, line, text: text ?? "" });
    } else {
        pending.push({ name, line, prefix, text });
    }
}

/**
 * @param {Document} document
 * @param {string[]} block
 * @param {number} firstLine
 * @param {Directive[]} directives
 */
function readBlock(document, block, firstLine, directives) {
    /** @type {Command[]} */
    const commands = [];
    block.forEach((text, index) => {
        const prompt = /^([$#]) (.*)$/.exec(text);
        const last = commands.at(-1);
        if (prompt !== null) {
            const [, sign, command = ""] = prompt;
            commands.push({
                kind: "command",
                line: firstLine + index,
                text: command,
                asRoot: sign === "#",
                exit: 0,
            });
        } else if (last === undefined) {
            if (text.trim() !== "")
                document.problems.push(`${firstLine + index}: output before any command: ${text}`);
        } else if (/^>( |$)/.test(text) && last.expected === undefined) {
            last.text += `\n${text.slice(2)}`;
        } else if (text.trim() !== "" || last.expected !== undefined) {
            (last.expected ??= []).push(text);
        }
    });
    const reason = directives.find(({ name }) => name === "not run")?.text;
    if (reason !== undefined) {
        document.skipped.push({
            line: firstLine,
            reason,
            commands: commands.map(({ text }) => text),
        });
        return;
    }
    for (const { name, line, prefix = "", text } of directives) {
        const [kind, code] = name.split(" ");
        const command = commands.find(
            (candidate) =>
                candidate.text.startsWith(prefix) &&
                (kind === "exit" ? candidate.exit === 0 : candidate.stdin === undefined),
        );
        if (command === undefined)
            document.problems.push(`${line}: no command in the next block begins with '${prefix}'`);
        else if (kind === "exit") command.exit = Number(code);
        else command.stdin = text;
    }
    document.steps.push(...commands);
}
