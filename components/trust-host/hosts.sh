# shellcheck shell=sh disable=SC2034,SC2154
# The registry's name in /etc/hosts, in a block of ours.

# Whether two texts, the second in the form in which systems print it, are one address; also of a family that this host has not.
is_same() {
    [ "$1" = "$2" ] ||
        [ "$({ getent --no-addrconfig ahosts "$1" || getent ahosts "$1"; } 2>/dev/null | awk '{ print $1; exit }')" = "$2" ]
}

set_up_hosts() {
    file=/etc/hosts
    case $address in *:*) family=: ;; *) family=. ;; esac
    foreign=$(without_block $file | awk -v name="$hostname" -v family="$family" '
        { sub(/#.*/, "") }
        index($1, family) { for (i = 2; i <= NF; i++) if (tolower($i) == name) { print $1; exit } }')
    content="$address $hostname"
    if [ -n "$foreign" ] && is_same "$foreign" "$address"; then
        tell hosts ours "$content is in $file, in a line that is not ours"
    elif [ -n "$foreign" ]; then
        [ "$mode" = check ] ||
            fail "$file maps $hostname to $foreign, in a line that is not ours, and not to $address; take that line out, or unset address, then run up again"
        tell hosts other "$file maps $hostname to $foreign"
    else
        put_block $file
        tell hosts "$result" "$content in $file $result"
    fi
}
