# shellcheck shell=sh disable=SC2034,SC2154
# Adds the mirrors to what becomes BuildKit's block.
mirror_buildkit() {
    tables=$content
    put_mirror_cas /etc/buildkit/certs
    tell buildkit "$of_mirrors" "/etc/buildkit/certs/*/ca.crt of mirrors $of_mirrors"
    while read -r mirror_of mirror_at _; do
        if ! without_block "$file" | grep -qF "[registry.\"$mirror_of\"]"; then
            tables="$tables
[registry.\"$mirror_of\"]
  mirrors = [\"$mirror_at\"]"
        elif without_block "$file" | grep '^[^#]*mirrors' | names_mirror; then
            tell buildkit ours "$file names $mirror_at, in a table that is not ours"
        else
            tell buildkit other "$file has a [registry.\"$mirror_of\"] of its own, which is left as it is: BuildKit does not pull through $mirror_at"
            warn "$file has a [registry.\"$mirror_of\"] of its own: to pull through the mirror, add to it: mirrors = [\"$mirror_at\"]"
        fi
        if ! without_block "$file" | grep -qF "[registry.\"$mirror_at\"]"; then
            tables="$tables
[registry.\"$mirror_at\"]
  ca = [\"/etc/buildkit/certs/$mirror_at/ca.crt\"]"
        else
            tell buildkit other "$file has a [registry.\"$mirror_at\"] of its own, which is left as it is"
        fi
    done <<LIST
$mirrors
LIST
    content=$tables
}
