#!/bin/sh
# The tutorial's own steps: an authority and a server certificate with openssl, an account with htpasswd, the registry
# with docker run, until it answers 200.
#
# Usage: tutorial.sh up FOLDER NAME PORT   |   tutorial.sh down FOLDER NAME
set -eu

folder=$2
name=$3

up() {
    mkdir -p "$folder/certs" "$folder/auth" "$folder/images"
    subject='/C=DE/ST=Berlin/L=Berlin/O=Example/OU=Platform'
    openssl genrsa -out "$folder/certs/ca.key" 2048
    openssl req -x509 -new -key "$folder/certs/ca.key" -sha256 -days 3650 -subj "$subject/CN=Example CA" -out "$folder/certs/ca.crt"
    openssl genrsa -out "$folder/certs/tls.key" 2048
    openssl req -new -key "$folder/certs/tls.key" -subj "$subject/CN=localhost" -out "$folder/certs/tls.csr"
    echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >"$folder/certs/san"
    openssl x509 -req -in "$folder/certs/tls.csr" -CA "$folder/certs/ca.crt" -CAkey "$folder/certs/ca.key" -CAcreateserial \
        -days 397 -sha256 -extfile "$folder/certs/san" -out "$folder/certs/tls.crt"

    password=$(openssl rand -hex 20)
    if command -v htpasswd >/dev/null 2>&1; then
        htpasswd -Bbn dev "$password" >"$folder/auth/htpasswd"
    else
        # As htpasswd -B makes it.
        PASSWORD=$password node -e 'console.log("dev:" + require("bcryptjs").hashSync(process.env.PASSWORD, 5))' >"$folder/auth/htpasswd"
    fi

    docker run -d --name "$name" --restart always -p "127.0.0.1:$1:5000" \
        -v "$folder/images:/var/lib/registry" -v "$folder/certs:/certs" -v "$folder/auth:/auth" \
        -e REGISTRY_HTTP_TLS_CERTIFICATE=/certs/tls.crt -e REGISTRY_HTTP_TLS_KEY=/certs/tls.key \
        -e REGISTRY_AUTH=htpasswd -e REGISTRY_AUTH_HTPASSWD_REALM=registry -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd \
        registry:3.1.1

    until [ "$(curl -s --noproxy '*' -o "$folder/answer" -w '%{http_code}' --cacert "$folder/certs/ca.crt" -u "dev:$password" "https://localhost:$1/v2/")" = 200 ]; do
        tries=$((${tries:-0} + 1))
        [ "$tries" -lt 600 ] || exit 1
        sleep 0.05
    done
}

down() {
    docker rm -f -v "$name"
    rm -rf "$folder"
}

case $1 in
    up) up "$4" ;;
    down) down ;;
esac
