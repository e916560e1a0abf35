# Puts the uploaded files into the settings volume, each in one step: a file that the registry
# reads half-written would refuse every request. What is already right is not touched.
set -eu
umask 077
cd /settings
for path in /load/*; do
    file=${path##*/}
    if ! cmp -s "/load/$file" "$file"; then
        cp "/load/$file" ".$file.new"
        chmod 0400 ".$file.new"
        sync
        mv -f ".$file.new" "$file"
        echo "$file written"
    fi
done
