# shellcheck shell=sh disable=SC2034
# How the commands of this folder read their options, before anything is set up for them.

# read_options COMMAND 'OPTION ...' ARGS...: an OPTION that ends in = takes a value, and one that ends in =- also the value -;
# --stack= is always one. Each sets the variable of its name (dry_run for --dry-run), to its value or else to 1, and to nothing
# when it was not given; what is no option goes into operands, one on a line. Help is the caller's function usage. What is not
# known ends with 2.
read_options() {
    command=$1
    options="$2 --stack="
    shift 2
    operands=
    for known in $options; do eval "$(variable_of "$known")="; done
    while [ $# -gt 0 ]; do
        given=$1
        argument=$given
        shift
        case $argument in
            -h | --help)
                usage
                exit 0
                ;;
            -s) argument=--stack ;;
            -f) argument=--follow ;;
            -?*) ;;
            *)
                operands="${operands:+$operands
}$argument"
                continue
                ;;
        esac
        name=${argument%%=*}
        value=
        for known in $options; do
            case $known in
                "$name=" | "$name=-")
                    if [ "$argument" != "$name" ]; then
                        value=${argument#*=}
                    elif [ $# -gt 0 ]; then
                        value=$1
                        shift
                    fi
                    case $value in
                        -) [ "$known" = "$name=-" ] || refuse_arguments "$name wants a value" ;;
                        '' | -*) refuse_arguments "$name wants a value" ;;
                    esac
                    ;;
                "$argument") value=1 ;;
                *) continue ;;
            esac
            eval "$(variable_of "$known")=\$value"
            continue 2
        done
        refuse_arguments "no such option: $given"
    done
}

# refuse_operands: for a command that takes options only.
refuse_operands() {
    [ -z "$operands" ] || refuse_arguments "no such argument: $(printf %s "$operands" | head -n 1)"
}

# path_of FILE: from where the user is; npm runs its scripts in the project's folder.
path_of() {
    case $1 in
        '' | - | /*) printf %s "$1" ;;
        *) printf %s "${INIT_CWD:-$PWD}/$1" ;;
    esac
}

variable_of() {
    variable=${1#--}
    printf %s "${variable%%=*}" | tr - _
}

refuse_arguments() {
    echo "$command: $1 (see npm run $command -- --help)" >&2
    exit 2
}
