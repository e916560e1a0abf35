# shellcheck shell=sh disable=SC2034,SC2154
# Pull-through caches of other registries. They have the registry's name and certificate, and a port each. The setting:
#   mirrors    one a line: the registry whose images it has, its address as image names have it, `anonymous` or `login`, and
#              the URL of that registry

# Sees to the certificates of every mirror in a folder of a client, and sets `of_mirrors` to what they were.
put_mirror_cas() {
    of_mirrors=
    content=$bundle
    while read -r _ mirror_at _; do
        put "$1/$mirror_at/ca.crt"
        case $result in
            ours | unchanged) : "${of_mirrors:=$result}" ;;
            *) of_mirrors=$result ;;
        esac
    done <<LIST
$mirrors
LIST
}

# Whether the text on standard input names the mirror; with $1 before its address.
names_mirror() { grep -qE -e "${1-}$(printf '%s' "$mirror_at" | sed 's/[].[]/[&]/g')([^0-9]|\$)"; }

# Proves every mirror as the registry was. In a process of its own, which can take another registry for it.
prove_mirrors() {
    while read -r mirror_of mirror_at mirror_access _; do
        said=$(
            registry=$mirror_at
            port=${mirror_at##*:}
            prove
        ) || exit 1
        case $mode in
            check)
                said=${said#*"$tab"}
                tell proof "${said%%"$tab"*}" "mirror of $mirror_of: ${said#*"$tab"}"
                ;;
            *) tell proof ours "mirror of $mirror_of: ${said#proof: }" ;;
        esac
    done <<LIST
$mirrors
LIST
}
tab=$(printf '\t')
mirror_access=

# Whether what was asked is a mirror that answers everybody. One that wants a login then is not what it was said to be.
is_open_mirror() {
    [ "$mirror_access" = anonymous ] || return 1
    case $tool:$answer in
        docker:*'no basic auth credentials'*) answer='HTTP/1.1 401' ;;
        # Docker does not show the answer. It asked for an image, and what became of that is up to the other registry.
        docker:*'manifest unknown'* | docker:*'not found'* | docker:*denied* | docker:*nauthorized* | docker:*toomanyrequests* | docker:*'unknown: '*)
            tell proof ours "answered by $url by $tool"
            return 0
            ;;
        *:*'HTTP/'*' 200'*[Dd]ocker-[Dd]istribution-[Aa]pi-[Vv]ersion*)
            tell proof ours "200 from $url by $tool"
            return 0
            ;;
        *:*'HTTP/'*' 401'*) answer='HTTP/1.1 401' ;;
    esac
    return 1
}
