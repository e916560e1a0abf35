# shellcheck shell=sh disable=SC2034,SC2154
# Docker has mirrors for docker.io only, and logs in to none of them. It takes them from its file daemon.json, which hosts
# have neither jq nor Python to edit: the entry of ours goes in right behind the first brace, and nothing else changes.
eval "$undo_docker_mirrors"
wanted_mirrors=$newline

mirror_docker() {
    put_mirror_cas "$1"
    tell docker "$of_mirrors" "$1/*/ca.crt of mirrors $of_mirrors"
    while read -r mirror_of mirror_at mirror_access _; do
        case $mirror_of:$mirror_access:$1 in
            docker.io:login:*)
                warn "Docker logs in to no mirror, and the one of docker.io wants a login: name it in images, as in docker login $mirror_at && docker pull $mirror_at/library/alpine"
                ;;
            docker.io:*:/etc/*) put_docker_mirror /etc/docker/daemon.json ;;
            docker.io:*:/var/*) put_docker_mirror /var/snap/docker/current/config/daemon.json ;;
            docker.io:*) mirror_by_hand "${1%/certs.d}/daemon.json" 'systemctl --user reload docker, as that user' ;;
        esac
    done <<LIST
$mirrors
LIST
}

# What is in the folder of a user is theirs to change.
mirror_by_hand() {
    if cat -- "$1" 2>/dev/null | names_mirror https://; then
        tell docker ours "$1 names https://$mirror_at"
    else
        leave_docker "$1" "belongs to a user" "$2"
    fi
}

leave_docker() {
    tell docker other "$1 $2, and is left as it is: Docker does not pull through https://$mirror_at"
    warn "$1 $2: to pull through the mirror of docker.io, add \"https://$mirror_at\" to its \"registry-mirrors\", then ${3:-systemctl reload docker}"
}

put_docker_mirror() {
    url=https://$mirror_at
    # No control character can be in JSON, and a byte of zero not in what a shell reads.
    if [ -e "$1" ] && { [ ! -f "$1" ] || [ "$(tr -dc '\000-\010\013\014\016-\037' <"$1" | wc -c)" -ne 0 ]; }; then
        leave_docker "$1" 'is not the JSON object that Docker reads'
        return
    fi
    mirror_text=$(text_of "$1" || true)
    free_text=$mirror_text
    recorded=
    while read -r old_url old_file; do
        if [ "$old_file" = "$1" ]; then
            recorded=yes
            free_text=$(without_mirror "$free_text" "$old_url")
        fi
    done <<LIST
$(cat "$record/docker-mirrors" 2>/dev/null || true)
LIST
    state=free
    ! is_there "$1" || state=$(json_state "$free_text")
    case $state in
        taken)
            if printf '%s' "$free_text" | names_mirror https://; then
                tell docker ours "$1 names $url, in an entry that is not ours"
            else
                leave_docker "$1" 'has mirrors of its own'
            fi
            return
            ;;
        broken)
            leave_docker "$1" 'is not the JSON object that Docker reads'
            return
            ;;
    esac
    result=missing
    if [ "$free_text" != "$mirror_text" ] && printf '%s' "$mirror_text" | names_mirror https://; then result=ours; fi
    if [ "$result" = missing ] && mirrors_are_option "$1"; then
        if docker_uses "$url"; then
            tell docker ours "$url is an option of Docker's command line"
        else
            tell docker other "Docker's command line has --registry-mirror, which is left as it is: Docker does not pull through $url"
            warn "Docker is started with --registry-mirror, and would not start with mirrors in $1 as well: to pull through the mirror of docker.io, add --registry-mirror $url there"
        fi
        return
    fi
    wanted_mirrors=$wanted_mirrors$url\ $1$newline
    if [ "$result" = ours ]; then
        if docker_mirrors >/dev/null && ! docker_uses "$url"; then result=stale; fi
    fi
    if [ "$mode" != check ]; then
        case $result in
            missing)
                undo=$undo_docker_mirrors${newline}take_back_docker_mirrors
                holds "$record/undo" "$undo" || printf '%s\n' "$undo" | keep "$record/undo" || exit 1
                note docker-mirrors "$url $1"
                free_text=$(with_mirror "$free_text" "$url")
                printf '%s' "${free_text%.}" | keep "$record/text" || exit 1
                put_text "$1"
                reload_docker "$1"
                ;;
            stale) reload_docker "$1" ;;
            *) result=unchanged ;;
        esac
        [ "$result" = unchanged ] || docker_comes_to_use "$url" ||
            warn "Docker does not take the mirror $url from $1: see its log, and whether it reads another file (--config-file)"
        [ "$result" != stale ] || result=written
    fi
    tell docker "$result" "$1 with the mirror $url $result"
}

# Whether Docker, if it runs, uses the mirror within five seconds.
docker_comes_to_use() {
    for _ in 1 2 3 4 5; do
        docker_mirrors >/dev/null || return 0
        ! docker_uses "$1" || return 0
        sleep 1
    done
    return 1
}

# Whether mirrors come from Docker's command line: then it would not start with some in its file.
mirrors_are_option() {
    options=$(tr '\0' ' ' 2>/dev/null <"/proc/$(docker_pid "$1")/cmdline" || true)
    case $options in *--registry-mirror*) return 0 ;; esac
    ! grep -rqs '^[^#]*--registry-mirror' /etc/systemd/system/docker.service /etc/systemd/system/docker.service.d \
        /lib/systemd/system/docker.service /etc/default/docker /etc/sysconfig/docker /etc/conf.d/docker || return 0
    # Where its command line cannot be seen: mirrors that are not ours, while its file names none.
    [ -z "$options$recorded" ] || return 1
    case $(docker_mirrors || true) in '' | null | '[]') return 1 ;; esac
}

# Prints a JSON text, with a dot behind it, with the mirror $2.
with_mirror() {
    entry="\"registry-mirrors\":[\"$2\"]"
    case $1 in
        '') printf '{%s}\n.' "$entry" ;;
        *)
            rest=${1#*\{}
            comma=,
            case $(printf '%s' "$rest" | tr -d ' \t\r\n') in '}'*) comma= ;; esac
            printf '%s' "${1%%\{*}{$entry$comma$rest"
            ;;
    esac
}

# What a JSON text, with a dot behind it, is: an object without mirrors (free) or with mirrors (taken), or something else
# (broken). Everything in it becomes one character, then lists and objects do, from the inside out.
json_state() {
    printf '%s\n' "${1%.}" | awk '
        { text = text $0 " " }
        END {
            gsub(/\\./, "", text)
            bare = text
            gsub(/"[^"]*"/, "", bare)
            if (bare ~ /[#@%<>"]/) { print "broken"; exit }
            gsub(/"registry-mirrors"/, "@", text)
            gsub(/"[^"]*"/, "#", text)
            gsub(/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null/, "%", text)
            gsub(/[ \t\r]/, "", text)
            if (text !~ /^[{].*[}]$/) { print "broken"; exit }
            text = "<" substr(text, 2, length(text) - 2) ">"
            while (gsub(/\[([#@%](,[#@%])*)?\]|[{]([#@]:[#@%](,[#@]:[#@%])*)?[}]/, "%", text)) continue
            if (text !~ /^<([#@]:[#@%](,[#@]:[#@%])*)?>$/) print "broken"
            else if (text ~ /[<,]@:/) print "taken"
            else print "free"
        }'
}
