# shellcheck shell=sh disable=SC2016,SC2034,SC2154
# Makes this host trust a stack's registry (apply), looks whether it still does (check), or takes it all back (remove).
#
# The parts of this folder run as root in any POSIX shell and come on standard input (sh -s apply): the settings as
# assignments, this part, those of the targets that are asked for, and main.sh. Lines that end in `# with mirrors` are left out
# where there are none. The settings:
#   stack      names what is ours on this host
#   hostname, port, registry   where the registry is; `registry` as image names have it
#   address    what /etc/hosts maps the name to; empty: the host's own name resolution knows it
#   targets    what to set up, separated by blanks; `found` stands for what this host has of Docker, containerd, Podman, BuildKit
#   proof      `required`, or `possible`: then a registry that does not answer is no failure
#   bundle     certificates of the authorities, PEM
#
# What it takes to put everything back lies in /var/lib/private-registry/<stack>:
#   ours/PATH     what was written to PATH
#   before/PATH   what was there before, with owner and mode
#   made          folders and files that were not there before, one a line
#   blocks        files of somebody else with lines of ours, one a line
#   undo          how to take back what the parts for mirrors have done otherwise, a script
#   done          is there once an apply has ended well; until then a failure takes everything back
set -eu
umask 022
LC_ALL=C
# The system's own folders first, and after them only those that are the same wherever this runs.
given=${PATH-}:
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin
while [ -n "$given" ]; do
    case $given in /*) PATH=$PATH:${given%%:*} ;; esac
    given=${given#*:}
done
export LC_ALL PATH

newline='
'
records=/var/lib/private-registry
record=$records/$stack
no_end='(the line before had no end)'
begin="# BEGIN private-registry $stack"
end="# END private-registry $stack"
wanted=$newline
wanted_blocks=$newline
ca_file=
store_changed=
took_back=

# One line for a target. A check speaks in fields: target, state (ours, missing, other, mode, ...), detail.
tell() {
    if [ "$mode" = check ]; then
        printf '%s\t%s\t%s\n' "$1" "$2" "$3"
    else
        printf '%s: %s\n' "$1" "$3"
    fi
}

# What stays to be done by hand. `up` shows it every time.
warn() {
    [ "$mode" = check ] || printf 'warning: %s\n' "$1"
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# Ends with what a tool said about a file that could not be written, and what helps.
cannot_write() {
    case $error in
        *'No space'*) fix='free some space there' ;;
        *'ead-only'*) fix='make it writable, or leave this target out' ;;
        *) fix='see to it that root may write there, or leave this target out' ;;
    esac
    fail "cannot write $1: ${error##*: }; $fix, then run up again"
}

quote() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# Text of a file with a dot behind it, which keeps the line ends that a substitution would cut; so would it bytes of zero.
text_of() { [ -f "$1" ] && tr '\000' '\001' <"$1" 2>/dev/null && echo .; }
same() { [ "$(text_of "$1")" = "$(text_of "$2")" ]; }
holds() { [ "$(text_of "$1")" = "$2$newline." ]; }
is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# What is there and cannot be what it has to be is somebody's, and for them to move.
in_the_way() { fail "$1 is $2; move it away, or leave this target out, then run up again"; }

# Sets `owner`: whose a path is by where it lies. A user's own folder is the user's: root could be led elsewhere by a link.
owner_of() {
    case $1 in
        /etc/* | /usr/* | /var/*) owner=root ;;
        *) owner=$(at=$1 awk -F: '$3 && length($6) > 1 && index(ENVIRON["at"], $6 "/") == 1 { print $1; exit }' /etc/passwd) ;;
    esac
    if [ -z "$owner" ]; then
        at=$1
        until [ -d "$at" ]; do at=${at%/*}; done
        # shellcheck disable=SC2012
        owner=$(ls -ld -- "$at/" | awk '{ print $3 }')
    fi
}

# Runs a command line that changes files, as their owner. It can read the file $3, which may be one that only root can.
change() {
    owner_of "$1"
    if [ "$owner" = root ]; then
        error=$(eval "$2" 2>&1 <"${3-/dev/null}") || cannot_write "$1"
    else
        error=$(su -s /bin/sh "$owner" -c "umask 022; $2" 2>&1 <"${3-/dev/null}" 9<&-) || cannot_write "$1"
    fi
}

# Adds a line to a list of the record.
note() {
    grep -qxF -e "$2" "$record/$1" 2>/dev/null || error=$({ umask 077 && printf '%s\n' "$2" | cat >>"$record/$1"; } 2>&1) || cannot_write "$record/$1"
}

make_folder() {
    [ -z "$1" ] || [ -d "$1" ] || {
        ! is_there "$1" || in_the_way "$1" 'no folder'
        make_folder "${1%/*}"
        note made "$1"
        change "$1" "mkdir -m 0755 -- $(quote "$1")"
    }
}

# Writes standard input to a file of the record, which only root can read.
keep() {
    error=$({ (umask 077 && mkdir -p -- "${1%/*}" && rm -f -- "$1.new" && cat >"$1.new") && mv -f -- "$1.new" "$1"; } 2>&1) || cannot_write "$1"
}

relabel() { ! command -v restorecon >/dev/null 2>&1 || restorecon -- "$1" 2>/dev/null || true; }

# Sees to it that a file of ours holds $content and sets `result`: unchanged or written; in a check: ours, missing, other or mode.
put() {
    wanted=$wanted$1$newline
    if [ "$mode" != check ]; then
        # What is put there would be in another registry's folder too.
        [ ! -L "${1%/*}" ] || in_the_way "${1%/*}" 'a link'
        [ -f "$1" ] || { [ -L "$1" ] && [ ! -d "$1" ]; } || ! is_there "$1" || in_the_way "$1" 'no file'
    fi
    # A link to the same text is not ours.
    if [ ! -L "$1" ] && holds "$1" "$content"; then
        result=ours
        # shellcheck disable=SC2012
        case $(ls -ld -- "$1") in -r--r--r--*) ;; *) result=mode ;; esac
    elif is_there "$1"; then
        result=other
    else
        result=missing
    fi
    if [ "$mode" = check ]; then return; fi
    if [ "$result" = other ] && [ ! -f "$record/ours$1" ]; then
        old=$record/before$1
        error=$({ (umask 077 && mkdir -p -- "${old%/*}") && cp -pP -- "$1" "$old.new" && mv -f -- "$old.new" "$old"; } 2>&1) ||
            cannot_write "$old"
    fi
    holds "$record/ours$1" "$content" || printf '%s\n' "$content" | keep "$record/ours$1" || exit 1
    if [ "$result" = ours ]; then
        result=unchanged
        return
    fi
    make_folder "${1%/*}"
    new=$(quote "$1.$stack.new")
    change "$1" "{ rm -f $new && cat >$new && chmod 0444 $new && mv -f $new $(quote "$1"); } <<'PRIVATE-REGISTRY' || { rm -f $new; exit 1; }
$content
PRIVATE-REGISTRY"
    relabel "$1"
    result=written
}

# Puts back what was at a path before it was ours. What somebody else has changed since is theirs.
put_back() {
    took_back=yes
    case $1 in */ca-certificates/* | */anchors/*) store_changed=yes ;; esac
    old=$record/before$1
    name=$(quote "$1")
    new=$(quote "$1.$stack.new")
    if [ -L "$1" ] || { is_there "$1" && ! same "$1" "$record/ours$1"; }; then
        same "$1" "$old" || tell left other "$1, which somebody else has changed"
    elif ! is_there "$old"; then
        for path in "$1" "$1.$stack.new"; do
            ! is_there "$path" || [ -d "$path" ] || change "$1" "rm -f -- $(quote "$path")"
        done
    elif [ -d "${1%/*}" ]; then
        if [ -L "$old" ]; then
            change "$1" "rm -f $name && ln -s -- $(quote "$(readlink "$old")") $name"
        elif owner_of "$1" && [ "$owner" != root ]; then
            change "$1" "rm -f $new && cat >$new && chmod $(stat -c %a -- "$old") $new && mv -f $new $name" "$old"
        else
            change "$1" "rm -f $new && cp -p -- $(quote "$old") $new && mv -f $new $name"
        fi
        relabel "$1"
    fi
    rm -f -- "$record/ours$1" "$old"
}

# Takes back what is ours and not wanted any more: of another name, another port, another target.
take_back_unwanted() {
    # shellcheck source=/dev/null
    [ ! -f "$record/undo" ] || . "$record/undo"
    if [ -f "$record/blocks" ]; then
        while IFS= read -r path; do
            case $wanted_blocks in *"$newline$path$newline"*) ;; *) drop_block "$path" ;; esac
        done <<LIST
$(cat "$record/blocks")
LIST
    fi
    while IFS= read -r path; do
        case $wanted in *"$newline$path$newline"*) ;; *) [ -z "$path" ] || put_back "$path" ;; esac
    done <<LIST
$(find "$record/ours" -type f ! -name '*.new' 2>/dev/null | sed "s|^$record/ours||" | sort)
LIST
    [ -z "$store_changed" ] || refresh_store
    [ -z "$took_back" ] || remove_made
}

# Folders that were made and are empty now go, the innermost first; so do files that were made for a block and hold nothing.
remove_made() {
    [ -f "$record/made" ] || return 0
    while IFS= read -r path; do
        if [ -d "$path" ]; then
            change "$path" "rmdir -- $(quote "$path") 2>/dev/null || true"
        elif [ -f "$path" ] && [ ! -L "$path" ] && [ ! -s "$path" ]; then
            change "$path" "rm -f -- $(quote "$path")"
        fi
    done <<LIST
$(sed '1!G;h;$!d' "$record/made")
LIST
}

# The system's own store takes a new list of certificates.
refresh_store() {
    for refresh in update-ca-trust update-ca-certificates ''; do
        ! command -v "$refresh" >/dev/null 2>&1 || break
    done
    [ -n "$refresh" ] || fail 'neither update-ca-certificates nor update-ca-trust is on this host; install ca-certificates, then run up again'
    # What it may start and leave running does not keep the next run waiting.
    error=$($refresh 2>&1 </dev/null 9<&-) || fail "$refresh failed: $(printf '%s' "$error" | tail -n 1)"
    # Debian and Alpine keep links to certificates that are gone, and links by their digests to those.
    for _ in 1 2; do
        for link in /etc/ssl/certs/*; do
            if [ -L "$link" ] && [ ! -e "$link" ]; then
                case /$(readlink "$link") in */"$stack"-[0-9]*) rm -f -- "$link" ;; esac
            fi
        done
    done
}

# --- Blocks: lines of ours in a file of somebody else ---

# Whether a line begins our block, and not that of a stack whose name goes on: for awk. The line ends of another system count.
is_begin='function is_begin(line) { return index(line, begin) == 1 && substr(line, length(begin) + 1) ~ /^([ \r].*)?$/ }'
of_block() { awk -v begin="$begin" -v end="$end" -v open_end="$(tail -c 1 -- "$2" | wc -l)" "$is_begin $1" "$2"; }

# Prints a file without our block. The block says in its first line when the line before it had no end.
without_block() {
    [ -f "$1" ] || return 0
    if ! grep -qF -e "$begin" "$1"; then
        cat -- "$1"
        return
    fi
    of_block '
        is_begin($0) { inside = 1; open = ($0 != begin); next }
        inside && $0 == end { inside = 0; ours = NR; next }
        !inside { if (lines++) printf "\n"; printf "%s", $0; open = 0 }
        END { if (lines && !open && (open_end || ours == NR)) printf "\n" }' "$1"
}

# Counts the blocks in a file. One that somebody has cut in two is not for a script to mend.
count_blocks() {
    if [ "$mode" != check ] && is_there "$1"; then
        [ ! -L "$1" ] || readlink -f "$1" >/dev/null || in_the_way "$1" 'a link that leads nowhere'
        [ ! -e "$1" ] || [ -f "$1" ] || in_the_way "$1" 'no file'
    fi
    blocks=0
    ends=0
    if [ -f "$1" ]; then
        [ "$mode" = check ] || [ "$(tr -d '\000' <"$1" | wc -c)" -eq "$(wc -c <"$1")" ] ||
            fail "$1 has bytes of zero in it, which is no text; mend it, then run up again"
        # shellcheck disable=SC2046
        set -- "$1" $(of_block 'is_begin($0) { b++ } $0 == end { e++ } END { print b + 0, e + 0 }' "$1")
        blocks=$2
        ends=$3
    fi
    [ "$blocks" = "$ends" ] || [ "$mode" = check ] ||
        fail "$1: the block from '$begin' to '$end' is damaged; take its lines out by hand, then run up again"
}

# Sees to it that a file has our block once: at its end, or below the first line that matches $2. Sets `result` as put does.
put_block() {
    wanted_blocks=$wanted_blocks$1$newline
    count_blocks "$1"
    result=other
    case $newline$(text_of "$1") in
        *"$newline$begin$newline$content$newline$end$newline"* | *"$newline$begin $no_end$newline$content$newline$end$newline"*) result=ours ;;
    esac
    case $blocks in 0) result=missing ;; 1) ;; *) result=duplicated ;; esac
    if [ "$mode" = check ]; then return; fi
    note blocks "$1"
    if [ "$result" = ours ]; then
        result=unchanged
        return
    fi
    block="$begin$newline$content$newline$end"
    without_block "$1" | keep "$record/text" || exit 1
    last=
    [ -z "$(tail -c 1 "$record/text")" ] || last=$(tail -n 1 "$record/text")
    if [ -n "${2-}" ] && ! printf '%s\n' "$last" | grep -q -e "$2"; then
        BLOCK=$block awk -v after="$2" -v last="${last:+1}" '{ if (NR > 1) printf "\n"; printf "%s", $0 }
            $0 ~ after && !done++ { printf "\n%s", ENVIRON["BLOCK"] }
            END { if (!last) printf "\n" }' "$record/text" | keep "$record/text" || exit 1
    else
        [ -z "$last" ] || block="$newline$begin $no_end$newline$content$newline$end"
        error=$({ printf '%s\n' "$block" | cat >>"$record/text"; } 2>&1) || cannot_write "$record/text"
    fi
    put_text "$1"
}

drop_block() {
    count_blocks "$1"
    case $blocks in
        0) ;;
        *)
            took_back=yes
            without_block "$1" | keep "$record/text" || exit 1
            put_text "$1"
            ;;
    esac
}

# Makes $record/text the text of a file that is not ours: owner and mode stay.
put_text() {
    result=unchanged
    ! same "$1" "$record/text" || return 0
    text=$1
    [ ! -L "$text" ] || text=$(readlink -f "$text")
    name=$(quote "$text")
    new=$(quote "$text.$stack.new")
    copy=:
    put_back_text=:
    if [ -e "$text" ]; then
        keep "$record/former" <"$text" || exit 1
        copy="cp -p -- $name $new"
        put_back_text="cat $(quote "$record/former") >$name"
    else
        make_folder "${text%/*}"
        note made "$text"
    fi
    # A file that is mounted by itself, as in containers, cannot be replaced by a rename. Where there is no room for its new
    # text there is for the old one.
    change "$text" "{ rm -f $new && $copy && cat $(quote "$record/text") >$new; } || { rm -f $new; exit 1; }
        mv -f $new $name 2>/dev/null || { cat $new >$name && rm -f $new; } ||
            { rm -f $new; $put_back_text; exit 1; }"
    rm -f -- "$record/former"
    relabel "$text"
    result=written
}

# The folder that a client looks into for a registry's certificates.
put_ca() {
    content=$bundle
    put "$1/$registry/ca.crt"
    : "${ca_file:=$1/$registry/ca.crt}"
}

# After a second file of the same target: what either of the two was.
and_also() {
    case $1 in ours | unchanged) ;; *) result=$1 ;; esac
}
