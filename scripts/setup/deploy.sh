# shellcheck shell=sh disable=SC2034,SC2154
# What `npm run up`, `preview` and `destroy` have in common; $root is the project.

# Runs pulumi, with what happens to the resources in the file $events. Keeps pulumi's exit code in $code.
run_logged() {
    events=$root/.pulumi-state/setup/events.$$
    # A run that was killed leaves them, and its number may be this run's.
    rm -f "$events" "$events.pipe"
    (umask 077 && mkdir -p "${events%/*}" && : >"$events" && mkfifo "$events.pipe")
    trap 'rm -f "$events" "$events.pipe"' EXIT
    # The engine's own log holds every detail of every call, keys in clear: only what is read here reaches the disk.
    grep -E '"(resourcePreEvent|resOpFailedEvent)":|"severity":"error"' <"$events.pipe" >"$events" &
    reader=$!
    # Held open until the end, so that the reader ends also when the engine never opened it.
    exec 9>"$events.pipe"
    code=0
    # The option for the log is there only with that variable.
    PULUMI_DEBUG_COMMANDS=1 "$root/pulumiw" "$@" --event-log "$events.pipe" 9>&- || code=$?
    exec 9>&-
    wait "$reader" || true
}

# The same for a deployment; after a failure says what kept it, and each client host.
deploy() {
    run_logged "$@" --yes --skip-preview --continue-on-error
    explain_failure "$1"
}

# explain_failure COMMAND
explain_failure() {
    [ "$code" -ne 0 ] && [ -s "$events" ] || return 0
    PULUMIW_QUIET=1 "$root/pulumiw" --exec node scripts/setup/failures.mjs "$events" "$1" "$stack" || true
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
