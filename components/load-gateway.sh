# Puts the uploaded files into the settings volume, each in one step, after Caddy has read them without an error; then
# gives the running access container its new accounts and permissions. Requests do not notice.
set -eu
umask 077
for config in gateway.json access.json; do
    if ! said=$(caddy validate --config "/load/$config" 2>&1); then
        echo "$config: $said" | tail -n 1 >&2
        exit 1
    fi
done
cd /settings
for path in /load/*; do
    file=${path##*/}
    if ! cmp -s "$path" "$file"; then
        cp "$path" ".$file.new"
        chmod 0400 ".$file.new"
        sync
        mv -f ".$file.new" "$file"
        echo "$file written"
    fi
done
# One that is not there, or not yet, reads them when it starts.
control=/run/control/control.sock
if [ -S "$control" ] && ! said=$(caddy reload --config access.json --address "unix/$control" 2>&1); then
    case $said in
        *'connection refused'* | *'no such file'*) ;;
        *)
            echo "$said" | tail -n 1 >&2
            exit 1
            ;;
    esac
fi
