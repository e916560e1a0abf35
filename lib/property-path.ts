/** A field of an object in the configuration, as `pulumi config --path` takes it: names with dots are in brackets. */
export function propertyPath(root: string, name: string): string {
    return /^[A-Za-z0-9_-]+$/.test(name) ? `${root}.${name}` : `${root}[${JSON.stringify(name)}]`;
}

/** A property path as an argument in a command line. */
export function quotePath(path: string): string {
    return path.includes("[") ? `'${path.replaceAll("'", `'\\''`)}'` : path;
}
