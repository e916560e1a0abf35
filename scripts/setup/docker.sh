# shellcheck shell=sh disable=SC2034,SC2154,SC2153
# A Docker daemon: the one that the user's settings lead to, else one installed and started here.

docker_version=
docker_waited=

# Asks the daemon for its version and for the images at once, in the background while the other checks run.
probe_docker() {
    [ -n "$needs_docker" ] || return 0
    docker_waited=
    docker_version=
    docker_probe=
    configured_host=$(stack_setting dockerHost)
    [ -z "$configured_host" ] || export DOCKER_HOST="$configured_host"
    command -v docker >/dev/null 2>&1 || return 0
    make_private_folder "$SETUP"
    docker version --format '{{.Server.Version}}' >"$SETUP/docker.$$" 2>&1 </dev/null &
    docker_probe=$!
    docker image inspect --format '{{join .RepoTags " "}}' "$REGISTRY_IMAGE" "$GATEWAY_IMAGE" "$REDIS_IMAGE" >"$SETUP/image.$$" 2>/dev/null </dev/null &
    image_probe=$!
}

check_docker() {
    [ -n "$needs_docker" ] || return 0
    [ -n "$docker_probe" ] || return 1
    if [ -z "$docker_waited" ]; then
        docker_waited=1
        docker_reached=
        # A daemon far away may answer late or never.
        show_progress "Docker: waiting for the daemon${DOCKER_HOST:+ at $DOCKER_HOST}" "$(now)" 60 "$docker_probe" &
        ticker=$!
        ! wait "$docker_probe" || docker_reached=1
        [ -n "$docker_reached" ] || kill "$image_probe" 2>/dev/null || true
        docker_answer=$(cat "$SETUP/docker.$$")
        wait "$image_probe" || true
        local_images=$(tr '\n' ' ' <"$SETUP/image.$$")
        stop_ticker
        rm -f "$SETUP/docker.$$" "$SETUP/image.$$"
        if [ -n "$docker_reached" ]; then docker_version=${docker_answer##*
}; fi
    fi
    [ -n "$docker_reached" ]
}

make_docker() {
    docker_answer=${docker_answer-}
    case $docker_answer in
        *'permission denied'*)
            fail "the Docker daemon is there, but $(id -un) may not use it" \
                "join its group: sudo usermod -aG docker $(id -un), then log in again (or run this as root)"
            ;;
    esac
    if [ -n "${DOCKER_HOST-}" ]; then
        fail "the Docker daemon at $DOCKER_HOST does not answer: $(docker_reason)" 'start it, or correct DOCKER_HOST or the dockerHost setting'
    fi
    context=$(docker context show 2>/dev/null) || context=default
    if [ "$context" != default ]; then
        fail "the Docker daemon of the context '$context' does not answer: $(docker_reason)" \
            "start it, or choose another: docker context use default"
    fi
    if [ "$(uname -s)" = Darwin ]; then
        fail 'no Docker daemon answers' \
            'start Docker Desktop, or: brew install docker colima && colima start; then run the same command again'
    fi
    [ "$(id -u)" = 0 ] || fail 'no Docker daemon answers, and only root can install or start one' \
        "install and start it: sudo apt-get install docker.io (Debian, Ubuntu) or https://docs.docker.com/engine/install" \
        "start one that is installed: sudo systemctl start docker"
    if ! command -v dockerd >/dev/null 2>&1 || ! command -v docker >/dev/null 2>&1; then
        command -v apt-get >/dev/null 2>&1 || fail 'Docker is not installed, and only on Debian and Ubuntu can it be installed from here' \
            'install it: https://docs.docker.com/engine/install'
        step 'Docker: apt-get install docker.io' install_docker ||
            fail_step "could not install docker.io" 'install Docker yourself: https://docs.docker.com/engine/install'
    fi
    step 'Docker: starting the daemon' start_docker ||
        fail_step 'the Docker daemon did not start' 'see its log, then start it yourself: systemctl start docker, or dockerd'
    probe_docker
}

docker_reason() { printf '%s\n' "${docker_answer:-the docker command is not installed}" | tail -n 1; }

install_docker() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o DPkg::Lock::Timeout=120 update || return 1
    apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends docker.io || return 1
    # Debian 13 has the client in a package of its own.
    command -v docker >/dev/null 2>&1 || apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends docker-cli
}

start_docker() {
    # Installing it may have started it already.
    docker version >/dev/null 2>&1 && return 0
    dockerd_log=
    if [ -d /run/systemd/system ]; then
        systemctl start docker || return 1
    else
        dockerd_log=$CACHE/dockerd.log
        (umask 077 && : >"$dockerd_log")
        echo "the daemon's log: $dockerd_log"
        # Neither this terminal nor its Ctrl-C is the daemon's business.
        if command -v setsid >/dev/null 2>&1; then
            setsid dockerd >>"$dockerd_log" 2>&1 </dev/null &
        else
            nohup dockerd >>"$dockerd_log" 2>&1 </dev/null &
        fi
    fi
    tries=0
    until docker version >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 60 ]; then
            echo 'error: it does not answer after 60 s'
            [ -z "$dockerd_log" ] || grep -i -e 'level=error' -e 'level=fatal' -e failed "$dockerd_log" | tail -n 5
            return 1
        fi
        sleep 1
    done
}
