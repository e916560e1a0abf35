# shellcheck shell=sh disable=SC2034,SC2154
# containerd asks the hosts of a registry's file in turn, and the registry itself last.
mirror_containerd() {
    put_mirror_cas "$1"
    tell containerd "$of_mirrors" "$1/*/ca.crt of mirrors $of_mirrors"
    while read -r mirror_of mirror_at _ mirror_upstream; do
        file=$1/$mirror_of/hosts.toml
        host="[host.\"https://$mirror_at\"]
  capabilities = [\"pull\", \"resolve\"]
  ca = \"$1/$mirror_at/ca.crt\""
        content="server = \"$mirror_upstream\"

$host"
        if is_there "$file" && [ ! -f "$record/ours$file" ] && ! holds "$file" "$content"; then
            if names_mirror https:// <"$file"; then
                tell containerd ours "$file names https://$mirror_at, and is not ours"
            else
                tell containerd other "$file is not ours, and is left as it is: containerd does not pull through https://$mirror_at"
                warn "$file is not ours: to pull through the mirror of $mirror_of, add to it: $(printf '%s' "$host" | tr -s '\n ' ' ')"
            fi
            continue
        fi
        put "$file"
        tell containerd "$result" "$file $result"
    done <<LIST
$mirrors
LIST
}
