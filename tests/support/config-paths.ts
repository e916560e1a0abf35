import type { z } from "zod";
import { CONFIG_KEYS, OBJECT_KEYS } from "../../lib/settings";
import { CLIENT_FIELDS, JUMP_FIELDS, SSH_FIELDS } from "../../lib/client-fields";
import { CREDENTIAL_FIELDS, MIRROR_FIELDS } from "../../lib/mirror-config";
import type { Field } from "../../lib/object-fields";
import { REDIS_FIELDS, S3_FIELDS } from "../../lib/storage-config";

/** What a place in the configuration takes, as its own schema says. */
export type Kind = "text" | "number" | "boolean" | "object" | "list";

/** Every place in the configuration by its path: `.*` any name, `[]` any entry, `{}` a name itself. */
export function configPaths(): Map<string, Kind> {
    const found = new Map<string, Kind>();
    for (const [key, { schema }] of Object.entries(CONFIG_KEYS)) {
        walk(schema, key, found);
    }
    const objects: Record<string, () => void> = {
        clients: () => {
            found.set("clients", "object").set("clients{}", "text").set("clients.*", "object");
            fields(CLIENT_FIELDS, "clients.*", found);
            fields(JUMP_FIELDS, "clients.*.jumpHost", found);
        },
        ssh: () => {
            found.set("ssh", "object");
            fields(SSH_FIELDS, "ssh", found);
            fields(JUMP_FIELDS, "ssh.jumpHost", found);
        },
        mirrors: () => {
            found.set("mirrors", "object").set("mirrors{}", "text").set("mirrors.*", "object");
            fields(MIRROR_FIELDS, "mirrors.*", found);
            fields(CREDENTIAL_FIELDS, "mirrors.*.credentials", found);
        },
        storage: () => {
            found.set("storage", "object").set("storage.s3", "object");
            fields(S3_FIELDS, "storage.s3", found);
        },
        redis: () => {
            found.set("redis", "object");
            fields(REDIS_FIELDS, "redis", found);
        },
    };
    for (const key of OBJECT_KEYS) {
        const list = objects[key];
        if (list === undefined) throw new Error(`the fields of ${key} are not listed here`);
        list();
    }
    return found;
}

function fields(list: Readonly<Record<string, Field>>, path: string, found: Map<string, Kind>) {
    for (const [name, { schema }] of Object.entries(list)) {
        if (name === "jumpHost" || name === "credentials") found.set(`${path}.${name}`, "object");
        else walk(schema, `${path}.${name}`, found);
    }
}

/** Goes down into a schema. One that it does not know is an error: its fields would go untested. */
function walk(schema: z.core.$ZodType, path: string, found: Map<string, Kind>): void {
    const { def } = schema._zod as { readonly def: z.core.$ZodTypes["_zod"]["def"] };
    switch (def.type) {
        case "string":
        case "enum":
            found.set(path, found.get(path) ?? "text");
            return;
        case "number":
            found.set(path, "number");
            return;
        case "boolean":
            found.set(path, found.get(path) ?? "boolean");
            return;
        case "object":
            found.set(path, "object");
            for (const [name, inner] of Object.entries(def.shape)) {
                walk(inner, `${path}.${name}`, found);
            }
            return;
        case "record":
            found.set(path, "object");
            found.set(`${path}{}`, "text");
            walk(def.valueType, `${path}.*`, found);
            return;
        case "array":
            found.set(path, "list");
            walk(def.element, `${path}[]`, found);
            return;
        case "union":
            for (const option of def.options) walk(option, path, found);
            return;
        case "pipe":
            walk(def.in, path, found);
            walk(def.out, path, found);
            return;
        case "optional":
            walk(def.innerType, path, found);
            return;
        case "transform":
        case "custom":
            return;
        default:
            throw new Error(`${path}: a schema of the type ${def.type} is not known here`);
    }
}
