# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# Every version that set-up pins, except those of package.json and of the go.mod files under offline/.

# What @pulumi/pulumi supports, and what is installed into the cache where the machine has less.
NODE_MINIMUM=22
NODE_VERSION=24.21.0

# As in offline/cli/go.mod. The suffix keeps `pulumi version` and `pulumi about` from claiming an official build.
OFFLINE_ENGINE_VERSION=3.259.0+offline

# Also the default of the `image` setting in lib/settings.ts.
REGISTRY_IMAGE=registry:3.1.1
# Also the default of `gatewayImage`.
GATEWAY_IMAGE=caddy:2.11.9
# Also the default of `redisImage`.
REDIS_IMAGE=redis:8.10.2-alpine

DEFAULT_STACK=dev
