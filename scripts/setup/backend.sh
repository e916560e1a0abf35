# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# Where the state lies and what encrypts its secrets: the user's choice, else a folder and a passphrase of this project.

passphrase_file=$STATE/passphrase
backend_kind=
backend_description=

# Sets backend_kind: user (environment or Pulumi.yaml), login (pulumi login) or managed (here).
find_backend() {
    if [ -n "${PULUMI_BACKEND_URL-}" ]; then
        backend_kind=user backend_description='PULUMI_BACKEND_URL'
    elif [ -n "${PULUMI_ACCESS_TOKEN-}" ]; then
        backend_kind=user backend_description='Pulumi Cloud (PULUMI_ACCESS_TOKEN)'
    elif grep -q '^backend:' "$ROOT/Pulumi.yaml" 2>/dev/null; then
        backend_kind=user backend_description='as in Pulumi.yaml'
    elif is_logged_in; then
        backend_kind=login backend_description='your pulumi login'
    else
        backend_kind=managed backend_description=.pulumi-state
    fi
}

# The CLI keeps the login as "current", or hides the whole file from us by encrypting it.
is_logged_in() {
    for folder in "${PULUMI_CREDENTIALS_PATH:-${PULUMI_HOME:-$HOME/.pulumi}}" "$STATE/home"; do
        credentials=$folder/credentials.json
        if grep -q -e '"current": *"[^"]' -e 'pulumiSecureStore' "$credentials" 2>/dev/null; then return 0; fi
    done
    return 1
}

# The address of the user's backend; nothing where it is hidden, or Pulumi Cloud without an address.
backend_address() {
    if [ -n "${PULUMI_BACKEND_URL-}" ]; then
        echo "$PULUMI_BACKEND_URL"
    elif [ "$backend_kind" = login ]; then
        sed -n 's/.*"current": *"\([^"]*\)".*/\1/p' "$credentials"
    else
        sed -n '/^backend:/,/^[^ ]/s/^ *url: *//p' "$ROOT/Pulumi.yaml" 2>/dev/null | tr -d "\"'"
    fi
}

check_backend() {
    find_backend
    if [ "$backend_kind" != managed ]; then
        # A service keeps the key itself; files and buckets have nothing but the passphrase. One way leads out.
        case $command:$subcommand:$(backend_address) in
            stack:change-secrets-provider:* | *:*: | *:*:http://* | *:*:https://*) ;;
            *) refuse_empty_passphrase ;;
        esac
        return 0
    fi
    refuse_empty_passphrase
    # shellcheck disable=SC2012
    case $(ls -ld "$STATE" 2>/dev/null) in drwx------*) ;; *) return 1 ;; esac
    [ -n "${PULUMI_CONFIG_PASSPHRASE-}${PULUMI_CONFIG_PASSPHRASE_FILE-}" ] || [ -s "$passphrase_file" ] || return 1
    report_stale_locks
}

refuse_empty_passphrase() {
    if [ "$backend_kind" = managed ]; then
        advice='unset it, and a random passphrase is kept in .pulumi-state/passphrase; or give a good one of your own'
    else
        advice='give a good one; or unset it, where the stack has a key service'
    fi
    if [ -n "${PULUMI_CONFIG_PASSPHRASE+set}" ] && [ -z "$PULUMI_CONFIG_PASSPHRASE" ]; then
        fail 'PULUMI_CONFIG_PASSPHRASE is empty: anyone could read the keys in the state' "$advice"
    fi
    # With the one above, the engine does not look for a file.
    [ -z "${PULUMI_CONFIG_PASSPHRASE-}" ] || return 0
    if [ -n "${PULUMI_CONFIG_PASSPHRASE_FILE-}" ] && ! grep -q '[^[:space:]]' "$PULUMI_CONFIG_PASSPHRASE_FILE" 2>/dev/null; then
        fail "PULUMI_CONFIG_PASSPHRASE_FILE: $PULUMI_CONFIG_PASSPHRASE_FILE is missing or empty" "$advice"
    fi
}

make_backend() {
    make_private_folder "$STATE"
    chmod 700 "$STATE"
    [ -z "${PULUMI_CONFIG_PASSPHRASE-}${PULUMI_CONFIG_PASSPHRASE_FILE-}" ] || return 0
    [ ! -s "$passphrase_file" ] || return 0
    if has_stacks; then
        fail "the state in .pulumi-state is encrypted with a passphrase that is gone: .pulumi-state/passphrase" \
            'put that file back from a backup, or set PULUMI_CONFIG_PASSPHRASE to what was in it'
    fi
    # 256 bits. A link never overwrites, so a passphrase that is in use cannot be lost here.
    (
        umask 077
        od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$passphrase_file.$$"
        [ "$(wc -c <"$passphrase_file.$$")" -eq 64 ] && ln "$passphrase_file.$$" "$passphrase_file"
        rm -f "$passphrase_file.$$"
    )
}

# Not the .bak and .attrs beside them.
has_stacks() { any_file "$STATE"/.pulumi/stacks/*/*.json "$STATE"/.pulumi/stacks/*/*.json.gz; }

any_file() {
    for file; do [ ! -f "$file" ] || return 0; done
    return 1
}

# A killed engine leaves its lock, and every later run refuses to go on. The number of a dead process says that much, but not
# whether what it started is still at work, nor whether this host's name is unique: so undoing it stays the user's word.
report_stale_locks() {
    for file in "$STATE"/.pulumi/locks/organization/*/*/*.json; do
        [ -f "$file" ] || continue
        [ "$command" != cancel ] || return 0
        pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$file")
        host=$(sed -n 's/.*"hostname": *"\([^"]*\)".*/\1/p' "$file")
        stack=${file%/*}
        stack=${stack##*/}
        if [ "$host" = "$(uname -n)" ] && [ -n "$pid" ] && [ -z "$(process_birth "$pid")" ]; then
            say "pulumiw: stack '$stack' is locked by a run that was killed (process $pid is gone)"
            say "  do:  npm run recover -- --stack $stack"
        fi
    done
}

backend_environment() {
    [ "$backend_kind" = managed ] || return 0
    # With a backend of ours in the way, a login could not choose another.
    case $command in login | logout) return 0 ;; esac
    export PULUMI_BACKEND_URL="file://$STATE" PULUMIW_SET_BACKEND_URL="file://$STATE"
    if [ -z "${PULUMI_CONFIG_PASSPHRASE-}${PULUMI_CONFIG_PASSPHRASE_FILE-}" ]; then
        export PULUMI_CONFIG_PASSPHRASE_FILE="$passphrase_file" PULUMIW_SET_PASSPHRASE_FILE="$passphrase_file"
    fi
    # Stack files are tracked, the passphrase is not: so the salt that goes with it is taken from the state (see run.mjs).
    export PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true
    export PULUMIW_STATE="$STATE"
    [ "$mode" != exec ] || return 0
    # The engine writes its state readable for all otherwise.
    umask 077
    # With many client hosts the state repeats itself: a twentieth of the space, and less time to write it after each step.
    export PULUMI_DIY_BACKEND_GZIP="${PULUMI_DIY_BACKEND_GZIP-true}"
}
