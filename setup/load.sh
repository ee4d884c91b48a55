#!/bin/sh
# Finds nginx and wrk for benches/load, or brings Debian's packages of them, without root.
#
#   setup/load.sh CACHE_DIR
#
# Leaves CACHE_DIR/load.env, a shell file to source, which sets
#   GOODSTANDING_LOAD_NGINX      the program
#   GOODSTANDING_LOAD_WRK        the program
#   GOODSTANDING_LOAD_LIBRARIES  folders of the libraries they were brought with, or nothing
# What is brought stands in CACHE_DIR/load; nothing is installed.
set -eu

cache=$1
folder="$cache/load"

main() {
    nginx=$(installed nginx /usr/sbin/nginx /usr/local/sbin/nginx || brought nginx usr/sbin/nginx)
    wrk=$(installed wrk /usr/bin/wrk /usr/local/bin/wrk || brought wrk usr/bin/wrk)
    libraries=""
    case "$nginx$wrk" in *"$folder"*) libraries=$(library_folders) ;; esac
    mkdir -p "$cache"
    {
        echo "# Written by setup/load.sh for benches/load."
        echo "export GOODSTANDING_LOAD_NGINX=$(quoted "$nginx")"
        echo "export GOODSTANDING_LOAD_WRK=$(quoted "$wrk")"
        echo "export GOODSTANDING_LOAD_LIBRARIES=$(quoted "$libraries")"
    } >"$cache/load.env.$$"
    mv "$cache/load.env.$$" "$cache/load.env"
}

# Folders for programs of the system's are not on everybody's path.
installed() {
    command -v "$1" && return 0
    shift
    for place in "$@"; do
        [ -x "$place" ] && echo "$place" && return 0
    done
    return 1
}

# Debian's package and what it needs, taken apart in the cache folder.
brought() {
    program="$folder/$2"
    [ -x "$program" ] && echo "$program" && return 0
    if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
        missing "$1"
    fi
    echo "$1 is missing: taking Debian's package into $folder" >&2
    mkdir -p "$folder/packages"
    (
        cd "$folder/packages"
        # Its own line ends in a version; lines that are indented name what else there would be.
        needed=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
            --no-breaks --no-replaces --no-enhances "$1" | grep '^[a-z0-9]' | sort -u)
        for package in $needed; do
            # What the system has already it need not have twice.
            dpkg -s "$package" >/dev/null 2>&1 && continue
            apt-get download -q "$package" >&2 || echo "$package cannot be taken" >&2
        done
        for package in ./*.deb; do
            [ -e "$package" ] && dpkg -x "$package" "$folder"
        done
    )
    [ -x "$program" ] || missing "$1"
    echo "$program"
}

missing() {
    echo "$1 is missing and could not be brought; install it: apt-get install $1" >&2
    exit 1
}

library_folders() {
    find "$folder/usr/lib" "$folder/lib" -name '*.so*' 2>/dev/null |
        sed 's|/[^/]*$||' | sort -u | paste -s -d : -
}

# A value within single quotes, as the shell reads it back.
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

main
