# shellcheck shell=sh disable=SC2034,SC2154
# BuildKit, which reads its file when it starts; buildx hands the file and the certificate to the builders that it makes.
set_up_buildkit() {
    [ "$1" = asked ] || [ -d /etc/buildkit ] || command -v buildkitd >/dev/null 2>&1 || return 1
    file=/etc/buildkit/buildkitd.toml
    if without_block $file | grep -qF "[registry.\"$registry\"]"; then
        tell buildkit other "$file has a [registry.\"$registry\"] of its own, which is left as it is"
        return
    fi
    put_ca /etc/buildkit/certs
    of_ca=$result
    content="[registry.\"$registry\"]
  ca = [\"/etc/buildkit/certs/$registry/ca.crt\"]"
    mirror_buildkit # with mirrors
    put_block $file
    and_also "$of_ca"
    advice=
    [ "$result" != written ] ||
        advice="; restart buildkitd, or make new builders: docker buildx create --driver docker-container --buildkitd-config $file"
    tell buildkit "$result" "$file $result$advice"
}
