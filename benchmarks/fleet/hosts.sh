#!/bin/sh
# Many hosts in one container: hosts.sh ADDRESS... gives each of them an address, an sshd, and a whole file system of its own.
#
# AUTHORIZED_KEY is what root is logged in with; /host-key is the host key of all of them. ADDRESS=refuses is one where nothing
# listens, ADDRESS=silent one that answers nothing.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

# The next container with these addresses must not be another one to whoever has talked to this one.
IFS=. read -r a b c d <<ADDRESS
${1%=*}
ADDRESS
ip link set dev eth0 address "$(printf '02:00:%02x:%02x:%02x:%02x' "$a" "$b" "$c" "$d")"
# Also what a host writes lies in memory, and goes with it.
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -p /run/sshd /etc/docker
install -d -m 700 /root/.ssh
printf '%s\n' "$AUTHORIZED_KEY" >/root/.ssh/authorized_keys
install -m 600 /host-key /etc/ssh/fleet_host_key
cat >/etc/ssh/sshd_config <<'SSHD'
HostKey /etc/ssh/fleet_host_key
PidFile none
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 200
Subsystem sftp internal-sftp
SSHD

for word; do
    address=${word%=*}
    ip address add "$address/32" dev eth0
    case $word in
        *=refuses) continue ;;
        *=silent) ip rule add from "$address" blackhole ;;
    esac
    place=/mnt/$address
    mkdir -p "$place/upper" "$place/work" "$place/root"
    # shellcheck disable=SC2016
    unshare --mount sh -euc '
        mount -t overlay -o "lowerdir=/,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
        echo "127.0.0.1 localhost" >"$2/root/etc/hosts"
        for folder in proc dev; do mount --rbind "/$folder" "$2/root/$folder"; done
        exec chroot "$2/root" /usr/sbin/sshd -D -E /var/log/sshd.log -o "ListenAddress=$1"' sh "$address" "$place" &
done
wait
