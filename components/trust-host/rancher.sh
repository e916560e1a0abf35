# shellcheck shell=sh disable=SC2034,SC2154
# k3s and rke2 read one YAML file, and only when they start.
set_up_rancher() {
    file=/etc/rancher/$1/registries.yaml
    put_ca "/etc/rancher/$1/certs.d"
    of_ca=$result
    ! without_block "$file" | grep -qF "\"$registry\":" ||
        fail "$file has an entry \"$registry\" of its own; take it out, or leave $1 out of the targets, then run up again"
    configs=$(without_block "$file" | grep '^configs:' | sed 's/[[:blank:]]*\(#.*\)*$//' || true)
    # The indentation of the entries that are there.
    indent=$(without_block "$file" | awk 'below && /^ *[^ #]/ { match($0, /^ */); print RLENGTH; exit } /^configs:/ { below = 1 }')
    indent=$(printf "%$((${indent:-2} > 0 ? ${indent:-2} : 2))s" '')
    content="$indent\"$registry\":
$indent  tls:
$indent    ca_file: /etc/rancher/$1/certs.d/$registry/ca.crt"
    mirror_rancher "$1" # with mirrors
    case $configs in
        '') content="configs:$newline$content" && put_block "$file" ;;
        configs:) put_block "$file" '^configs:' ;;
        *) fail "$file has 'configs:' in a form that cannot be added to; write it with one entry a line, or leave $1 out of the targets, then run up again" ;;
    esac
    and_also "$of_ca"
    advice=
    [ "$result" != written ] || advice="; it takes effect when $1 is restarted: systemctl restart $1 (or $1-agent, $1-server)"
    tell "$1" "$result" "$file $result$advice"
}
