# shellcheck shell=sh disable=SC2034,SC2154,SC2317
# The order of things.

# Sets up, or looks at, every target that is asked for and those of `found` that are there.
set_up_targets() {
    if [ -n "$address" ]; then set_up_hosts; fi
    count=0
    for target in $targets; do
        case $target in
            found)
                for runtime in docker containerd podman buildkit; do
                    ! "set_up_$runtime" found || count=1
                done
                ;;
            k3s | rke2) set_up_rancher "$target" && count=1 ;;
            *) "set_up_$target" asked && count=1 ;;
        esac
    done
    [ "$count" -gt 0 ] || fail 'none of Docker, containerd, Podman and BuildKit is on this host; install one, or say with clients.<key>.targets what to set up, for example [docker] or [system], then run up again'
}

# One at a time: another stack may be at the same files of this host just now. What is locked is the folder itself, until this
# shell ends, so nothing is left behind.
take_turn() {
    command -v flock >/dev/null 2>&1 || return 0
    exec 9</etc
    waited=0
    # It says something only where it cannot lock at all.
    until said=$(flock -n 9 2>&1) || [ -n "$said" ]; do
        [ "$waited" -lt 60 ] || fail 'another run has been changing this host for a minute; see what it waits for, then run up again'
        waited=$((waited + 1))
        sleep 1
    done
}

apply() {
    for folder in "$records" "$record"; do
        [ ! -L "$folder" ] || in_the_way "$folder" 'a link, and would lead root elsewhere'
    done
    error=$({ umask 077 && mkdir -p "$record"; } 2>&1) || cannot_write "$record"
    trap 'end_apply' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    holds "$record/ca.crt" "$bundle" || printf '%s\n' "$bundle" | keep "$record/ca.crt" || exit 1
    set_up_targets
    take_back_unwanted
    prove
    prove_mirrors # with mirrors
    # Whose this host is from now on, whatever is taken out under another name afterwards.
    [ -z "$client" ] || holds "$record/client" "$client" || printf '%s\n' "$client" | keep "$record/client" || exit 1
    [ -e "$record/done" ] || : | keep "$record/done" || exit 1
}

look() {
    # Somebody else may map the name to an address of the other family.
    case $address in '') family=. ;; *:*) family=: ;; *) family='^[0-9.]*$' ;; esac
    found=$(getent ahosts "$hostname" 2>/dev/null | awk -v family="$family" '$1 ~ family { print $1; exit }')
    [ -n "$found" ] || found=$(awk -v name="$hostname" -v family="$family" '
        { sub(/#.*/, "") }
        $1 ~ family { for (i = 2; i <= NF; i++) if (tolower($i) == name) { print $1; exit } }' /etc/hosts)
    state=ours
    [ -n "$found" ] || state=missing
    [ -z "$address" ] || [ -z "$found" ] || is_same "$found" "$address" || state=other
    tell resolve $state "$found"
    [ -e "$record/done" ] || tell record missing "$record, with what was there before"
    set_up_targets
    prove
    prove_mirrors # with mirrors
}

end_apply() {
    code=$?
    trap '' HUP INT TERM
    if [ "$code" -ne 0 ] && [ ! -e "$record/done" ]; then
        mode=remove
        wanted=$newline
        wanted_blocks=$newline
        (remove) >/dev/null 2>&1 || true
    fi
    exit "$code"
}

remove() {
    [ -d "$record" ] || {
        tell trust missing 'nothing of ours is on this host'
        return 0
    }
    if [ -n "$client" ] && [ -e "$record/client" ] && ! holds "$record/client" "$client"; then
        tell trust kept "this host is client $(cat "$record/client") now"
        return 0
    fi
    took_back=yes
    take_back_unwanted
    rm -rf -- "$record"
    rmdir "$records" 2>/dev/null || true
    tell trust removed 'taken back'
}

# All of it is read before any of it runs: what runs must not read the rest as its own input.
main() {
    mode=$1
    exec </dev/null
    [ "$mode" = check ] || take_turn
    case $mode in
        apply) apply ;;
        check) look ;;
        remove) remove ;;
    esac
}
{
    main "$1"
    exit
}
