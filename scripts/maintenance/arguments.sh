# shellcheck shell=sh disable=SC2034
# The arguments of `npm run backup` and `npm run restore`.

# read_backup_arguments COMMAND ARGS...: sets file (absolute), stack, mode and force; usage is the caller's help.
read_backup_arguments() {
    command=$1
    file='' stack='' mode='' force=''
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help)
                usage
                exit 0
                ;;
            --images-only) mode='images-only' ;;
            --check) mode='check' ;;
            --force) force=1 ;;
            --stack=*) stack=${1#--stack=} ;;
            -s | --stack)
                shift
                stack=${1-}
                ;;
            -*) refuse_arguments "no such option: $1" ;;
            *)
                [ -z "$file" ] || refuse_arguments "one file, not $file and $1"
                file=$1
                ;;
        esac
        shift
    done
    [ -n "$file" ] || refuse_arguments 'no file was named'
    [ "$command:$mode" != backup:check ] || refuse_arguments 'no such option: --check'
    # npm goes to the project's folder, and says where its user was.
    case $file in /*) ;; *) file=${INIT_CWD:-$PWD}/$file ;; esac
}

refuse_arguments() {
    echo "$command: $1 (see npm run $command -- --help)" >&2
    exit 2
}
