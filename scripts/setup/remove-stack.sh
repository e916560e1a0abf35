# shellcheck shell=sh
# remove_stack NAME: in the project's folder. Pulumi has no stack selected after a removal: what was selected is again.
remove_stack() {
    selected=$(PULUMIW_QUIET=1 ./pulumiw stack --show-name 2>/dev/null || true)
    PULUMIW_QUIET=1 ./pulumiw stack rm "$1" --yes >/dev/null 2>&1 || true
    case $selected in
        '' | "$1") ;;
        *) PULUMIW_QUIET=1 ./pulumiw stack select "$selected" >/dev/null 2>&1 || true ;;
    esac
}
