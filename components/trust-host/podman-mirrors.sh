# shellcheck shell=sh disable=SC2034,SC2154
# Podman, CRI-O, Buildah and Skopeo read all files of this folder. Of two with the same registry the last one counts.
mirror_podman() {
    put_mirror_cas /etc/containers/certs.d
    tell podman "$of_mirrors" "/etc/containers/certs.d/*/ca.crt of mirrors $of_mirrors"
    mirror_file=/etc/containers/registries.conf.d/private-registry-$stack.conf
    entries=
    while read -r mirror_of mirror_at _; do
        theirs=$(podman_file_of "$mirror_of")
        if [ -z "$theirs" ]; then
            entries="$entries${newline}${newline}"'[[registry]]'"
prefix = \"$mirror_of\"
location = \"$mirror_of\"

[[registry.mirror]]
location = \"$mirror_at\""
        elif names_mirror <"$theirs"; then
            tell podman ours "$theirs names $mirror_at, and is not ours"
        else
            tell podman other "$theirs has an entry of its own for $mirror_of, which is left as it is: Podman does not pull through $mirror_at"
            warn "$theirs has an entry of its own for $mirror_of: to pull through the mirror, add below that entry: [[registry.mirror]] location = \"$mirror_at\""
        fi
    done <<LIST
$mirrors
LIST
    [ -n "$entries" ] || return 0
    content=${entries#"$newline$newline"}
    put "$mirror_file"
    advice=
    [ "$result" != written ] || ! command -v crio >/dev/null 2>&1 || advice='; CRI-O takes it when it is reloaded: systemctl reload crio'
    tell podman "$result" "$mirror_file $result$advice"
}

# The first file of somebody else with an entry for a registry.
podman_file_of() {
    for theirs in /etc/containers/registries.conf /etc/containers/registries.conf.d/*.conf; do
        if [ ! -f "$theirs" ] || [ "$theirs" = "$mirror_file" ]; then continue; fi
        awk -v registry="$1" -v quotes="[\"']" '
            function look() {
                if (inside && (prefix == "" ? location : prefix) == registry) found = 1
                prefix = location = ""
            }
            /^[ \t]*\[/ { look(); inside = /^[ \t]*\[\[[ \t]*registry[ \t]*\]\]/ }
            inside && /^[ \t]*prefix[ \t]*=/ { split($0, parts, quotes); prefix = parts[2] }
            inside && /^[ \t]*location[ \t]*=/ { split($0, parts, quotes); location = parts[2] }
            END { look(); exit !found }' "$theirs" || continue
        printf '%s\n' "$theirs"
        return
    done
}
