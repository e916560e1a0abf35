# shellcheck shell=sh disable=SC2034,SC2154
# Adds the mirrors to what becomes the block of k3s or rke2. The block lies below `configs:`, so that it can have `mirrors:` only
# where neither of the two is in the file already.
mirror_rancher() {
    entries=$content
    endpoints=
    put_mirror_cas "/etc/rancher/$1/certs.d"
    tell "$1" "$of_mirrors" "/etc/rancher/$1/certs.d/*/ca.crt of mirrors $of_mirrors"
    while read -r mirror_of mirror_at _; do
        endpoint="\"$mirror_of\": { endpoint: [\"https://$mirror_at\"] }"
        if without_block "$file" | grep -qF "\"$mirror_at\":"; then
            tell "$1" other "$file has an entry \"$mirror_at\" of its own, which is left as it is"
        else
            entries="$entries
$indent\"$mirror_at\":
$indent  tls:
$indent    ca_file: /etc/rancher/$1/certs.d/$mirror_at/ca.crt"
        fi
        if [ -z "$configs" ] && ! without_block "$file" | grep -q '^mirrors:'; then
            endpoints="$endpoints
  $endpoint"
        elif without_block "$file" | names_mirror https://; then
            tell "$1" ours "$file names https://$mirror_at, in an entry that is not ours"
        else
            tell "$1" other "$file has entries of its own, which are left as they are: $1 does not pull through https://$mirror_at"
            warn "$file has entries of its own: to pull through the mirror of $mirror_of, add to its mirrors: $endpoint, then restart $1"
        fi
    done <<LIST
$mirrors
LIST
    content=$entries
    [ -z "$endpoints" ] || content="$content${newline}mirrors:$endpoints"
}
