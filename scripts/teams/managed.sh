# shellcheck shell=sh disable=SC2154
# A machine that a stack has set up as its client host is the stack's: neither changed nor taken back here.
for file in /var/lib/private-registry/*/ours/etc/*/certs.d/"$registry"/ca.crt; do
    case $file in
        "/var/lib/private-registry/$stack/"*) ;;
        *)
            if [ -f "$file" ]; then
                echo 'trust: unchanged: this machine is set up as a client host of the registry'
                exit 0
            fi
            ;;
    esac
done
