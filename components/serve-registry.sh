# The first process of the registry's container. It runs the registry, and runs it read-only while a maintenance run that
# asked for that is alive (hold-registry.sh). What it knows is in memory and in /tmp, which is memory too:
# whatever ends the container, and however hard, it starts again as configured, and no maintenance run outlives it.
set -u
settings=/etc/private-registry
lock=/tmp/maintenance
registry=
stopping=

trap 'stopping=1; kill -TERM "$registry" 2>/dev/null' TERM INT
trap : USR1

# What the registry itself remembers of blobs goes with its process; a Redis is emptied of it. Else a blob that was collected
# could be one that nobody needs to push again. With a Redis that cannot be emptied, the registry goes by its own memory.
forget() {
    [ -r "$settings/redis-forget" ] || return 0
    read -r host port <"$settings/redis-address"
    answers=$(busybox timeout 10 busybox nc -w 5 "$host" "$port" <"$settings/redis-forget" 2>&1)
    case $answers in
        *-* | '') return 1 ;;
        *OK*) ;;
        *) return 1 ;;
    esac
}

start() {
    config=$1
    unset REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR
    if ! forget; then
        export REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=inmemory
        echo '{"level":"warning","msg":"Redis cannot be emptied: until the registry starts again it goes without"}'
    fi
    registry serve "$settings/$config" &
    registry=$!
    # Asked to stop between two registries.
    [ -z "$stopping" ] || kill -TERM "$registry"
}

is_running() { kill -0 "$registry" 2>/dev/null; }

# The one that runs finishes its transfers first.
restart_with() {
    kill -TERM "$registry" 2>/dev/null
    while is_running; do wait "$registry"; done
    [ -z "$stopping" ] || exit 0
    start "$1"
}

start config.yml
while :; do
    if ! read -r holder mode _ 2>/dev/null <"$lock"; then
        # Until it ends, or a signal says that there is something to see.
        wait "$registry"
    elif kill -0 -"$holder" 2>/dev/null; then
        # The holder's whole process group: what it started counts as well.
        if [ "$mode" = read-only ] && [ "$config" = config.yml ]; then
            if cmp -s "$settings/config.yml" "$settings/config-read-only.yml"; then
                config="config-read-only.yml"
            else
                restart_with config-read-only.yml
            fi
        fi
        echo "$holder" >/tmp/maintenance-granted
        sleep 1 &
        wait $!
    else
        # Nobody can take the lock before the registry is as it was: what it remembers of blobs is gone as well.
        [ "$config" = config.yml ] || restart_with config.yml
        rm -f /tmp/maintenance-granted "$lock"
    fi
    if ! is_running; then
        wait "$registry"
        exit
    fi
done
