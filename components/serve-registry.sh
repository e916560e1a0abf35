# The first process of the registry's container. It runs the registry, and runs it read-only while a maintenance run that
# asked for that is alive (hold-registry.sh). What it knows is in memory and in /tmp, which is memory too:
# whatever ends the container, and however hard, it starts again as configured, and no maintenance run outlives it.
set -u
settings=/etc/private-registry
lock=/tmp/maintenance
registry=
stopping=
slow=

trap 'stop' TERM INT
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
    # Once more after a while: a busy machine may have taken longer than there was time for.
    if ! forget && { [ -n "$stopping" ] || { sleep 1; ! forget; }; }; then
        export REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=inmemory
        echo '{"level":"warning","msg":"Redis cannot be emptied: until the registry starts again it goes without"}'
    fi
    registry serve "$settings/$config" &
    registry=$!
    # Asked to stop between two registries.
    [ -z "$stopping" ] || kill -TERM "$registry"
}

is_running() { kill -0 "$registry" 2>/dev/null; }

stop() {
    kill -TERM "$registry" 2>/dev/null
    [ -z "$stopping" ] || return 0
    read_clock
    stopping=$now
    slow=$(slow_clients)
}

# Seconds of a clock that nobody sets.
read_clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}

# The clients that more was written for than they have taken. What a registry says at a connection's end is less than 256 bytes,
# and lies there for long when the client was idle and is gone. What a client of the machine itself gets may all be with Docker's
# proxy, which goes with the container as well: its connections come from the gateway, and are closed by a client that has it all.
slow_clients() {
    awk -v slow=" $slow " -v proxies_count="${1-}" '
        function number(hex, i, n) {
            for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
            return n
        }
        $2 == "00000000" { gateway = $3 }
        # Port 5000, and not the socket that listens.
        $2 ~ /:1388$/ && $4 != "0A" {
            unsent = number(substr($5, 1, 8))
            was_slow = index(slow, " " $3 " ")
            is_proxy = proxies_count && gateway != "" && $3 ~ gateway ":" && $4 != "06"
            if (unsent > 256 || was_slow && unsent || is_proxy) printf "%s ", $3
        }' /proc/net/route /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# What the registry has written is not with the clients yet, and goes with the container. Docker waits 65 s for its end, and a
# client that leaves a connection open does not hold the next registry up for longer than some 10, more on a busy machine.
hand_over() {
    looks=0
    proxies_count=1
    while
        slow=$(slow_clients "$proxies_count")
        # Not by the clock: when the machine stands still, so do those that Docker's proxy serves.
        looks=$((looks + 1))
        [ "$looks" -lt 45 ] || proxies_count=
        read_clock
        [ -n "$slow" ] && [ "$((now - stopping))" -lt 63 ]
    do
        sleep 0.2
    done
}

# The one that runs finishes its transfers first. What it has written stays with the container.
restart_with() {
    kill -TERM "$registry" 2>/dev/null
    while is_running; do wait "$registry"; done
    if [ -n "$stopping" ]; then
        hand_over
        exit 0
    fi
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
        code=$?
        [ -z "$stopping" ] || hand_over
        exit "$code"
    fi
done
