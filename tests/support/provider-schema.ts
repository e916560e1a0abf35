import { join } from "node:path";
import type { Properties } from "./package-types";
import { must } from "./run";

interface Property {
    readonly type?: string;
    readonly $ref?: string;
    readonly items?: Property;
    readonly additionalProperties?: Property;
    readonly secret?: boolean;
    readonly replaceOnChanges?: boolean;
    readonly default?: unknown;
}

interface ObjectType {
    readonly type?: string;
    readonly enum?: readonly unknown[];
    readonly properties?: Readonly<Record<string, Property>>;
    readonly required?: readonly string[];
}

interface Resource extends ObjectType {
    readonly inputProperties?: Readonly<Record<string, Property>>;
    readonly requiredInputs?: readonly string[];
}

/** A provider's schema, as the engine gets it from the provider. */
export interface Schema {
    readonly name: string;
    readonly version?: string;
    readonly meta?: { readonly moduleFormat?: string };
    readonly provider: Resource;
    readonly resources: Readonly<Record<string, Resource>>;
    readonly types?: Readonly<Record<string, ObjectType>>;
}

/** Starts a provider as the engine does, and asks it. */
export async function schemaOf(folder: string, name: string): Promise<Schema> {
    const program = join(folder, `pulumi-resource-${name}`);
    return JSON.parse(await must("pulumi", ["package", "get-schema", program])) as Schema;
}

export function inputsOf(schema: Schema, resource: Resource | undefined): Properties {
    return properties(schema, resource?.inputProperties, resource?.requiredInputs, true);
}

export function outputsOf(schema: Schema, resource: Resource | undefined): Properties {
    return properties(schema, resource?.properties, resource?.required, false);
}

/** Names of the properties that are so, in the order of the alphabet. */
export function those(
    all: Readonly<Record<string, Property>> | undefined,
    are: (property: Property) => boolean | undefined,
): string[] {
    return Object.entries(all ?? {})
        .filter(([, property]) => are(property))
        .map(([name]) => name)
        .sort();
}

function properties(
    schema: Schema,
    all: Readonly<Record<string, Property>> = {},
    required: readonly string[] = [],
    areInputs: boolean,
): Properties {
    const found: Record<string, string> = {};
    for (const [name, property] of Object.entries(all)) {
        describe(schema, found, name, property, required.includes(name), areInputs);
    }
    return found;
}

function describe(
    schema: Schema,
    found: Record<string, string>,
    path: string,
    property: Property | undefined,
    isRequired: boolean,
    areInputs: boolean,
): void {
    const say = (kind: string) => (found[path] = isRequired ? `${kind}, required` : kind);
    const { type, $ref, items, additionalProperties } = property ?? {};
    if ($ref?.startsWith("#/types/")) {
        const name = decodeURIComponent($ref.slice("#/types/".length));
        const target = schema.types?.[name];
        if (target === undefined) throw new Error(`${path}: no type ${name}`);
        if (target.enum !== undefined) {
            say(target.type ?? "any");
            return;
        }
        say("object");
        const members = properties(
            schema,
            target.properties,
            areInputs ? target.required : [],
            areInputs,
        );
        for (const [member, kind] of Object.entries(members)) found[`${path}.${member}`] = kind;
    } else if ($ref !== undefined) {
        say(/#\/(Asset|Archive)$/.test($ref) ? "asset" : "any");
    } else if (type === "array") {
        say("list");
        describe(schema, found, `${path}[]`, items, false, areInputs);
    } else if (type === "object") {
        say("map");
        describe(
            schema,
            found,
            `${path}{}`,
            additionalProperties ?? { type: "string" },
            false,
            areInputs,
        );
    } else {
        say(type === "integer" ? "number" : (type ?? "any"));
    }
}
