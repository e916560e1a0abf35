# shellcheck shell=sh disable=SC2034,SC2154
# The system's own store, for whatever else runs on this host: one file per certificate, where its family of systems has them.
set_up_system() {
    for store in /etc/pki/ca-trust/source/anchors /usr/local/share/ca-certificates /usr/share/pki/trust/anchors \
        /etc/ca-certificates/trust-source/anchors ''; do
        [ ! -d "$store" ] || break
    done
    [ -n "$store" ] ||
        fail 'this host has no trust store that is known here (Debian, RHEL, Alpine, SUSE, Arch); install ca-certificates, or leave system out of the targets, then run up again'
    [ "$mode" = check ] || refresh_store_exists
    rest=$bundle$newline
    number=0
    state=ours
    while [ -n "${rest%"$newline"}" ]; do
        content="${rest%%-----END CERTIFICATE-----*}-----END CERTIFICATE-----"
        rest="${rest#*-----END CERTIFICATE-----"$newline"}"
        number=$((number + 1))
        put "$store/$stack-$number.crt"
        : "${ca_file:=$store/$stack-$number.crt}"
        case $result in ours | unchanged) in_store || result=stale ;; esac
        case $result in ours | unchanged) ;; *) state=$result ;; esac
    done
    if [ "$mode" != check ]; then
        case $state in
            ours) state=unchanged ;;
            *)
                refresh_store
                in_store || fail "$refresh did not take $store/$stack-$number.crt into the system's store; run it by hand to see why"
                state=written
                ;;
        esac
    fi
    tell system "$state" "$store/$stack-*.crt $state"
}

refresh_store_exists() {
    command -v update-ca-trust >/dev/null 2>&1 || command -v update-ca-certificates >/dev/null 2>&1 ||
        fail 'neither update-ca-certificates nor update-ca-trust is on this host; install ca-certificates, or leave system out of the targets, then run up again'
}

# Whether programs of this host read the certificate $content from the store.
in_store() {
    for all in /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /var/lib/ca-certificates/ca-bundle.pem \
        /etc/ca-certificates/extracted/tls-ca-bundle.pem /etc/ssl/certs/ca-certificates.crt; do
        if [ -f "$all" ]; then
            case $(cat "$all") in *"$content"*) return 0 ;; esac
        fi
    done
    return 1
}
