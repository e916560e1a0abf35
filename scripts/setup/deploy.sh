# shellcheck shell=sh disable=SC2034,SC2154
# What `npm run up` and `npm run destroy` have in common; $root is the project.

# Runs pulumi, and after a failure says of each client host what kept it. Keeps pulumi's exit code in $code.
deploy() {
    events=$root/.pulumi-state/setup/events.$$
    (umask 077 && mkdir -p "${events%/*}" && : >"$events")
    trap 'rm -f "$events"' EXIT
    code=0
    # The option for a log of events is there only with that variable.
    PULUMI_DEBUG_COMMANDS=1 "$root/pulumiw" "$@" --yes --skip-preview --continue-on-error --event-log "$events" || code=$?
    if [ "$code" -ne 0 ] && [ -s "$events" ]; then
        PULUMIW_QUIET=1 "$root/pulumiw" --exec node scripts/setup/failures.mjs "$events" "$1" "$stack" || true
    fi
}

# The stack that the arguments name, if any.
stack_of() {
    stack=
    previous=
    for argument; do
        case $argument in --stack=*) stack=${argument#--stack=} ;; esac
        case $previous in -s | --stack) stack=$argument ;; esac
        previous=$argument
    done
}
