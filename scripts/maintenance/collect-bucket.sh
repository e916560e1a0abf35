# Runs in the registry's container, as its maintenance run, where the images lie in a bucket: collect-bucket.sh [--dry-run]
# [--delete-untagged]. Prints what the collector does; sizes are the bucket's to tell.
set -eu
export REGISTRY_LOG_LEVEL=error

case ${1-} in
    --dry-run) ;;
    *)
        # Whoever started this has seen that pushes are refused.
        echo ready
        read -r _
        ;;
esac
exec registry garbage-collect "$@" /etc/private-registry/config.yml
