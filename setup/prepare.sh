#!/bin/sh
# Brings what every build needs, and writes the settings under which cargo runs.
#
#   setup/prepare.sh CACHE_DIR ROCKSDB_VERSION
#
# Leaves CACHE_DIR/build.env, a shell file to source. Takes well under a second when all is
# there; otherwise says what it does. Settings change only when something new was brought,
# since a changed setting makes cargo rebuild what depends on it.
set -eu

cache=$1
rocksdb=$2
here=$(cd "$(dirname "$0")" && pwd)

if [ -z "$rocksdb" ]; then
    echo "setup/prepare.sh: Cargo.lock names no rocksdb; restore it with: git checkout Cargo.lock" >&2
    exit 1
fi
for program in cargo cc c++; do
    command -v "$program" >/dev/null 2>&1 && continue
    case $program in
        cargo) echo "Rust is missing: install it as https://rustup.rs says, then open a new shell" >&2 ;;
        *) echo "A C++ compiler is missing: apt-get install build-essential" >&2 ;;
    esac
    exit 1
done

# rust-toolchain.toml pins the compiler; rustup may be set not to fetch it by itself.
if command -v rustup >/dev/null 2>&1 && ! (cd "$here/.." && cargo --version >/dev/null 2>&1); then
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$here/../rust-toolchain.toml")
    rustup toolchain install "$channel" --profile minimal --component rustfmt --component clippy
fi

mkdir -p "$cache"
clang=$("$here/libclang.sh" "$cache")
(
    # Two builds at once: the second waits for the first one's RocksDB.
    if command -v flock >/dev/null 2>&1; then flock 9; fi
    eval "$clang"
    "$here/rocksdb.sh" "$cache" "$rocksdb"
) 9>"$cache/.setup.lock"

# A value within single quotes, as the shell reads it back.
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

{
    echo "# Written by setup/prepare.sh: the settings of every cargo command of this project."
    echo "export CARGO_TARGET_DIR=$(quoted "${CARGO_TARGET_DIR:-$cache/target}")"
    echo "export ROCKSDB_LIB_DIR=$(quoted "$cache/rocksdb-$rocksdb")"
    echo "export ROCKSDB_INCLUDE_DIR=$(quoted "$cache/rocksdb-$rocksdb/include")"
    echo "export ROCKSDB_STATIC=1"
    [ -z "$clang" ] || echo "$clang"
} >"$cache/build.env.$$"
mv "$cache/build.env.$$" "$cache/build.env"
