# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# The registry's image: local, pulled, or built from offline/registry-image.

registry_package=github.com/distribution/distribution/v3
# What health check, loader, maintenance and people who look inside need of it.
busybox_applets='sh cp mv cat chmod chown mkdir rm rmdir ls wget sleep test [ stat sync id ln env grep cmp find awk'

check_image() {
    [ -n "$needs_docker" ] && [ -z "$image_local" ] || return 0
    # An image of the user's own choice is the program's to get.
    [ -n "$(stack_setting image)" ]
}

make_image() {
    # A registry that cannot be reached is found out at once or never.
    if step_within 120 "image: pulling $REGISTRY_IMAGE" docker pull -q "$REGISTRY_IMAGE"; then
        image_local=1
        return
    fi
    image_arch=$(docker version --format '{{.Server.Arch}}' 2>/dev/null) ||
        fail 'the Docker daemon answered a moment ago and no longer does' 'start it again, then run the same command again'
    image_version=$(sed -n "s|^[[:space:]]*$registry_package \(v[^ ]*\).*|\1|p" "$ROOT/offline/registry-image/go.mod")
    image_version=${image_version#v}+offline
    image_folder=$CACHE/registry/$(digest_files offline/registry-image scripts/setup/image.sh)-$image_arch
    if [ ! -d "$image_folder" ]; then
        require_go offline/registry-image
        remove_leftovers "$CACHE/registry"
        progress_unit='packages compiled'
        step "image: registry ${image_version%+*} from offline/registry-image" build_registry ||
            fail_step 'could not build the registry from offline/registry-image' \
                "make a Go module proxy reachable (go env GOPROXY), or put the image there: docker pull $REGISTRY_IMAGE"
        step 'image: static busybox' add_busybox ||
            fail_step "there is no static busybox for linux/$image_arch to put into the image" \
                'Debian, Ubuntu: apt-get install busybox-static; elsewhere: PULUMIW_BUSYBOX=/path/to/a/static/busybox' \
                "or put the image there: docker pull $REGISTRY_IMAGE"
        mv "$image_folder.tmp" "$image_folder"
    fi
    step "image: docker build $REGISTRY_IMAGE" build_image ||
        fail_step "could not build the image $REGISTRY_IMAGE" 'see the log, then run the same command again'
    image_local=1
}

build_registry() {
    mkdir -p "$image_folder.tmp/root/bin" &&
        cd "$ROOT/offline/registry-image" &&
        # For the daemon's machine, which need not be this one.
        GOFLAGS='-buildvcs=false -mod=readonly' GOWORK=off CGO_ENABLED=0 GOOS=linux GOARCH="$image_arch" go build -v -trimpath \
            -ldflags "-s -w -X $registry_package/version.version=$image_version -X $registry_package/version.mainpkg=$registry_package" \
            -o "$image_folder.tmp/root/bin/registry" "$registry_package/cmd/registry"
}

add_busybox() {
    root=$image_folder.tmp/root
    rm -rf "$image_folder.tmp/deb"
    mkdir -p "$image_folder.tmp/deb" "$root/etc/distribution" "$root/tmp" "$root/var/lib/registry" || return 1
    find_busybox || return 1
    cp "$busybox" "$root/bin/busybox" && chmod 755 "$root/bin/busybox" && rm -rf "$image_folder.tmp/deb" || return 1
    for applet in $busybox_applets; do
        [ -L "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet" || return 1
    done
    chmod 1777 "$root/tmp" &&
        echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd" && echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$root/etc/passwd" &&
        echo 'root:x:0:' >"$root/etc/group" && echo 'nobody:x:65534:' >>"$root/etc/group" &&
        chmod 644 "$root/etc/passwd" "$root/etc/group" &&
        cp "$ROOT/offline/registry-image/config.yml" "$root/etc/distribution/config.yml" &&
        cp "$ROOT/offline/registry-image/Dockerfile" "$image_folder.tmp/Dockerfile"
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
    docker build -t "$REGISTRY_IMAGE" --build-arg "VERSION=$image_version" "$image_folder" &&
        # It starts on that daemon, as it will be used.
        docker run --rm --network none --read-only --cap-drop ALL "$REGISTRY_IMAGE" --version &&
        docker run --rm --network none --read-only --cap-drop ALL --entrypoint sh "$REGISTRY_IMAGE" -c 'test -x /bin/wget'
}
