# shellcheck shell=sh disable=SC2034,SC2154,SC2153

show_help() {
    cat <<EOT
Usage: ./pulumiw [ARGS]              what pulumi takes: up, preview, destroy, stack output, config set, ...
       ./pulumiw --setup             only set up what is missing
       ./pulumiw --exec CMD [ARGS]   set up, then run CMD with the same engine on PATH and the same backend
       ./pulumiw --help              this text ('./pulumiw help' is pulumi's own)

Runs pulumi in this project's folder, from wherever it is called. Before that it looks for what pulumi needs, and makes
what is missing, in this order:

  Node.js         yours from $NODE_MINIMUM on; else $NODE_VERSION, by npm, into the cache
  node_modules    'npm ci', again whenever package-lock.json changes
  engine          'pulumi' on PATH; else the official npm package 'pulumi', which downloads it; else, where that cannot be
                  downloaded, built with Go from the pinned modules in offline/, with compatible providers
  Docker          the daemon that DOCKER_HOST, your context or the stack's dockerHost lead to; else, as root on Debian or
                  Ubuntu, docker.io is installed and started (only for commands that need it)
  image           $REGISTRY_IMAGE: local; else pulled; else built from offline/registry-image
                  $GATEWAY_IMAGE, where the stack has a gateway: the same, offline/gateway-image
                  $REDIS_IMAGE, where the stack runs a Redis: local; else pulled; else made from Debian's packages
  backend         yours (PULUMI_BACKEND_URL, PULUMI_ACCESS_TOKEN, pulumi login); else files in .pulumi-state, encrypted with
                  a generated passphrase
  stack           in that own backend: '$DEFAULT_STACK' is created and selected once

What is ready is not looked for again over the network. Everything of pulumiw's own goes to standard error.

Files:
  .pulumi-state/              private (mode 700), not for git. It holds the keys of your registry: keep a backup of it.
  .pulumi-state/passphrase    what its secrets are encrypted with
  .pulumi-state/setup/setup.log
  $CACHE
                              what was installed and built, shared by all clones; may be deleted at any time

Environment:
  PULUMIW_ENGINE=path|npm|offline   use this engine and no other (npm: also tries again what failed before)
  PULUMIW_QUIET=1                   without the line that says what is running
  PULUMIW_BUSYBOX=FILE              a static busybox for the image, where none is found
  XDG_CACHE_HOME                    where the cache is (default ~/.cache)
  PULUMI_CONFIG_PASSPHRASE(_FILE)   your own passphrase instead of the generated one
  PULUMI_HOME                       your own; the compatible providers are then linked into its plugins folder
  DOCKER_HOST, GOPROXY, HTTPS_PROXY, npm_config_registry ... reach the tools that they are for
EOT
}
