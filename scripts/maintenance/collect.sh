# Runs in the registry's container, as its maintenance run: collect.sh [--dry-run] [--delete-untagged]
# Prints `blobs COUNT BYTES` before and after; with --dry-run each blob's size, and what the collector would delete.
set -eu
storage=/var/lib/registry/docker/registry/v2
config=/etc/private-registry/config.yml
export REGISTRY_LOG_LEVEL=error

list() { [ ! -d "$storage/blobs" ] || find "$storage/blobs" -type f -name data -exec stat -c '%s %n' {} +; }
measure() { list | awk '{ count++; bytes += $1 } END { printf "blobs %d %.0f\n", count, bytes }'; }
# It fails where no image was ever pushed.
collect() { [ ! -d "$storage/repositories" ] || [ ! -d "$storage/blobs" ] || registry garbage-collect "$@" "$config"; }

if [ "${1-}" = --dry-run ]; then
    list
    collect "$@"
    exit
fi
# Whoever started this has seen that pushes are refused.
echo ready
read -r _
measure
collect --quiet "$@" >/dev/null
measure
