# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# How the engine is built from offline/. What is in the cache is keyed by this file too: a change here builds everything anew.

# A static build that looks the same from every folder, whatever the user's Go settings say about targets and workspaces.
go_build() {
    unset GOOS GOARCH
    GOFLAGS='-buildvcs=false -mod=readonly' GOWORK=off CGO_ENABLED=0 go build -v -trimpath "$@"
}

build_engine_part() {
    mkdir -p "$engine_folder.tmp" &&
        cd "$ROOT/offline/$1" &&
        go_build -ldflags "-s -w $3" -o "$engine_folder.tmp/${2##*/}" "$2"
}

build_plugins() {
    mkdir -p "$plugins_folder.tmp/bin" || return 1
    cd "$ROOT/offline/providers" || return 1
    go_build -ldflags '-s -w' -o "$plugins_folder.tmp/bin/" ./cmd/... || return 1
    for plugin in $plugins; do
        plugin_folder=$plugins_folder.tmp/$(plugin_folder_name "$plugin")
        mkdir "$plugin_folder" &&
            mv "$plugins_folder.tmp/bin/pulumi-resource-${plugin%%=*}" "$plugin_folder/" || return 1
    done
    rmdir "$plugins_folder.tmp/bin" && mv "$plugins_folder.tmp" "$plugins_folder"
}

# The engine ignores build metadata when it compares versions, so +offline is found when the plain version is asked for.
plugin_folder_name() { echo "resource-${1%%=*}-v${1#*=}+offline"; }
