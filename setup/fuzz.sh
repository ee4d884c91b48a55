#!/bin/sh
# Brings cargo-fuzz, once, into a folder of its own.
#
#   setup/fuzz.sh CACHE_DIR CARGO_FUZZ_VERSION
set -eu

cache=$1
version=$2
tools="$cache/tools/cargo-fuzz-$version"

[ ! -x "$tools/bin/cargo-fuzz" ] || exit 0
echo "cargo-fuzz $version is compiled once, into $tools"
CARGO_TARGET_DIR="$tools/build" \
    cargo install --locked --debug --version "=$version" --root "$tools" cargo-fuzz
rm -rf "$tools/build"
