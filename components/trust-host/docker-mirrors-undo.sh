# shellcheck shell=sh disable=SC2034,SC2154
# How Docker is freed of a mirror. The record keeps this text, and base.sh runs it: a script that takes mirrors back may be
# one without mirrors. The list `docker-mirrors` of the record has the URLs that were put into files: URL and file, one a line.

# Prints a JSON text, with a dot behind it, without the entry of the mirror $2, whatever has been added around it since, or laid
# out anew. With $3 that takes its place.
without_mirror() {
    printf '%s\n' "$1" | awk -v url="$2" -v other="${3-}" '
        { text = text (NR > 1 ? "\n" : "") $0 }
        END {
            gsub(/[].[]/, "[&]", url)
            entry = "\"registry-mirrors\"[ \t\r\n]*:[ \t\r\n]*\\[[ \t\r\n]*\"" url "/?\"[ \t\r\n]*\\]"
            entry = "(" entry "|\"registry-mirrors\":\\[ \\])"
            if (other != "" ? match(text, entry) : match(text, entry "[ \t\r\n]*,") || match(text, ",[ \t\r\n]*" entry) || match(text, entry))
                text = substr(text, 1, RSTART - 1) other substr(text, RSTART + RLENGTH)
            print text
        }'
}

# The process of the Docker whose file is $1.
docker_pid() {
    pid=/var/run/docker.pid
    case $1 in /var/snap/*) pid=/var/snap/docker/current/run/docker.pid ;; esac
    cat "$pid" 2>/dev/null || echo none
}

# Docker reads the mirrors again at this signal. It is never restarted.
reload_docker() {
    pid=$(docker_pid "$1")
    case $(cat "/proc/$pid/comm" 2>/dev/null || true) in
        dockerd) kill -HUP "$pid" ;;
        *) systemctl reload docker >/dev/null 2>&1 </dev/null || true ;;
    esac
}

# The mirrors that Docker uses, as JSON. Fails where it does not run, or cannot be asked.
docker_mirrors() {
    docker --host unix:///var/run/docker.sock info --format '{{json .RegistryConfig.Mirrors}}' 2>/dev/null </dev/null
}

# Whether Docker uses the mirror $1.
docker_uses() {
    case $(docker_mirrors || true) in *"\"$1/\""* | *"\"$1\""*) ;; *) return 1 ;; esac
}

take_back_docker_mirrors() {
    [ "$mode" != remove ] || wanted_mirrors=
    while read -r mirror_url mirror_file; do
        [ -n "$mirror_file" ] || continue
        case ${wanted_mirrors-} in *"$newline$mirror_url $mirror_file$newline"*) continue ;; esac
        mirror_text=$(text_of "$mirror_file" || true)
        left_text=$(without_mirror "$mirror_text" "$mirror_url")
        if [ "$left_text" != "$mirror_text" ]; then
            took_back=yes
            if docker_uses "$mirror_url" || { ! docker_mirrors >/dev/null && [ -e "/proc/$(docker_pid "$mirror_file")" ]; }; then
                # It keeps the mirrors that it has when its file names none at all.
                with_none=$(without_mirror "$mirror_text" "$mirror_url" '"registry-mirrors":[ ]')
                printf '%s' "${with_none%.}" | keep "$record/text" || exit 1
                put_text "$mirror_file"
                reload_docker "$mirror_file"
                docker_mirrors >/dev/null || sleep 1
                for _ in 1 2 3 4 5; do
                    docker_uses "$mirror_url" || break
                    sleep 1
                done
                ! docker_uses "$mirror_url" ||
                    warn "Docker still uses the mirror $mirror_url, which $mirror_file does not name any more; see its log, then restart it"
            fi
            if [ "$(printf '%s' "$left_text" | tr -d ' \t\r\n')" = '{}.' ] && grep -qxF -e "$mirror_file" "$record/made"; then
                change "$mirror_file" "rm -f -- $(quote "$mirror_file")"
                forget made "$mirror_file"
            else
                printf '%s' "${left_text%.}" | keep "$record/text" || exit 1
                put_text "$mirror_file"
            fi
        else
            case $mirror_text in *"\"$mirror_url\""* | *"\"$mirror_url/\""*) tell left other "$mirror_url in $mirror_file, which somebody else has changed" ;; esac
        fi
        forget docker-mirrors "$mirror_url $mirror_file"
    done <<LIST
$(cat "$record/docker-mirrors" 2>/dev/null || true)
LIST
    [ -s "$record/docker-mirrors" ] || rm -f -- "$record/docker-mirrors" "$record/undo"
}

# Takes a line out of a list of the record.
forget() {
    { grep -vxF -e "$2" "$record/$1" 2>/dev/null || true; } | keep "$record/$1" || exit 1
}
