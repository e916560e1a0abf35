# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# What every step uses: places, messages, timed steps, the lock, stamps.

STATE=$ROOT/.pulumi-state
SETUP=$STATE/setup
LOG=$SETUP/setup.log
if [ -n "${XDG_CACHE_HOME-}" ]; then CACHE=$XDG_CACHE_HOME; else CACHE=${HOME:?HOME is not set}/.cache; fi
CACHE=$CACHE/private-registry
LOCK=$CACHE/setup.lock

lock_held=
job=
ticker=
log_open=
log_from=1
# What a line of the log stands for while a step runs that writes one for each.
progress_unit=

say() { printf '%s\n' "$*" >&2; }

# fail WHAT [ADVICE...]: the one message of a failed run.
fail() {
    say "pulumiw: $1"
    shift
    for advice; do say "  do:  $advice"; done
    [ -z "$log_open" ] || say "  log: $LOG"
    exit 1
}

# fail_step WHAT [ADVICE...]: the same, with the lines of the log that say why.
fail_step() {
    what=$1
    shift
    say "pulumiw: $what"
    relevant_lines | while IFS= read -r line; do say "  why: $line"; done
    for advice; do say "  do:  $advice"; done
    say "  log: $LOG"
    exit 1
}

# What the failed step wrote: the first and last of the lines that sound like a reason, else its last ones.
relevant_lines() {
    tail -n "+$log_from" "$LOG" | awk '
        /^== / || !/[[:alnum:]]/ || /^npm error$/ || /[Cc]omplete log of this run/ { next }
        { last[++n] = $0 }
        tolower($0) ~ /error|fail|cannot|could not|not found|denied|refused|invalid|missing|no such|unable|timed out/ { why[++m] = $0 }
        END {
            for (i = 1; i <= m; i++) if (i <= 3 || i > m - 3) print why[i]
            if (!m) for (i = n > 5 ? n - 4 : 1; i <= n; i++) print last[i]
        }'
}

require_platform() {
    case $(uname -s) in
        Linux | Darwin) ;;
        MINGW* | MSYS* | CYGWIN* | Windows*) fail 'Windows is supported through WSL: run this inside a Linux distribution there.' ;;
        *) fail "this system ($(uname -s)) is not supported: Linux and macOS are, and Windows through WSL." ;;
    esac
}

now() { date +%s; }

elapsed() {
    if [ "$1" -lt 60 ]; then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi
}

open_log() {
    [ -z "$log_open" ] || return 0
    make_private_folder "$SETUP"
    (umask 077 && : >"$LOG")
    log_open=1
}

make_private_folder() { (umask 077 && mkdir -p "$1"); }

# step TITLE COMMAND...: runs it with its output in the log, and shows one line with the time it took.
step() { step_within 0 "$@"; }

# The same, ended after that many seconds (0: never).
step_within() {
    limit=$1 title=$2
    shift 2
    open_log
    printf '== %s\n' "$title" >>"$LOG"
    log_from=$(($(wc -l <"$LOG") + 1))
    began=$(now)
    "$@" >>"$LOG" 2>&1 </dev/null &
    job=$!
    show_progress "$title" "$began" "$limit" "$job" &
    ticker=$!
    code=0
    # Some shells would say 'Terminated' of one that ran out of time.
    wait "$job" 2>/dev/null || code=$?
    job=
    progress_unit=
    stop_ticker
    took=$(elapsed $(($(now) - began)))
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    if [ "$code" -eq 0 ]; then say "  $title: $took"; else say "  $title: failed after $took"; fi
    printf '== %s: exit %s after %s\n' "$title" "$code" "$took" >>"$LOG"
    return "$code"
}

show_progress() {
    next=10
    while sleep 1 >/dev/null 2>&1; do
        kill -0 "$$" 2>/dev/null || exit 0
        seconds=$(($(now) - $2))
        if [ "$3" -gt 0 ] && [ "$seconds" -ge "$3" ]; then
            echo "error: timed out after $3 s" >>"$LOG"
            end_family_of "$4"
            exit 0
        fi
        progress="  $1 … $(elapsed "$seconds")"
        [ -z "$progress_unit" ] || progress="$progress, $(($(wc -l <"$LOG") - log_from + 1)) $progress_unit"
        if [ -t 2 ]; then
            printf '\r\033[K%s' "$progress" >&2
        elif [ "$seconds" -ge "$next" ]; then
            say "$progress"
            next=$((seconds + 30))
        fi
    done
}

stop_ticker() {
    [ -n "$ticker" ] || return 0
    # Not TERM: a subshell that has just been forked may still hold the trap for that, and lose it.
    kill -9 "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    ticker=
}

# A process and everything it started: npm and go leave their children behind when they alone are ended.
family_of() {
    { ps -A -o pid= -o ppid= 2>/dev/null || ps -o pid,ppid; } | awk -v top="$1" '
        { parent[$1] = $2 }
        END {
            for (pid in parent) {
                for (up = pid; up != top && up > 1 && (up in parent); up = parent[up]);
                if (up == top) print pid
            }
        }'
}

# Asks all of them to end, and five seconds later no longer asks.
end_family_of() {
    family=$(family_of "$1")
    # shellcheck disable=SC2086
    kill $family 2>/dev/null || true
    # shellcheck disable=SC2086
    { sleep 5 && kill -9 $family; } >/dev/null 2>&1 &
    last_resort=$!
    # Before it has ended, another run would meet it: npm goes on for a second or two.
    wait "$1" 2>/dev/null || true
    tries=0
    # shellcheck disable=SC2086
    while kill -0 $family 2>/dev/null && [ "$tries" -lt 6 ]; do
        sleep 1
        tries=$((tries + 1))
    done
    kill -9 "$last_resort" 2>/dev/null || true
}

# What tells a process from a later one with the same number; empty when there is none.
process_birth() {
    if [ -r "/proc/$1/stat" ]; then
        sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
    else
        ps -o lstart= -p "$1" 2>/dev/null || true
    fi
}

# One set-up at a time for everything that shares the cache.
take_setup_lock() {
    [ -z "$lock_held" ] || return 0
    make_private_folder "$CACHE"
    told=
    until mkdir "$LOCK" 2>/dev/null; do
        owner=$(cat "$LOCK/owner" 2>/dev/null || true)
        pid=${owner%% *}
        if lock_is_stale; then
            take_over_lock
            continue
        fi
        # Whoever has just taken the lock has yet to say who it is: then the next look tells.
        if [ -z "$told" ] && [ -n "$owner" ]; then
            say "  waiting for another set-up: process $pid, for $(cat "$LOCK/project") (lock: $LOCK)"
            told=1
        fi
        sleep 1
    done
    lock_held=1
    printf '%s\n' "$ROOT" >"$LOCK/project"
    write_stamp "$LOCK/owner" "$$ $(process_birth "$$")"
}

lock_is_stale() {
    # Between mkdir and the owner's name there is a moment, which nobody needs ten seconds for.
    if [ -z "$owner" ]; then
        ownerless=$((${ownerless:-0} + 1))
        [ "$ownerless" -gt 10 ]
    else
        ownerless=0
        [ "$(process_birth "$pid")" != "${owner#* }" ]
    fi
}

# Under a lock of its own, so that of two that found the same dead owner one cannot remove the other's fresh lock.
take_over_lock() {
    if mkdir "$LOCK.takeover" 2>/dev/null; then
        if [ "$(cat "$LOCK/owner" 2>/dev/null || true)" = "$owner" ]; then rm -rf "$LOCK"; fi
        rmdir "$LOCK.takeover" 2>/dev/null || true
    else
        takeovers=$((${takeovers:-0} + 1))
        [ "$takeovers" -le 10 ] || rmdir "$LOCK.takeover" 2>/dev/null || true
        sleep 1
    fi
}

release_setup_lock() {
    [ -n "$lock_held" ] || return 0
    rm -rf "$LOCK"
    lock_held=
}

clean_up() {
    stop_ticker
    [ -z "$job" ] || end_family_of "$job"
    release_setup_lock
    rm -f "$SETUP/docker.$$" "$SETUP/image.$$"
}
interrupted() {
    trap - EXIT
    trap '' HUP INT TERM
    if [ -t 2 ]; then printf '\n' >&2; fi
    say "pulumiw: interrupted; ending what it had started (the next run goes on from here)"
    clean_up
    exit "$1"
}
trap clean_up EXIT
trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

if command -v sha256sum >/dev/null 2>&1; then
    sha256=sha256sum
elif command -v shasum >/dev/null 2>&1; then
    sha256='shasum -a 256'
else
    sha256='openssl dgst -sha256 -r'
fi

# SHA-256 of standard input.
digest() { $sha256 | cut -c 1-64; }

# Short digest of the names and contents of everything in the given files and folders, relative to the project.
digest_files() {
    # shellcheck disable=SC2086
    (cd -- "$ROOT" && find "$@" -type f ! -name '*_test.go' ! -name '*.md' -exec $sha256 {} + | LC_ALL=C sort) | digest | cut -c 1-16
}

# The first line of a file, or nothing; without a process, because the way to a ready set-up consists of these.
first_line() {
    line=
    [ ! -f "$1" ] || IFS= read -r line <"$1" || true
}

stamp_is() {
    first_line "$1"
    [ "$line" = "$2" ]
}

# Written last, by rename: a stamp that is there is whole, and so is what it stands for.
write_stamp() {
    (
        case $1 in "$STATE"/*) umask 077 ;; esac
        printf '%s\n' "$2" >"$1.$$"
    ) && mv "$1.$$" "$1"
}

# An outer pulumiw's own settings (npm test runs inside one) are not the user's configuration.
forget_outer_pulumiw() {
    [ "${PULUMI_BACKEND_URL-}" != "${PULUMIW_SET_BACKEND_URL--}" ] || unset PULUMI_BACKEND_URL
    [ "${PULUMI_CONFIG_PASSPHRASE_FILE-}" != "${PULUMIW_SET_PASSPHRASE_FILE--}" ] || unset PULUMI_CONFIG_PASSPHRASE_FILE
    [ "${PULUMI_HOME-}" != "${PULUMIW_SET_HOME--}" ] || unset PULUMI_HOME
    [ "${PULUMI_CREDENTIALS_PATH-}" != "${PULUMIW_SET_CREDENTIALS_PATH--}" ] || unset PULUMI_CREDENTIALS_PATH
    unset PULUMIW_SET_BACKEND_URL PULUMIW_SET_PASSPHRASE_FILE PULUMIW_SET_HOME PULUMIW_SET_CREDENTIALS_PATH PULUMIW_STATE
    outer_cache=$CACHE
    path=
    last=
    rest=$PATH:
    while [ -n "$rest" ]; do
        entry=${rest%%:*}
        rest=${rest#*:}
        case $entry in
            "$outer_cache"/*) ;;
            # npm run puts it first, and it holds the npm package's `pulumi`; other tools of it are wanted by --exec.
            "$ROOT/node_modules/.bin") last=:$entry ;;
            *) path=$path:$entry ;;
        esac
    done
    PATH=${path#:}$last
    export PATH
}

# Which command of pulumi it is, and whether it names a stack.
read_arguments() {
    command=
    subcommand=
    stack_argument=
    wants_help=
    while [ $# -gt 0 ]; do
        case $1 in
            -s | --stack) [ $# -eq 1 ] || { stack_argument=$2 && shift; } ;;
            --stack=*) stack_argument=${1#--stack=} ;;
            -C | --cwd | -v | --verbose | --color | --tracing | --profiling | --otel-traces) [ $# -eq 1 ] || shift ;;
            -h | --help) wants_help=1 ;;
            --) break ;;
            -*) ;;
            *) if [ -z "$command" ]; then command=$1; elif [ -z "$subcommand" ]; then subcommand=$1; fi ;;
        esac
        shift
    done
    case $mode:${wants_help:+help}$command in
        setup:* | exec:* | pulumi:up | pulumi:update | pulumi:preview | pulumi:pre | pulumi:destroy | pulumi:refresh | pulumi:import | pulumi:watch)
            needs_docker=1
            ;;
        *) needs_docker= ;;
    esac
}

export_environment() {
    # For what is to be pasted after an error.
    if [ "$mode" = pulumi ]; then export PULUMIW_STACK="$stack_argument"; else unset PULUMIW_STACK; fi
    # Nothing here may look for the network, nor may a hint get between the user and the output.
    export PULUMI_SKIP_UPDATE_CHECK="${PULUMI_SKIP_UPDATE_CHECK-true}" PULUMI_SUPPRESS_NEO_LINK="${PULUMI_SUPPRESS_NEO_LINK-true}"
    # npm run lint checks the types. Here it would cost five seconds in every new clone (docs/decisions/0007-run-mode.md).
    export PULUMI_NODEJS_TRANSPILE_ONLY="${PULUMI_NODEJS_TRANSPILE_ONLY-true}"
    # Node keeps what it has compiled, of ts-node and the SDKs for the most part.
    export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$CACHE/compiled}"
    engine_environment
    backend_environment
}

summary_line() {
    echo "engine: $engine_description${needs_docker:+ · docker $docker_version} · state: $backend_description"
}
