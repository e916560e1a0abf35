import * as pulumi from "@pulumi/pulumi";
import type { PrivateRegistryArgs } from "../components/private-registry-args";
import { ofArguments } from "./advice";
import type { ConfigProblem } from "./config-problems";
import type { Late } from "./late";
import { ALL_KEYS, readSource, type Settings } from "./settings";
import { type MachineSurroundings, thisMachine } from "./surroundings";

/** What only the program of this project has a use for: rules for a command of its own. */
const NOT_HERE = ["retention"];
/** The keys of the arguments. */
export const ARGUMENT_KEYS: readonly string[] = ALL_KEYS.filter((key) => !NOT_HERE.includes(key));

/** Names of a Docker container and of a folder alike. */
const COMPONENT_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

/** The settings that the arguments of a component come to; what has been checked already stays as it is. */
export function settingsOf(
    name: string,
    args: PrivateRegistryArgs | Settings<Late>,
    surroundings: MachineSurroundings = thisMachine(),
): Settings<Late> {
    return "say" in args ? args : readArguments(name, args, surroundings);
}

/** Checks the arguments of a component. Throws one `pulumi.RunError` that names every problem. */
function readArguments(
    name: string,
    args: PrivateRegistryArgs,
    surroundings: MachineSurroundings,
): Settings<Late> {
    const project = pulumi.getProject();
    const stack = pulumi.getStack();
    return readSource({
        ...surroundings,
        values: new Map(Object.entries(args)),
        keys: ARGUMENT_KEYS,
        problems: nameProblems(name),
        // Nobody knows what stands under a name that does not exist.
        isHidden: (key) => !ARGUMENT_KEYS.includes(key) && key !== "name",
        say: ofArguments(name),
        // A program may have several.
        instance: `${project}-${stack}-${name}`,
        owner: `${project}/${stack}/${name}`,
    });
}

function nameProblems(name: string): ConfigProblem[] {
    return COMPONENT_NAME.test(name)
        ? []
        : [
              {
                  key: "name",
                  given: name,
                  allowed: "letters, digits, dots, dashes and underscores, 63 at most",
                  fix: 'new PrivateRegistry("registry", …)',
              },
          ];
}
