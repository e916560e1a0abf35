# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# Redis for its image, from Debian's packages: unpacked here, and not installed. There is no Go module of it to build from.

# Where Redis is in them: redis-server is only another name of a program in this one.
redis_package=redis-tools

find_debian_redis() {
    redis_version=
    command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || return 0
    redis_version=$(debian_redis_version)
    # A machine that was just made knows of no packages.
    [ -n "$redis_version" ] || ! update_packages || redis_version=$(debian_redis_version)
}

debian_redis_version() {
    apt-cache show --no-all-versions "$redis_package:$image_arch" 2>/dev/null | sed -n 's/^Version: //p'
}

update_packages() { [ "$(id -u)" = 0 ] && step 'image: apt-get update' apt-get -q update; }

unpack_redis() {
    rm -rf "$image_folder.tmp/deb"
    mkdir -p "$image_folder.tmp/deb" "$image_folder.tmp/root/bin" "$image_folder.tmp/root/lib" || return 1
    # shellcheck disable=SC2046
    (
        cd "$image_folder.tmp/deb" && apt-get -q download $(redis_packages) || exit 1
        for package in *.deb; do dpkg-deb -x "$package" . || exit 1; done
    ) || return 1
    cp "$image_folder.tmp/deb/usr/bin/redis-check-rdb" "$image_folder.tmp/root/bin/redis-server" &&
        cp "$image_folder.tmp/deb/usr/bin/redis-cli" "$image_folder.tmp/root/bin/redis-cli" &&
        ln -s lib "$image_folder.tmp/root/lib64" || return 1
    # One folder for all, in which every loader looks.
    for library in "$image_folder.tmp"/deb/lib/*/l*.so* "$image_folder.tmp"/deb/usr/lib/*/l*.so*; do
        [ ! -f "$library" ] || cp -P "$library" "$image_folder.tmp/root/lib/" || return 1
    done
}

# The package and the libraries that it needs, and those that they need.
redis_packages() {
    all=
    new=$redis_package:$image_arch
    while [ -n "$new" ]; do
        all="$all $new"
        # Of alternatives, the first.
        # shellcheck disable=SC2086
        new=$(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances $new |
            awk -v all="$all " '
                !/Depends: / { next }
                !alternative && $NF ~ /^(lib|lua)/ && !index(all, " " $NF " ") && !seen[$NF]++ { print $NF }
                { alternative = $1 ~ /^[|]/ }' | tr '\n' ' ')
    done
    echo "$all"
}
