# shellcheck shell=sh disable=SC2034,SC2154
# containerd, also for Kubernetes: https://github.com/containerd/containerd/blob/main/docs/hosts.md
set_up_containerd() {
    [ "$1" = asked ] || [ -d /etc/containerd ] || command -v containerd >/dev/null 2>&1 || return 1
    folder=/etc/containerd/certs.d
    put_ca $folder
    of_ca=$result
    content="server = \"https://$registry\"

[host.\"https://$registry\"]
  capabilities = [\"pull\", \"resolve\", \"push\"]
  ca = \"$folder/$registry/ca.crt\""
    put "$folder/$registry/hosts.toml"
    and_also "$of_ca"
    tell containerd "$result" "$folder/$registry/hosts.toml $result"
    mirror_containerd $folder # with mirrors
    # Docker brings a containerd of its own use; Kubernetes asks through the CRI plugin, which has to be told of the folder.
    if ! command -v dockerd >/dev/null 2>&1 || command -v kubelet >/dev/null 2>&1; then
        case $(sed 's/^[[:blank:]]*#.*//' /etc/containerd/config.toml 2>/dev/null || true) in
            *config_path*=*$folder* | *disabled_plugins*cri*) ;;
            *) warn "Kubernetes does not read $folder on this host: set config_path = \"$folder\" in /etc/containerd/config.toml and restart containerd" ;;
        esac
    fi
}
