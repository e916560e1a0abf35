# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# The engine: pulumi on PATH; the official npm package; built from offline/. Sets engine_kind and engine_description.

engine_choice=$SETUP/engine
launcher=$ROOT/node_modules/.bin/pulumi
engine_kind=

check_engine() {
    case ${PULUMIW_ENGINE-} in
        '')
            # What worked last time is not tried again: a failed download can take as long as the network likes.
            check_path_engine && return 0
            first_line "$engine_choice"
            case $line in
                npm) check_npm_engine ;;
                offline) check_offline_engine ;;
                *) return 1 ;;
            esac
            ;;
        path) check_path_engine ;;
        npm) stamp_is "$engine_choice" npm && check_npm_engine ;;
        offline) check_offline_engine ;;
        *) fail "PULUMIW_ENGINE is '$PULUMIW_ENGINE'" "use path, npm or offline, or leave it unset" ;;
    esac
}

make_engine() {
    case ${PULUMIW_ENGINE-} in
        '')
            # Built before, from sources that have changed since.
            if stamp_is "$engine_choice" offline; then make_offline_engine && return 0; fi
            make_npm_engine && return 0
            say "  engine: Pulumi cannot be downloaded here, so it is built from offline/"
            make_offline_engine
            ;;
        path) fail "PULUMIW_ENGINE=path, but there is no 'pulumi' on PATH that runs" 'install Pulumi: https://www.pulumi.com/docs/install' ;;
        npm) make_npm_engine || fail_step "the npm package's launcher could not get Pulumi" \
            'make the sites that it downloads from reachable, or use PULUMIW_ENGINE=offline' ;;
        offline) make_offline_engine ;;
    esac
}

# PATH has neither node_modules/.bin nor the cache in front here: see forget_outer_pulumiw.
check_path_engine() {
    engine_program=$(command -v pulumi) || return 1
    case $engine_program in
        "$launcher" | "$CACHE"/*) return 1 ;;
    esac
    engine_kind=path
    # shellcheck disable=SC2012
    version_key="$engine_program $(ls -lLn "$engine_program" | tr -s ' ')"
    if stamp_is "$SETUP/engine-version" "$version_key"; then
        engine_version=$(tail -n 1 "$SETUP/engine-version")
    else
        # One that does not run is none, such as the npm package's of another clone where nothing can be downloaded.
        engine_version=$(PULUMI_SKIP_UPDATE_CHECK=true "$engine_program" version 2>/dev/null </dev/null) || return 1
        engine_version=$(printf '%s\n' "$engine_version" | tail -n 1)
        make_private_folder "$SETUP"
        write_stamp "$SETUP/engine-version" "$version_key
$engine_version"
    fi
    engine_description="pulumi ${engine_version#v} ($engine_program)"
}

# The launcher only finds its download and starts it, without handing signals on: so it is started directly where it is known.
check_npm_engine() {
    [ -x "$launcher" ] || return 1
    engine_version=${PULUMI_VERSION:-$(sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' "$ROOT/node_modules/pulumi/package.json" 2>/dev/null || true)}
    engine_folder=${PULUMI_HOME:-$HOME/.pulumi}/versions/$engine_version/bin
    [ -x "$engine_folder/pulumi" ] || engine_folder=${launcher%/*}
    engine_kind=npm
    engine_description="pulumi ${engine_version:-of the npm package} (official, from npm)"
}

make_npm_engine() {
    [ -x "$launcher" ] || return 1
    # Ten minutes are a slow line's download; without a network it fails at once.
    PULUMI_SKIP_UPDATE_CHECK=true step_within 600 'engine: downloading Pulumi with the official npm package' "$launcher" version || return 1
    write_stamp "$engine_choice" npm
}

engine_source() {
    [ -n "${engine_key-}" ] ||
        engine_key=$({ echo "$OFFLINE_ENGINE_VERSION $(uname -sm)" && digest_files offline/cli offline/nodejs-host scripts/setup/offline-build.sh; } | digest | cut -c 1-16)
    engine_folder=$CACHE/engine/$engine_key
}

plugins_source() {
    if [ -z "${plugins_key-}" ]; then
        plugins=
        for plugin in docker tls random command; do
            plugins="$plugins $plugin=$(sed -n "s|^ *\"@pulumi/$plugin\": *\"\([^\"]*\)\".*|\1|p" "$ROOT/package.json")"
        done
        plugins_key=$({ echo "$plugins $(uname -sm)" && digest_files offline/providers scripts/setup/offline-build.sh; } | digest | cut -c 1-16)
    fi
    plugins_folder=$CACHE/plugins/$plugins_key
}

check_offline_engine() {
    engine_source
    plugins_source
    [ -x "$engine_folder/pulumi" ] && [ -d "$plugins_folder" ] && plugins_are_linked || return 1
    mark_used
    engine_kind=offline
    engine_description="pulumi $OFFLINE_ENGINE_VERSION (built from offline/, compatible providers)"
}

make_offline_engine() {
    engine_source
    plugins_source
    if [ ! -x "$engine_folder/pulumi" ]; then
        require_go offline/cli
        remove_leftovers "$CACHE/engine"
        progress_unit='packages compiled'
        step 'engine: CLI from offline/cli, about 5 minutes the first time' build_engine_part cli \
            github.com/pulumi/pulumi/pkg/v3/cmd/pulumi \
            "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$OFFLINE_ENGINE_VERSION" ||
            engine_failed "the Pulumi CLI from offline/cli"
        progress_unit='packages compiled'
        step 'engine: Node.js language host from offline/nodejs-host' build_engine_part nodejs-host \
            github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs '' ||
            engine_failed "the Node.js language host from offline/nodejs-host"
        rm -rf "$engine_folder" && mv "$engine_folder.tmp" "$engine_folder"
        keep_used "$CACHE/engine" 3
    fi
    if [ ! -d "$plugins_folder" ]; then
        require_go offline/providers
        remove_leftovers "$CACHE/plugins"
        progress_unit='packages compiled'
        step 'engine: compatible providers from offline/providers' build_plugins ||
            engine_failed "the compatible providers from offline/providers"
        keep_used "$CACHE/plugins" 5
    fi
    mark_used
    link_plugins
    write_stamp "$engine_choice" offline
}

engine_failed() {
    fail_step "could not build $1" \
        "make a Go module proxy reachable (go env GOPROXY), or install Pulumi: https://www.pulumi.com/docs/install"
}

# require_go MODULE: that module's go line is met, or Go may fetch what meets it.
require_go() {
    wanted=$(sed -n 's/^go //p' "$ROOT/$1/go.mod")
    how="install Go $wanted or later: https://go.dev/dl, or your system's packages"
    [ "$1" = offline/registry-image ] || how="$how; or install Pulumi instead: https://www.pulumi.com/docs/install"
    command -v go >/dev/null 2>&1 || fail "Go $wanted or later is needed to build $1, and there is none" "$how"
    have=$(go env GOVERSION)
    have=${have#go}
    version_at_least "${have%% *}" "$wanted" && return 0
    version_at_least "${have%% *}" 1.21 && [ "$(go env GOTOOLCHAIN)" != local ] && return 0
    fail "Go $wanted or later is needed to build $1, and this machine's is $have" "$how"
}

version_at_least() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        split(have, h, /[^0-9]+/); split(want, w, /[^0-9]+/)
        for (i = 1; i <= 3; i++) if (h[i] + 0 != w[i] + 0) exit !(h[i] + 0 > w[i] + 0)
    }'
}

remove_leftovers() { rm -rf "$1"/*.tmp; }

# The time of these folders is that of their last use, by whichever clone.
mark_used() { touch -c "$engine_folder" "$plugins_folder" 2>/dev/null || true; }

# keep_used FOLDER COUNT: every edit of a provider leaves 130 MB. Those used last stay, and what another clone may be at.
keep_used() {
    # shellcheck disable=SC2012
    ls -t "$1" | tail -n "+$(($2 + 1))" | while IFS= read -r old; do
        [ -n "$(find "$1/$old" -prune -mtime -1)" ] || rm -rf "${1:?}/$old"
    done
}

# The engine looks for plugins in PULUMI_HOME. By default that is a folder of this project, so that no other project on this
# machine ever meets the compatible ones. A PULUMI_HOME of the user's own gets them one by one, beside what is there.
plugins_are_linked() {
    whole=$(whole_link)
    if [ -n "$whole" ]; then
        [ "$(readlink "$whole" 2>/dev/null || true)" = "$plugins_folder" ]
        return
    fi
    for plugin in $plugins; do
        official_plugin "$plugin" && continue
        [ "$(readlink "$(linked_plugin "$plugin")" 2>/dev/null || true)" = "$(built_plugin "$plugin")" ] || return 1
    done
}

link_plugins() {
    whole=$(whole_link)
    if [ -n "$whole" ]; then
        make_private_folder "${whole%/*}"
        rm -rf "$whole"
        ln -s "$plugins_folder" "$whole"
        return
    fi
    for plugin in $plugins; do
        official_plugin "$plugin" && continue
        # A link to the folder would not do: the engine passes over what is not a folder itself.
        mkdir -p "$PULUMI_HOME/plugins/$(plugin_folder_name "$plugin")"
        rm -f "$(linked_plugin "$plugin")"
        ln -s "$(built_plugin "$plugin")" "$(linked_plugin "$plugin")"
    done
}

# The link that stands for all plugins at once: of our home, or of one that is another clone's. Through that one, links to each
# would be put into the cache, in the place of the plugins.
whole_link() {
    if [ -z "${PULUMI_HOME-}" ]; then
        echo "$STATE/home/plugins"
    else
        case $(readlink "$PULUMI_HOME/plugins" 2>/dev/null || true) in "$CACHE"/plugins/*) echo "$PULUMI_HOME/plugins" ;; esac
    fi
}

official_plugin() { [ -d "$PULUMI_HOME/plugins/resource-${1%%=*}-v${1#*=}" ]; }
linked_plugin() { echo "$PULUMI_HOME/plugins/$(plugin_folder_name "$1")/pulumi-resource-${1%%=*}"; }
built_plugin() { echo "$plugins_folder/$(plugin_folder_name "$1")/pulumi-resource-${1%%=*}"; }

engine_environment() {
    case $engine_kind in
        npm) PATH=$engine_folder:$PATH ;;
        offline)
            PATH=$engine_folder:$PATH
            # What is not here cannot be downloaded either, and trying takes its time.
            export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="${PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION-true}"
            # For tests, which give each its own PULUMI_HOME.
            export PULUMIW_PLUGINS="$plugins_folder"
            if [ -z "${PULUMI_HOME-}" ]; then
                # A login of the user's own stays in force although the home is another.
                if [ -z "${PULUMI_CREDENTIALS_PATH-}" ] && [ "$backend_kind" = login ]; then
                    export PULUMI_CREDENTIALS_PATH="$HOME/.pulumi" PULUMIW_SET_CREDENTIALS_PATH="$HOME/.pulumi"
                fi
                export PULUMI_HOME="$STATE/home" PULUMIW_SET_HOME="$STATE/home"
                # Every run leaves an (encrypted) log of 100 KB and more there, and the engine's own limit is 500 MB.
                export PULUMI_LOG_ROTATION_MAX_TOTAL_MB="${PULUMI_LOG_ROTATION_MAX_TOTAL_MB-1}"
            fi
            ;;
    esac
    export PATH PULUMIW_ENGINE_KIND="$engine_kind"
}
