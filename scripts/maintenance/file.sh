# shellcheck shell=sh disable=SC2034,SC2154
# The file that `npm run backup` writes and `npm run restore` reads.

# read_file: sets file, an absolute path, to the one operand.
read_file() {
    [ -n "$operands" ] || refuse_arguments 'no file was named'
    [ "$(printf '%s\n' "$operands" | wc -l)" -eq 1 ] ||
        refuse_arguments "one file, not $(printf %s "$operands" | paste -s -d ' ' -)"
    [ "$operands" != - ] || refuse_arguments 'no such option: -'
    file=$(path_of "$operands")
}
