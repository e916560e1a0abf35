import { z } from "zod";
import { ARGUMENT_KEYS } from "./arguments";
import { CONFIG_KEYS } from "./settings";

/** A type, as Pulumi's schema of a package has it. */
interface PropertyType {
    readonly type?: string;
    readonly items?: PropertyType;
    readonly $ref?: string;
}

const TEXT: PropertyType = { type: "string" };
const LIST: PropertyType = { type: "array", items: TEXT };
const ANY: PropertyType = { $ref: "pulumi.json#/Any" };

const OUTPUTS = {
    registry: { ...TEXT, description: "The registry as images name it: host:port." },
    url: TEXT,
    caCertificate: { ...TEXT, description: "Certificates of all authorities, PEM." },
    caFingerprints: { ...LIST, description: "SHA-256 of the certificates in caCertificate." },
    certificateExpires: { ...TEXT, description: "When the server certificate ends, RFC 3339." },
    teams: {
        type: "object",
        additionalProperties: ANY,
        secret: true,
        description: "What each team needs: username, password, login, dockerConfigJson.",
    },
} as const;

/**
 * What programs in other languages know of the component. Its objects are of any form there: what they may hold is checked by the
 * component itself, as everywhere.
 *
 * @see https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
 */
export function pluginSchema(version: string): string {
    return JSON.stringify({
        name: "private-registry",
        version,
        resources: {
            "private-registry:index:PrivateRegistry": {
                isComponent: true,
                description: "A private container registry that every client host trusts.",
                inputProperties: Object.fromEntries(ARGUMENT_KEYS.map((key) => [key, input(key)])),
                properties: OUTPUTS,
                required: Object.keys(OUTPUTS),
            },
        },
    });
}

function input(key: string) {
    const plain = CONFIG_KEYS[key];
    // Secrets are in objects alone.
    return plain === undefined
        ? ANY
        : { ...typeOf(plain.schema), plain: true, description: plain.allowed };
}

function typeOf(schema: z.ZodType): PropertyType {
    const { type, items } = z.toJSONSchema(schema, { unrepresentable: "any" });
    if (type === "array") {
        return typeof items === "object" && "type" in items && items.type === "string" ? LIST : ANY;
    }
    return typeof type === "string" && type !== "object" ? { type } : ANY;
}
