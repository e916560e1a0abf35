import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";

/** What is known of a property: its kind, and whether it has to be there. By its path, `ports[].internal`. */
export type Properties = Readonly<Record<string, string>>;

/** What an npm package of Pulumi's says of one resource type. */
export interface PackageResource {
    readonly inputs: Properties;
    readonly outputs: Properties;
    readonly secretInputs: readonly string[];
    readonly secretOutputs: readonly string[];
    readonly replacing: readonly string[];
}

type Declaration = ts.InterfaceDeclaration | ts.ClassDeclaration;

/** An npm package of Pulumi's, as its declarations and its program have it. */
export class PulumiPackage {
    public readonly version: string;
    private readonly folder: string;
    private readonly files = new Map<string, ReadonlyMap<string, Declaration>>();

    /** @param name as in `docker` */
    public constructor(private readonly name: string) {
        const description = require.resolve(`@pulumi/${name}/package.json`);
        this.folder = dirname(description);
        this.version = (
            JSON.parse(readFileSync(description, "utf8")) as { version: string }
        ).version;
    }

    /** @param token as in `docker:index/container:Container` */
    public resource(token: string): PackageResource {
        const [, module = "", type = ""] = token.split(":");
        const file = module.startsWith("index/")
            ? module.slice("index/".length)
            : `${module}/${type.charAt(0).toLowerCase()}${type.slice(1)}`;
        const program = readFileSync(join(this.folder, `${file}.js`), "utf8");
        if (!program.includes(`__pulumiType = '${token}'`)) {
            throw new Error(`${file}.js of @pulumi/${this.name} is not ${token}`);
        }
        const all = (pattern: RegExp) =>
            [...program.matchAll(pattern)].map(([, name = ""]) => name);
        const list = (name: string) =>
            all(new RegExp(`${name}: \\[((?:"[^"]*"(?:, )?)*)\\]`, "g")).flatMap((names) =>
                [...names.matchAll(/"([^"]+)"/g)].map(([, path = ""]) => path.replace("[*]", "")),
            );
        return {
            inputs: this.properties(this.declaration(file, `${type}Args`), true),
            outputs: this.properties(this.declaration(file, type), false),
            secretInputs: all(/resourceInputs\["(\w+)"\] = args\?\.\w+ \? pulumi\.secret\(/g),
            secretOutputs: list("additionalSecretOutputs"),
            replacing: list("replaceOnChanges"),
        };
    }

    /** The settings of the provider itself. */
    public settings(): Properties {
        return this.properties(this.declaration("provider", "ProviderArgs"), true);
    }

    /** Interfaces and classes of a file by name, with the namespaces that they are in: `remote.ConnectionArgs`. */
    private declaration(file: string, name: string): Declaration {
        let known = this.files.get(file);
        if (known === undefined) {
            const path = join(this.folder, `${file}.d.ts`);
            const source = ts.createSourceFile(
                path,
                readFileSync(path, "utf8"),
                ts.ScriptTarget.Latest,
                true,
            );
            known = new Map(declarations(source.statements, ""));
            this.files.set(file, known);
        }
        const found = known.get(name);
        if (found === undefined)
            throw new Error(`no ${name} in ${file}.d.ts of @pulumi/${this.name}`);
        return found;
    }

    private properties(declaration: Declaration, areInputs: boolean): Properties {
        const found: Record<string, string> = {};
        for (const member of declaration.members) {
            if (!ts.isPropertySignature(member) && !ts.isPropertyDeclaration(member)) continue;
            if (member.type === undefined) throw new Error(`no type: ${member.getText()}`);
            const isRequired = areInputs
                ? member.questionToken === undefined
                : !member.type.getText().endsWith("| undefined>");
            this.describe(found, member.name.getText(), member.type, isRequired, areInputs);
        }
        return found;
    }

    /** Adds a property and everything in it. What has to be there in an object is a matter of inputs. */
    private describe(
        found: Record<string, string>,
        path: string,
        type: ts.TypeNode,
        isRequired: boolean,
        areInputs: boolean,
    ): void {
        const say = (kind: string) => (found[path] = isRequired ? `${kind}, required` : kind);
        if (ts.isUnionTypeNode(type)) {
            const types = type.types.filter(({ kind }) => kind !== ts.SyntaxKind.UndefinedKeyword);
            const isAsset = types.every((one) => one.getText().startsWith("pulumi.asset."));
            if (types[0] === undefined || (types.length > 1 && !isAsset)) {
                throw new Error(`a union: ${path}: ${type.getText()}`);
            }
            this.describe(found, path, types[0], isRequired, areInputs);
        } else if (ts.isArrayTypeNode(type)) {
            say("list");
            this.describe(found, `${path}[]`, type.elementType, false, areInputs);
        } else if (ts.isTypeLiteralNode(type)) {
            const [member] = type.members;
            if (member === undefined || !ts.isIndexSignatureDeclaration(member)) {
                throw new Error(`neither list nor map: ${path}: ${type.getText()}`);
            }
            say("map");
            this.describe(found, `${path}{}`, member.type, false, areInputs);
        } else if (ts.isTypeReferenceNode(type)) {
            const name = type.typeName.getText();
            const [argument] = type.typeArguments ?? [];
            const [file = "", ...rest] = name.split(".");
            if (argument !== undefined) {
                this.describe(found, path, argument, isRequired, areInputs);
            } else if (name.startsWith("pulumi.asset.")) {
                say("asset");
            } else if (file === "enums") {
                say("string");
            } else {
                say("object");
                const members = this.declaration(
                    `types/${file === "inputs" ? "input" : "output"}`,
                    rest.join("."),
                );
                for (const [member, kind] of Object.entries(this.properties(members, true))) {
                    found[`${path}.${member}`] = areInputs ? kind : kind.replace(", required", "");
                }
            }
        } else {
            say(type.getText());
        }
    }
}

function declarations(
    statements: readonly ts.Statement[],
    prefix: string,
): [string, Declaration][] {
    return statements.flatMap((statement): [string, Declaration][] => {
        if (ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)) {
            return [[`${prefix}${statement.name?.text ?? ""}`, statement]];
        }
        return ts.isModuleDeclaration(statement) &&
            statement.body !== undefined &&
            ts.isModuleBlock(statement.body)
            ? declarations(statement.body.statements, `${prefix}${statement.name.text}.`)
            : [];
    });
}
