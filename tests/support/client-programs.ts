/** Which of the test's hosts a program runs on. */
export type Place = "docker" | "podman" | "containerd" | "current" | "plain";

/** What a client can do with a registry, in the order that it is done. */
export const STEPS = [
    "login",
    "push",
    "pull",
    "pull by digest",
    "list tags",
    "attach",
    "delete",
] as const;
export type Step = (typeof STEPS)[number];

/**
 * A program that people use registries with. Its steps are shell commands, which find in the environment: `registry`;
 * `image`, the repository with the registry in front; `digest`, once it is pushed; and `name`, by which the
 * program keeps things of its own apart. The image to push is an OCI layout: the folder `$layout`, and as a file
 * `$layout.tar`. Each has the password on its standard input.
 */
export interface ClientProgram {
    readonly name: string;
    readonly place: Place;
    readonly version: string;
    /** A step that is not here is one that the program has no command for. */
    readonly steps: Partial<Record<Step, string>>;
}

const LOGIN = "login --username dev --password-stdin $registry";

function dockerProgram(name: string, place: Place, api?: string): ClientProgram {
    const docker = api === undefined ? "docker" : `DOCKER_API_VERSION=${api} docker`;
    const format = `client {{.Client.Version}} (API {{.Client.APIVersion}}), server {{.Server.Version}}`;
    return {
        name,
        place,
        version: `${docker} version --format '${format}'`,
        steps: {
            login: `${docker} ${LOGIN}`,
            push: `tar -c -C $layout . | ${docker} import - $image:1 && ${docker} push $image:1`,
            pull: `${docker} image rm $image:1 && ${docker} pull $image:1`,
            "pull by digest": `${docker} image rm $image:1 && ${docker} pull $image@$digest`,
        },
    };
}

/** Builds with `FROM`, which pulls. The host's builder is the one that the options name. */
function buildx(name: string, place: Place, options = ""): ClientProgram {
    const build = `docker buildx build ${options} --push --tag`;
    const from = (reference: string, tag: string) =>
        `docker buildx prune --all --force ${options} >/dev/null && printf "FROM ${reference}\\nCOPY index.json /again\\n" >/tmp/Dockerfile && ${build} $image:${tag} --file /tmp/Dockerfile $layout`;
    return {
        name,
        place,
        version: `docker buildx version | cut -d ' ' -f 2; docker buildx inspect ${options.replace("--builder ", "")} | sed -n 's/^BuildKit.*: */BuildKit /p'`,
        steps: {
            login: `docker ${LOGIN}`,
            push: `printf 'FROM scratch\\nCOPY . /\\n' >/tmp/Dockerfile && ${build} $image:1 --file /tmp/Dockerfile $layout`,
            pull: from("$image:1", "2"),
            "pull by digest": from("$image@$digest", "3"),
        },
    };
}

function ctr(name: string, place: Place): ClientProgram {
    const asDev = `read -r password; set -- --hosts-dir /etc/containerd/certs.d --user "dev:$password"`;
    return {
        name,
        place,
        version: `ctr version | sed -n 's/^ *Version: *//p' | tail -n 1`,
        steps: {
            push: `${asDev}; ctr images import $layout.tar && ctr images tag --force local/$name:1 $image:1 && ctr images push "$@" $image:1`,
            pull: `${asDev}; ctr images rm --sync local/$name:1 $image:1 && ctr images pull "$@" $image:1`,
            "pull by digest": `${asDev}; ctr images rm --sync $image:1 && ctr images pull "$@" $image@$digest`,
        },
    };
}

/**
 * CLIENT_PROGRAMS=all: also today's Docker, buildx, BuildKit and containerd, which take long to build where nobody has done so
 * yet.
 */
export const ALL_PROGRAMS = process.env.CLIENT_PROGRAMS === "all";

const TODAYS: readonly ClientProgram[] = [
    dockerProgram("docker, current", "current"),
    dockerProgram("docker, current, API 1.44", "current", "1.44"),
    buildx("buildx, Debian's Docker", "docker"),
    buildx("buildx, current Docker", "current"),
    buildx("buildx, a BuildKit daemon", "current", "--builder own"),
    ctr("ctr, current containerd", "current"),
];

export const PROGRAMS: readonly ClientProgram[] = [
    ...(ALL_PROGRAMS ? TODAYS : []),
    dockerProgram("docker, Debian's", "docker"),
    dockerProgram("docker, Debian's, API 1.24", "docker", "1.24"),
    ctr("ctr, Debian's containerd", "containerd"),
    {
        name: "podman",
        place: "podman",
        version: "podman --version",
        steps: {
            login: `podman ${LOGIN}`,
            push: "tar -c -C $layout . | podman import - $image:1 && podman push $image:1",
            pull: "podman image rm $image:1 && podman pull $image:1",
            "pull by digest": "podman image rm $image:1 && podman pull $image@$digest",
            "list tags": "podman search --list-tags $image",
        },
    },
    {
        name: "buildah",
        place: "podman",
        version: "buildah --version",
        steps: {
            login: `buildah ${LOGIN}`,
            push: "new=$(buildah from scratch) && buildah copy $new $layout / && buildah commit --rm $new $image:1 && buildah push $image:1",
            pull: "buildah rmi $image:1 && buildah pull $image:1",
            "pull by digest": "buildah rmi $image:1 && buildah pull $image@$digest",
        },
    },
    {
        name: "skopeo",
        place: "podman",
        version: "skopeo --version",
        steps: {
            login: `skopeo ${LOGIN}`,
            push: "skopeo copy oci:$layout docker://$image:1",
            pull: "skopeo copy docker://$image:1 dir:/tmp/$name",
            "pull by digest": "skopeo copy docker://$image@$digest dir:/tmp/$name-again",
            "list tags": "skopeo list-tags docker://$image",
            delete: "skopeo delete docker://$image:1",
        },
    },
    {
        name: "crane",
        place: "plain",
        version: "crane version",
        steps: {
            login: "crane auth login --username dev --password-stdin $registry",
            push: "crane push $layout $image:1",
            pull: "crane pull $image:1 /tmp/$name.tar",
            "pull by digest": "crane pull $image@$digest /tmp/$name-again.tar",
            "list tags": "crane ls $image",
            delete: "crane delete $image@$digest",
        },
    },
    {
        name: "regctl",
        place: "plain",
        version: "regctl version --format '{{.VCSTag}}'",
        steps: {
            login: "regctl registry login --user dev --pass-stdin $registry",
            push: "regctl image copy ocidir://$layout:1 $image:1",
            pull: "regctl image copy $image:1 ocidir:///tmp/$name:1",
            "pull by digest": "regctl image copy $image@$digest ocidir:///tmp/$name:2",
            "list tags": "regctl tag ls $image",
            attach: "echo attached | regctl artifact put --artifact-type application/x.test --subject $image:1 && regctl artifact tree $image:1 | grep application/x.test",
            delete: "regctl tag delete $image:1",
        },
    },
    {
        name: "oras",
        place: "plain",
        version: "oras version | sed -n 's/^Version: *//p'",
        steps: {
            login: `oras ${LOGIN}`,
            push: "cd $layout && oras push --artifact-type application/x.test $image:1 index.json",
            pull: "oras pull --output /tmp/$name $image:1",
            "pull by digest": "oras pull --output /tmp/$name-again $image@$digest",
            "list tags": "oras repo tags $image",
            attach: "cd $layout && oras attach --artifact-type application/x.attached $image:1 oci-layout && oras discover $image:1 | grep application/x.attached",
            delete: "oras manifest delete --force $image:1",
        },
    },
];
