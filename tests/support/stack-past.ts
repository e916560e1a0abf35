import { createDecipheriv, pbkdf2 } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, gunzipSync } from "node:zlib";
import { type Secret, secretsWithin } from "./secrets";

/** A file with its text, unpacked where it is gzip. */
export interface TextFile {
    readonly path: string;
    readonly text: string;
    readonly wasPacked: boolean;
}

/** Every file below a folder, but for what links lead to; none where there is no folder. */
export function filesBelow(folder: string): TextFile[] {
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return filesBelow(path);
        return entry.isFile() ? [fileAt(path)] : [];
    });
}

function fileAt(path: string): TextFile {
    const bytes = readFileSync(path);
    const wasPacked = bytes.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]));
    // One whose writer was killed ends in the middle.
    const text = wasPacked ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
    return { path, text: text.toString("latin1"), wasPacked };
}

interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/** A stack's state as one of its runs has left it. */
interface Deployment {
    readonly secrets_providers?: { readonly state?: { readonly salt?: string } };
    readonly resources?: readonly Resource[];
    readonly pending_operations?: readonly { readonly resource: Resource }[];
}

/** What the files of a backend tell of all runs of its stack, also of those that failed and of those before a destroy. */
export class StackPast {
    private readonly files: readonly TextFile[];
    private readonly deployments: readonly Deployment[];

    /**
     * @param backend folder of the backend
     * @param project folder of the project, with the stack's file
     */
    public constructor(
        backend: string,
        private readonly project: string,
        private readonly passphrase: string,
    ) {
        this.files = filesBelow(join(backend, ".pulumi"));
        this.deployments = this.files.flatMap(({ text }) => deploymentIn(text) ?? []);
    }

    /** Names in Docker of the volumes and networks that were made, or were to be. */
    public made(): { readonly volumes: string[]; readonly networks: string[] } {
        const named = (wanted: string) => {
            const made = this.deployments
                .flatMap(resourcesOf)
                .filter(({ type }) => type === wanted)
                .flatMap(({ inputs, outputs }) => outputs?.name ?? inputs?.name ?? []);
            return [...new Set(made.map(String))];
        };
        return {
            volumes: named("docker:index/volume:Volume"),
            networks: named("docker:index/network:Network"),
        };
    }

    /** Everything secret that was ever in the state or in the stack's file, and the passphrase of both. */
    public async secrets(): Promise<Secret[]> {
        const secrets: Secret[] = [{ name: "passphrase", value: this.passphrase }];
        const keys = new Set<Buffer>();
        for (const deployment of this.deployments) {
            const salt = deployment.secrets_providers?.state?.salt?.split(":")[1];
            if (salt === undefined) continue;
            const key = await keyOf(this.passphrase, salt);
            keys.add(key);
            secrets.push(...resourcesOf(deployment).flatMap((each) => secretsOf(each, key)));
        }
        const configuration = [...new Set(this.sealedConfiguration())];
        secrets.push(...configuration.flatMap((text) => secretsOfConfiguration(text, [...keys])));
        return [...new Map(secrets.map((secret) => [secret.value, secret])).values()];
    }

    private sealedConfiguration(): string[] {
        // Some tests lose the whole folder.
        const files = existsSync(this.project) ? readdirSync(this.project) : [];
        const stackFiles = files.filter((file) => /^Pulumi\..+\.yaml$/.test(file));
        const texts = [
            ...stackFiles.map((file) => readFileSync(join(this.project, file), "utf8")),
            ...this.files.filter(({ path }) => path.includes(".history.")).map(({ text }) => text),
        ];
        return texts.flatMap((text) =>
            [...text.matchAll(/secure[\\":\s]+(v1:[\w+/=]+:[\w+/=]+)/g)].map(
                ([, sealed]) => sealed ?? "",
            ),
        );
    }
}

function deploymentIn(text: string): Deployment | undefined {
    try {
        return (JSON.parse(text) as { checkpoint?: { latest?: Deployment } }).checkpoint?.latest;
    } catch {
        // Not a state, or one that a test has damaged.
        return undefined;
    }
}

function resourcesOf({ resources = [], pending_operations = [] }: Deployment): Resource[] {
    return [...resources, ...pending_operations.map(({ resource }) => resource)];
}

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What is encrypted within a value, each with the name of the property that holds it. */
function sealedIn(value: unknown, property = ""): [property: string, text: string][] {
    if (typeof value !== "object" || value === null) return [];
    const fields = value as Readonly<Record<string, unknown>>;
    return fields[SIGNATURE] === SECRET
        ? [[property, String(fields.ciphertext)]]
        : Object.entries(fields).flatMap(([name, field]) => sealedIn(field, name));
}

function textsIn(value: unknown): string[] {
    if (typeof value === "string") return [value];
    return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function secretsOf({ urn, type, inputs, outputs }: Resource, key: Buffer): Secret[] {
    const name = urn.split("::").at(-1) ?? urn;
    const isPassword = type === "random:index/randomPassword:RandomPassword";
    return sealedIn([inputs, outputs]).flatMap(([property, text]) => {
        const value: unknown = JSON.parse(unseal(key, text));
        return isPassword && property === "result"
            ? [{ name, value: String(value) }]
            : textsIn(value).flatMap((each) => secretsWithin(name, each));
    });
}

function secretsOfConfiguration(text: string, keys: readonly Buffer[]): Secret[] {
    const value = keys.flatMap((key) => unsealIfPossible(key, text) ?? [])[0];
    if (value === undefined) return [];
    const within = secretsWithin("configuration", value);
    if (within.length > 0) return within;
    // Short ones could stand anywhere by chance.
    return value.length < 12 ? [] : [{ name: "a secret of the configuration", value }];
}

const keys = new Map<string, Promise<Buffer>>();

/** As the engine makes it from a passphrase. */
function keyOf(passphrase: string, salt: string): Promise<Buffer> {
    const id = `${salt} ${passphrase}`;
    const known = keys.get(id);
    if (known !== undefined) return known;
    const bytes = Buffer.from(salt, "base64");
    const made = promisify(pbkdf2)(passphrase, bytes, 1_000_000, 32, "sha256");
    keys.set(id, made);
    return made;
}

function unseal(key: Buffer, text: string): string {
    const [nonce, sealed] = text
        .split(":")
        .slice(1)
        .map((part) => Buffer.from(part, "base64"));
    if (nonce === undefined || sealed === undefined) throw new Error("not as the engine encrypts");
    const decipher = createDecipheriv("aes-256-gcm", key, nonce);
    decipher.setAuthTag(sealed.subarray(-16));
    return decipher.update(sealed.subarray(0, -16), undefined, "utf8") + decipher.final("utf8");
}

/** `undefined` where it was another key that closed it. */
function unsealIfPossible(key: Buffer, text: string): string | undefined {
    try {
        return unseal(key, text);
    } catch {
        return undefined;
    }
}
