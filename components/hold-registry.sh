# Runs in the registry's container: sh hold.sh MODE WHAT COMMAND [ARGUMENT ...]
# Takes the registry's one maintenance lock and becomes the command, which holds it until it and all that it started are
# gone. MODE is read-only (the registry refuses pushes meanwhile, and the command starts when no push is left) or as-it-is.
set -eu
mode=$1
what=$2
shift 2
lock=/tmp/maintenance
claim=$lock.$$
trap 'rm -f "$claim"' EXIT

echo "$$ $mode $what" >"$claim"
# A link is made whole or not at all.
until ln "$claim" "$lock" 2>/dev/null; do
    read -r holder _ other <"$lock" || continue
    if kill -0 -"$holder" 2>/dev/null; then
        echo "busy $other"
        exit 75
    fi
    # Whoever it was is dead, and the registry is about to be as it was before.
    kill -USR1 1
    sleep 1
done
rm -f "$claim"

# Running transfers get a minute. A registry that will not do it must not be waited for without end.
patience=600
until [ "$(cat /tmp/maintenance-granted 2>/dev/null)" = $$ ]; do
    patience=$((patience - 1))
    if [ "$patience" -lt 0 ]; then
        echo refused
        exit 1
    fi
    kill -USR1 1
    sleep 0.2
done
echo "held $$"
exec "$@"
