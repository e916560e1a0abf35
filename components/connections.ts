import * as pulumi from "@pulumi/pulumi";
import type { Late } from "../lib/late";
import { type Connections, serviceFileNames, serviceFiles } from "../lib/registry-config";
import type { RedisLink } from "./redis-server";

/**
 * What a registry has besides its configuration, once all of that is known, and the files that it needs for it: their names are
 * known before their texts are. Both may hold secrets.
 *
 * @param own the way to a Redis of its own, in the place of another one
 */
export function connect(given: Connections<Late>, own?: RedisLink) {
    const all = pulumi.output({ given, cache: own?.cache }).apply((known): Connections => ({
        ...known.given,
        redis: known.cache ?? known.given.redis,
    }));
    const texts = all.apply(serviceFiles);
    const names = serviceFileNames({ ...given, redis: own?.place ?? given.redis });
    const files = names.map((file) => [file, texts.apply((known) => known[file] ?? "")] as const);
    return { all, files };
}
