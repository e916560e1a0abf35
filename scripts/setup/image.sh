# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# The images that the stack needs: local, pulled, or built from offline/.

# What health check, loader, maintenance and people who look inside need of it.
busybox_applets='sh cp mv cat chmod chown mkdir rm rmdir ls wget sleep test [ stat sync id ln env grep cmp find awk head tail'

check_image() {
    [ -n "$needs_docker" ] || return 0
    for image_kind in $(needed_images); do
        image_is_there || return 1
    done
}

make_image() {
    for image_kind in $(needed_images); do
        image_is_there || make_one_image
    done
}

# Where there is no gateway, nobody waits for its image, and so with a Redis of the stack's own.
needed_images() {
    echo registry
    if [ -n "${PULUMIW_GATEWAY-}" ] ||
        stack_has 'private-registry:(gateway: *"?true|swarm: *("?true|[{]|$))|(^|[ {,])"?(push|pull|delete|admin)"?: '; then
        echo gateway
    fi
    if [ -n "${PULUMIW_REDIS-}" ] || stack_has 'private-registry:redis: *["'\'']?true'; then echo redis; fi
}

image_is_there() {
    describe_image
    case " $local_images " in *" $image_name "*) return 0 ;; esac
    # An image of the user's own choice is the program's to get.
    [ -n "$(stack_setting "$image_setting")" ]
}

describe_image() {
    case $image_kind in
        registry)
            image_name=$REGISTRY_IMAGE image_setting=image image_label=registry
            image_package=github.com/distribution/distribution/v3
            image_program=registry image_flags="-X $image_package/version.mainpkg=$image_package -X $image_package/version.version="
            ;;
        gateway)
            image_name=$GATEWAY_IMAGE image_setting=gatewayImage image_label=Caddy
            image_package=github.com/caddyserver/caddy/v2
            image_program=caddy image_flags="-X $image_package.CustomVersion=v"
            ;;
        redis) image_name=$REDIS_IMAGE image_setting=redisImage image_label=Redis image_program=redis-server ;;
    esac
    image_source=offline/$image_kind-image
}

make_one_image() {
    # A registry that cannot be reached is found out at once or never.
    if step_within 120 "image: pulling $image_name" docker pull -q "$image_name"; then
        local_images="$local_images $image_name"
        return
    fi
    image_arch=$(docker version --format '{{.Server.Arch}}' 2>/dev/null) ||
        fail 'the Docker daemon answered a moment ago and no longer does' 'start it again, then run the same command again'
    plan_image
    if [ ! -d "$image_folder" ]; then
        remove_leftovers "$CACHE/$image_kind"
        make_program
        step 'image: static busybox' add_busybox ||
            fail_step "there is no static busybox for linux/$image_arch to put into the image" \
                'Debian, Ubuntu: apt-get install busybox-static; elsewhere: PULUMIW_BUSYBOX=/path/to/a/static/busybox' \
                "or put the image there: docker pull $image_name"
        mv "$image_folder.tmp" "$image_folder"
    fi
    step "image: docker build $image_name" build_image ||
        fail_step "could not build the image $image_name" 'see the log, then run the same command again'
    local_images="$local_images $image_name"
}

# What it is made from, and where it lies once it is made.
plan_image() {
    if [ "$image_kind" = redis ]; then
        find_debian_redis
        image_version=$redis_version
        # Debian mends a version of its own by a new revision.
        image_sources="$image_source scripts/setup/image.sh scripts/setup/redis-image.sh"
        image_revision=-$(printf %s "$redis_version" | tr -c 'A-Za-z0-9.\n' -)
    else
        image_version=$(sed -n "s|^[[:space:]]*$image_package \(v[^ ]*\).*|\1|p" "$ROOT/$image_source/go.mod")
        image_version=${image_version#v}+offline
        image_sources="$image_source scripts/setup/image.sh"
        image_revision=
    fi
    # shellcheck disable=SC2086
    image_folder=$CACHE/$image_kind/$(digest_files $image_sources)-$image_arch$image_revision
}

make_program() {
    if [ "$image_kind" = redis ]; then
        [ -n "$redis_version" ] || fail "cannot pull $image_name, and $image_label is made here from Debian's packages only" \
            "put the image there: docker pull $image_name; or take one that is: ./pulumiw config set redisImage <image>" \
            "Debian, Ubuntu: apt-get update; then run the same command again"
        step "image: $image_label $redis_version from Debian's packages" unpack_redis ||
            # What it knows of packages may be of another day.
            { update_packages && plan_image && step "image: $image_label $redis_version from Debian's packages" unpack_redis; } ||
            fail_step "could not get $image_label from Debian's packages" \
                "make a mirror of Debian reachable (apt-get update), or put the image there: docker pull $image_name"
        return
    fi
    require_go "$image_source"
    progress_unit='packages compiled'
    step "image: $image_label ${image_version%+*} from $image_source" build_program ||
        fail_step "could not build $image_label from $image_source" \
            "make a Go module proxy reachable (go env GOPROXY), or put the image there: docker pull $image_name"
}

build_program() {
    mkdir -p "$image_folder.tmp/root/bin" &&
        cd "$ROOT/$image_source" &&
        # For the daemon's machine, which need not be this one.
        GOFLAGS='-buildvcs=false -mod=readonly' GOWORK=off CGO_ENABLED=0 GOOS=linux GOARCH="$image_arch" go build -v -trimpath \
            -ldflags "-s -w $image_flags$image_version" \
            -o "$image_folder.tmp/root/bin/$image_program" "$image_package/cmd/$image_program"
}

add_busybox() {
    root=$image_folder.tmp/root
    rm -rf "$image_folder.tmp/deb"
    mkdir -p "$image_folder.tmp/deb" "$root/etc" "$root/tmp" || return 1
    find_busybox || return 1
    cp "$busybox" "$root/bin/busybox" && chmod 755 "$root/bin/busybox" && rm -rf "$image_folder.tmp/deb" || return 1
    for applet in $busybox_applets; do
        [ -L "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet" || return 1
    done
    chmod 1777 "$root/tmp" &&
        echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd" && echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$root/etc/passwd" &&
        echo 'root:x:0:' >"$root/etc/group" && echo 'nobody:x:65534:' >>"$root/etc/group" &&
        chmod 644 "$root/etc/passwd" "$root/etc/group" &&
        cp "$ROOT/$image_source/Dockerfile" "$image_folder.tmp/Dockerfile" &&
        { [ "$image_kind" != registry ] || add_registry_folders; }
}

add_registry_folders() {
    mkdir -p "$root/etc/distribution" "$root/var/lib/registry" &&
        cp "$ROOT/$image_source/config.yml" "$root/etc/distribution/config.yml"
}

# The user's; Debian's package, unpacked here and not installed; one of this machine.
find_busybox() {
    busybox=${PULUMIW_BUSYBOX-}
    [ -z "$busybox" ] || return 0
    if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
        if download_busybox || { [ "$(id -u)" = 0 ] && apt-get -q update && download_busybox; }; then return 0; fi
    fi
    for candidate in busybox.static busybox; do
        busybox=$(command -v "$candidate") || continue
        ! is_static "$busybox" || return 0
    done
    echo "error: no static busybox found"
    return 1
}

download_busybox() {
    (cd "$image_folder.tmp/deb" && apt-get -q download "busybox-static:$image_arch" && dpkg-deb -x busybox-static_*.deb .) || return 1
    for busybox in "$image_folder.tmp/deb/bin/busybox" "$image_folder.tmp/deb/usr/bin/busybox"; do
        [ ! -x "$busybox" ] || return 0
    done
    return 1
}

# A program that asks for a dynamic loader names it.
is_static() { ! LC_ALL=C grep -q -e '/ld-linux' -e '/ld-musl' -e '/lib/ld' "$1"; }

build_image() {
    case $image_kind in gateway) image_question=version ;; *) image_question=--version ;; esac
    docker build -t "$image_name" --build-arg "VERSION=$image_version" "$image_folder" &&
        # It starts on that daemon, as it will be used.
        docker run --rm --network none --read-only --cap-drop ALL --entrypoint "$image_program" "$image_name" "$image_question" &&
        docker run --rm --network none --read-only --cap-drop ALL --entrypoint sh "$image_name" -c 'test -x /bin/wget'
}
