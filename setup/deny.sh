#!/bin/sh
# Checks licences, sources and bans of all dependencies, and known advisories where their
# database can be reached.
#
#   setup/deny.sh CACHE_DIR CARGO_DENY_VERSION
set -eu

cache=$1
version=$2
tools="$cache/tools/cargo-deny-$version"

if [ ! -x "$tools/bin/cargo-deny" ]; then
    echo "cargo-deny $version is compiled once, into $tools"
    # Unoptimised: it runs for seconds, and compiles in half the time. In a folder of its own,
    # so that nothing of ours is rebuilt.
    env -u ROCKSDB_LIB_DIR CARGO_TARGET_DIR="$tools/build" \
        cargo install --locked --debug --version "=$version" --root "$tools" cargo-deny
    rm -rf "$tools/build"
fi
PATH="$tools/bin:$PATH"

cargo deny --locked check --hide-inclusion-graph bans licenses sources

# An unreachable database is no finding, but is never passed over in silence.
if GIT_TERMINAL_PROMPT=0 timeout 120 cargo deny --locked fetch db >/dev/null 2>&1 </dev/null; then
    cargo deny --locked check --hide-inclusion-graph advisories
else
    echo "advisories: NOT CHECKED, their database cannot be reached from here"
fi
