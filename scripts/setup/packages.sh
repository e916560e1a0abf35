# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# node_modules, exactly as in package-lock.json.

packages_stamp=$ROOT/node_modules/.pulumiw

packages_key() { echo "$(digest <"$ROOT/package-lock.json") node ${node_version%%.*}"; }

check_packages() { stamp_is "$packages_stamp" "$(packages_key)"; }

make_packages() {
    command -v npm >/dev/null 2>&1 || fail 'npm is needed to install the packages of package-lock.json' \
        'install npm (Debian: apt-get install npm; macOS: brew install node)'
    step 'packages of package-lock.json (npm ci)' npm ci --no-audit --no-fund --no-update-notifier --prefer-offline ||
        fail_step "'npm ci' failed" 'make the npm registry reachable (a mirror: npm config set registry), then run the same command again'
    write_stamp "$packages_stamp" "$(packages_key)"
}
