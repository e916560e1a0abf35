# The first process of a registry's container that has a Redis of its own beside it, until it becomes serve.sh. When the
# machine has started, Docker starts both at the same time, and a registry that does not find its Redis would do without it.
set -u
settings=/etc/private-registry
trap 'exit 0' TERM INT
read -r host port <"$settings/redis-address"
# Seconds of a clock that nobody sets.
read_clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}
read_clock
end=$((now + 20))
until busybox timeout 2 busybox nc "$host" "$port" </dev/null >/dev/null 2>&1 || [ "$now" -ge "$end" ]; do
    sleep 0.5
    read_clock
done
exec /bin/sh "$settings/serve.sh"
