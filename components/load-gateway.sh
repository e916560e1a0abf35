# Puts the uploaded files into the settings volume, each in one step, configurations after Caddy has read them without an
# error; then gives the running access container its new accounts and permissions. Requests do not notice.
set -eu
umask 077

put() {
    file=${1##*/}
    if ! cmp -s "$1" "/settings/$file"; then
        cp "$1" "/settings/.$file.new"
        chmod 0400 "/settings/.$file.new"
        sync
        mv -f "/settings/.$file.new" "/settings/$file"
        echo "$file written"
    fi
}

# A configuration is right only where the certificates that it names are.
for path in /load/*.pem /load/*.crt /load/*.key; do
    [ ! -e "$path" ] || put "$path"
done
for path in /load/*.json; do
    if ! said=$(caddy validate --config "$path" 2>&1); then
        echo "${path##*/}: $said" | tail -n 1 >&2
        exit 1
    fi
done
for path in /load/*.json; do
    put "$path"
done
# One that is not there, or not yet, reads them when it starts.
control=/run/control/control.sock
if [ -S "$control" ] && ! said=$(caddy reload --config /settings/access.json --address "unix/$control" 2>&1); then
    case $said in
        *'connection refused'* | *'no such file'*) ;;
        *)
            echo "$said" | tail -n 1 >&2
            exit 1
            ;;
    esac
fi
