# The first process of a registry's container that has a Redis of its own beside it, until it becomes serve.sh. When the
# machine has started, Docker starts both at the same time, and a registry that does not find its Redis would do without it.
set -u
settings=/etc/private-registry
trap 'exit 0' TERM INT
read -r host port <"$settings/redis-address"
tries=0
until busybox timeout 2 busybox nc "$host" "$port" </dev/null >/dev/null 2>&1 || [ "$tries" -ge 40 ]; do
    tries=$((tries + 1))
    sleep 0.5
done
exec /bin/sh "$settings/serve.sh"
