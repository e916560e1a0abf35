# shellcheck shell=sh disable=SC2034,SC2154
# Asks the registry from here, as a client would: by its name, trusting only the certificates just written. 401 is the answer
# of a registry that wants a login.
prove() {
    url=https://$registry/v2/
    certificates=${ca_file:-$record/ca.crt}
    if [ ! -f "$certificates" ]; then
        tell proof unproved 'the certificates are not on this host'
        return 0
    fi
    if command -v curl >/dev/null 2>&1; then
        tool=curl
        answer=$(curl -q --silent --show-error --noproxy '*' --cacert "$certificates" --capath "$record" --connect-timeout 10 \
            --max-time 15 --output /dev/null --dump-header - "$url" 2>&1 </dev/null) || true
    elif wget --help 2>&1 </dev/null | grep -q -e --ca-certificate; then
        tool=wget
        answer=$(wget --no-config --no-proxy --no-hsts --tries=1 --timeout=10 --ca-certificate="$certificates" --ca-directory="$record" \
            --server-response --output-document=/dev/null "$url" 2>&1 </dev/null) || true
    elif command -v openssl >/dev/null 2>&1; then
        tool=openssl
        ask_with_openssl
    elif docker version >/dev/null 2>&1 </dev/null; then
        tool=docker
        answer=$(docker pull "$registry/private-registry/proof:none" 2>&1 </dev/null) || true
    else
        tell proof unproved 'not proved: this host has neither curl, wget, openssl nor a Docker daemon to ask with'
        return 0
    fi
    ! is_open_mirror || return 0 # with mirrors
    case $answer in
        *'no basic auth credentials'* | *'manifest unknown'* | *'HTTP/'*' 401'*[Dd]ocker-[Dd]istribution-[Aa]pi-[Vv]ersion*)
            tell proof ours "401 from $url by $tool"
            return 0
            ;;
        *'HTTP/'*' '[1-5][0-9][0-9]*)
            cause="what answers is not this registry ($(printf '%s\n' "$answer" | sed -n 's|^ *HTTP/[0-9.]* \([0-9]*\).*|HTTP \1|p' | head -n 1))"
            fix='see what listens there, or correct hostname, address and port'
            ;;
        *'certificate is not yet valid'* | *'not yet activated'* | *'not yet valid: current time '*' is before '*)
            cause="the clock of this host is behind: by it ($(date -u '+%Y-%m-%d %H:%M UTC')) the certificate is not valid yet"
            fix='set the clock, or that of the machine that runs up when that one is ahead'
            ;;
        *'has expired'* | *'not yet valid'*)
            cause="the certificate has ended by the clock of this host ($(date -u '+%Y-%m-%d %H:%M UTC'))"
            fix='set the clock if it is ahead; otherwise the up renews the certificate'
            ;;
        *'no alternative certificate subject name'* | *'does not match'* | *'doesn'*'t match'* | *'ostname mismatch'* | *'IP address mismatch'* | *'not valid for'* | *'certificate is valid for'* | *"doesn't contain any IP SANs"*)
            cause="the certificate that is served is not for the name $hostname"
            fix='something else answers there, or the registry still has its old certificate: see subjectAltNames'
            ;;
        *'unable to get local issuer'* | *'self signed'* | *'self-signed'* | *'unknown authority'* | *'not trusted'* | *'issuer certificate'* | *'signer not found'* | *'verify failed'* | *'verification failed'* | *'annot verify'* | *'verify error'*)
            cause='the certificate that is served is not signed by an authority of this stack'
            fix='something else answers there: see address, the DNS of this host, and what stands between'
            ;;
        *'ould not resolve'* | *'unable to resolve'* | *'not known'* | *'no such host'* | *'bad address'* | *'getaddrinfo'* | *'name resolution'*)
            cause="the name $hostname does not resolve on this host"
            fix='set address, or put the name into the DNS that this host uses'
            ;;
        *refused* | *'eset by peer'* | *':errno=104'* | *'o route'* | *nreachable* | *'timed out'* | *'imed out'* | *imeout* | *'ailed to connect'* | *"ouldn't connect"* | *'onnect failed'*)
            # curl says no more than that there is none.
            how=$(printf '%s\n' "$answer" | grep -oiE 'connection refused|connection reset|no route to host|network is unreachable|timed out|timeout' | head -n 1)
            cause="nothing answers at $hostname port $port (${how:-no connection})"
            fix='see bindAddress, port and the firewalls between'
            [ "$proof" = required ] || {
                tell proof unproved "not proved: $cause"
                return 0
            }
            ;;
        *)
            cause="what answers does not speak TLS as a registry does: $(printf '%s\n' "$answer" | grep -v '^ *$' | tail -n 1)"
            fix='see what listens there, or correct hostname, address and port'
            ;;
    esac
    [ "$mode" = check ] || fail "no proof from $url by $tool: $cause; $fix, then run up again"
    tell proof other "$cause"
}

ask_with_openssl() {
    limit=
    ! command -v timeout >/dev/null 2>&1 || limit='timeout 15'
    case $hostname in
        *:* | *[!0-9.]*[!0-9.]* | *[a-z]*) check_name="-verify_hostname $hostname -servername $hostname" ;;
        *) check_name="-verify_ip $hostname -noservername" ;;
    esac
    case $hostname in *:*) check_name="-verify_ip $hostname -noservername" connect="[$hostname]:$port" ;; *) connect=$hostname:$port ;; esac
    # shellcheck disable=SC2086
    answer=$(printf 'GET /v2/ HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$registry" |
        $limit openssl s_client -connect "$connect" $check_name -CAfile "$certificates" -verify_return_error -quiet 2>&1) ||
        # Ended by the limit, it has said nothing. busybox tells so by the signal.
        case $? in 124 | 143) answer="$answer${newline}timed out" ;; esac
}
