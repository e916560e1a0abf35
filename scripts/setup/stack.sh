# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# In the project's own backend: a stack to begin with. And what the selected stack's file says about Docker.

stack_stamp=$SETUP/stack
choice_is_users=

check_stack() {
    [ "$backend_kind" = managed ] || return 0
    [ -z "$stack_argument${PULUMI_STACK-}" ] || return 0
    case ${wants_help:+help}:$command:$subcommand in
        help:* | :login:* | :logout:* | :version:* | :help:* | :about:* | :plugin:* | :cancel:* | :stack:init) return 0 ;;
    esac
    # Once is enough: what is selected after that is the user's business.
    has_stacks && { [ -n "$choice_is_users" ] || stamp_is "$stack_stamp" "$(stack_key)" || [ -n "$(selected_stack)" ]; }
}

# A selection belongs to a folder and to a home of the engine's.
stack_key() { echo "$ROOT ${PULUMI_HOME:-$engine_kind}"; }

make_stack() {
    if has_stacks; then
        # There are stacks, none selected, none of that name: the choice is the user's, and pulumi says so.
        choice_is_users=1
        any_file "$STATE"/.pulumi/stacks/*/"$DEFAULT_STACK".json "$STATE"/.pulumi/stacks/*/"$DEFAULT_STACK".json.gz || return 0
        step "stack: selecting $DEFAULT_STACK" with_environment pulumi stack select "$DEFAULT_STACK" ||
            fail_step "could not select the stack $DEFAULT_STACK" 'choose one: ./pulumiw stack select'
    else
        step "stack: $DEFAULT_STACK" with_environment pulumi stack init "$DEFAULT_STACK" ||
            fail_step "could not create the stack $DEFAULT_STACK" 'see the log, then run the same command again'
    fi
    write_stamp "$stack_stamp" "$(stack_key)"
}

with_environment() {
    mode=pulumi
    export_environment
    exec node "$ROOT/scripts/setup/run.mjs" "$@" --non-interactive
}

# As the CLI does: one file per project folder, with the stack per backend.
selected_stack() {
    project_file=$ROOT/Pulumi.yaml
    project=$(sed -n 's/^name: *//p' "$project_file")
    case ${PULUMI_HOME:+own}:$engine_kind in
        own:*) home=$PULUMI_HOME ;;
        :offline) home=$STATE/home ;;
        :?*) home=$HOME/.pulumi ;;
        # Before the engine is chosen.
        *) if [ -d "$STATE/home" ]; then home=$STATE/home; else home=$HOME/.pulumi; fi ;;
    esac
    # The quoting of JSON is none in any path but the strangest.
    sed -n "s|^ *\"file://$STATE\": *\"\(.*/\)*\([^/\"]*\)\".*|\2|p" \
        "$home/workspaces/$project-$(printf %s "$project_file" | sha1)-workspace.json" 2>/dev/null || true
}

sha1() {
    if command -v sha1sum >/dev/null 2>&1; then
        sha1sum
    elif command -v shasum >/dev/null 2>&1; then
        shasum
    else
        openssl dgst -sha1 -r
    fi | cut -c 1-40
}

# stack_setting KEY: a plain setting of this project in the stack's file, where it decides which Docker is asked for what.
stack_setting() {
    grep -q "^ *private-registry:$1:" "$ROOT"/Pulumi.*.yaml 2>/dev/null || return 0
    sed -n "s/^ *private-registry:$1: *//p" "$(stack_file)" 2>/dev/null | tr -d "\"'" | head -n 1 || true
}

# stack_has PATTERN: whether a line of the stack's file fits.
stack_has() {
    grep -Eq -e "$1" "$ROOT"/Pulumi.*.yaml 2>/dev/null && grep -Eq -e "$1" "$(stack_file)" 2>/dev/null
}

stack_file() {
    stack=${stack_argument:-${PULUMI_STACK:-$(selected_stack)}}
    echo "$ROOT/Pulumi.${stack:-$DEFAULT_STACK}.yaml"
}
