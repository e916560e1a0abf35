# shellcheck shell=sh disable=SC2034,SC2154
# Podman, CRI-O, Buildah and Skopeo read the same folder.
set_up_podman() {
    [ "$1" = asked ] || [ -d /etc/containers ] || command -v podman >/dev/null 2>&1 || command -v crio >/dev/null 2>&1 ||
        command -v buildah >/dev/null 2>&1 || command -v skopeo >/dev/null 2>&1 || return 1
    put_ca /etc/containers/certs.d
    tell podman "$result" "/etc/containers/certs.d/$registry/ca.crt $result"
    mirror_podman # with mirrors
}
