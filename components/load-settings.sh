# Puts the uploaded files into the settings volume, each in one step: a file that the registry
# reads half-written would refuse every request. What is already right is not touched.
set -eu
umask 077
cd /load
for file in *; do
    if ! cmp -s "$file" "/settings/$file"; then
        cp "$file" "/settings/.$file.new"
        if [ -x "$file" ]; then mode=0500; else mode=0400; fi
        chmod "$mode" "/settings/.$file.new"
        sync
        mv -f "/settings/.$file.new" "/settings/$file"
        echo "$file written"
    fi
done
# What an earlier configuration had and this one has not may be a secret.
cd /settings
for file in *; do
    if [ ! -e "/load/$file" ]; then
        rm -f "$file"
        echo "$file removed"
    fi
done
