# shellcheck shell=sh disable=SC2154
# The main part of trust-and-login.sh, which `npm run handover` puts together. Before it come the settings (registry, hostname,
# address, username, bundle, stack) and trust_script, which prints the script for root.

usage() {
    cat <<EOT
Usage: sh trust-and-login.sh [--password-stdin | --remove]

Makes this machine trust the registry $registry and logs Docker and Podman, what there is of them, in to it as $username.
The password is asked for, unless a file 'password' lies beside this script. Run again, it leaves what is right as it is.

  --password-stdin   reads the password from standard input
  --remove           logs out and takes back what was written

Docker's own folder, and the name in /etc/hosts, belong to root: sudo is used for them. Podman and a rootless Docker are set
up in the user's own folders when nothing else is needed.
EOT
}

fail() {
    printf 'trust-and-login: %s\n' "$1" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }
docker_is_rootless() { docker info --format '{{.SecurityOptions}}' 2>/dev/null </dev/null | grep -q rootless; }
resolves() { ! has getent || getent ahosts "$hostname" >/dev/null 2>&1; }

# Whether something here is root's: a daemon that is not the user's own, or the name in /etc/hosts.
daemon_is_roots() { is_root || { has docker && ! docker_is_rootless; }; }
needs_root() { daemon_is_roots || { [ -n "$address" ] && ! resolves; }; }
root_was_here() { daemon_is_roots || grep -qsF "# BEGIN private-registry $stack" /etc/hosts; }

# Runs the script for root in a mode: apply or remove.
as_root() {
    if is_root; then
        trust_script | sh -s "$1"
    elif has sudo && sudo -n -l sh -s "$1" >/dev/null 2>&1; then
        trust_script | sudo -n sh -s "$1"
    elif has sudo && [ -t 2 ]; then
        trust_script | sudo sh -s "$1"
    else
        fail "$(id -un) is not root and may not use sudo without being asked, which trust in $registry takes on this machine; run this as root, or on a terminal"
    fi
}

# Folders of this user's in which Podman and a rootless Docker look for certificates.
own_folders() {
    printf '%s\n' "$HOME/.config/containers/certs.d"
    printf '%s\n' "${XDG_CONFIG_HOME:-$HOME/.config}/docker/certs.d"
}

# A name that is nobody else's: both programs read every file that ends in .crt.
own_file() { printf '%s\n' "$1/$registry/private-registry.crt"; }

trust_as_user() {
    own_folders | while IFS= read -r folder; do
        case $folder in
            */containers/*) has podman || continue ;;
            *) has docker || continue ;;
        esac
        file=$(own_file "$folder")
        if [ "$(cat "$file" 2>/dev/null)" = "$bundle" ]; then
            echo "trust: $file unchanged"
        else
            mkdir -p "${file%/*}"
            printf '%s\n' "$bundle" >"$file.new"
            mv -f "$file.new" "$file"
            echo "trust: $file written"
        fi
    done
}

remove_as_user() {
    own_folders | while IFS= read -r folder; do
        file=$(own_file "$folder")
        if [ -f "$file" ]; then
            rm -f "$file"
            rmdir "${file%/*}" "$folder" 2>/dev/null || true
            echo "trust: $file removed"
        fi
    done
}

# Sets `password`, before anything is changed.
read_password() {
    beside=$(dirname -- "$0")/password
    if [ -n "$password_on_stdin" ]; then
        IFS= read -r password || [ -n "$password" ] || fail 'no password came on standard input'
    elif [ -f "$beside" ]; then
        IFS= read -r password <"$beside" || [ -n "$password" ] || fail "$beside is empty"
    elif [ -t 0 ]; then
        trap 'stty echo' EXIT
        trap 'exit 130' INT TERM
        stty -echo
        printf 'Password of %s at %s: ' "$username" "$registry" >&2
        IFS= read -r password || true
        stty echo
        trap - EXIT INT TERM
        echo >&2
    else
        fail 'no password: run this on a terminal, give it on standard input with --password-stdin, or put it into a file "password" beside this script'
    fi
    [ -n "$password" ] || fail 'the password is empty'
}

log_in() {
    tries=0
    until said=$(printf '%s' "$password" | "$1" login --username "$username" --password-stdin "$registry" 2>&1); do
        tries=$((tries + 1))
        # A daemon looks at /etc/hosts anew only every five seconds.
        case $tries:$said in
            [1-8]:*'no such host'*) sleep 1 ;;
            *) fail "$1 login: $(printf '%s\n' "$said" | tail -n 1)" ;;
        esac
    done
    echo "$1: logged in to $registry as $username"
}

log_out() {
    "$1" logout "$registry" >/dev/null 2>&1 || true
    echo "$1: logged out of $registry"
}

for_each_tool() {
    for tool in docker podman; do
        if has "$tool"; then "$1" "$tool"; fi
    done
}

main() {
    umask 077
    removes=
    password_on_stdin=
    password=
    [ $# -le 1 ] || fail 'one option at most; see --help'
    case ${1-} in
        '') ;;
        --password-stdin) password_on_stdin=1 ;;
        --remove) removes=1 ;;
        -h | --help) usage && exit 0 ;;
        *) fail "no such option: $1; see --help" ;;
    esac
    has docker || has podman || fail 'neither docker nor podman is on this machine; install one of them, then run this again'
    if [ -n "$removes" ]; then
        for_each_tool log_out
        remove_as_user
        if root_was_here; then as_root remove; fi
        return
    fi
    read_password
    if needs_root; then as_root apply; else trust_as_user; fi
    for_each_tool log_in
}

main "$@"
