# shellcheck shell=sh disable=SC2034,SC2154
# Docker reads this folder for every connection: no restart.
set_up_docker() {
    set_up=
    if [ -d /var/snap/docker/current ]; then
        put_docker /var/snap/docker/current/etc/docker/certs.d
    elif [ -d /etc/docker ] || command -v dockerd >/dev/null 2>&1; then
        put_docker /etc/docker/certs.d
    fi
    # Rootless: whoever has a daemon of their own.
    while IFS=: read -r user _ uid _ _ home _; do
        if [ "${uid:-0}" -ne 0 ] && [ -d "$home/" ] &&
            { [ -S "/run/user/$uid/docker.sock" ] || [ -f "$home/.config/systemd/user/docker.service" ]; }; then
            put_docker "$home/.config/docker/certs.d"
        fi
    done </etc/passwd
    if [ -z "$set_up" ] && [ "$1" = asked ]; then put_docker /etc/docker/certs.d; fi
    [ -n "$set_up" ]
}

put_docker() {
    put_ca "$1"
    tell docker "$result" "$1/$registry/ca.crt $result"
    set_up=yes
    mirror_docker "$1" # with mirrors
}
