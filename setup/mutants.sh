#!/bin/sh
# Changes the code in small ways, one at a time, and asks whether a test notices (cargo-mutants).
#
#   setup/mutants.sh CACHE_DIR CARGO_MUTANTS_VERSION SHARD ROOM...
#
# Rooms: status, store, registry. Imports only look upward in src/lib.rs, so the library that ends
# after a room compiles and is a fraction of the whole: a change costs seconds instead of minutes.
# It is held against the tests of its room alone, and of the engines where that is store; what they
# miss may still be caught further down.
# SHARD is k/n: the k-th of n parts, counted from 0. Results: CACHE_DIR/mutants/ROOM/mutants.out.
set -eu

cache=$1
version=$2
shard=$3
shift 3
tools="$cache/tools/cargo-mutants-$version"

if [ ! -x "$tools/bin/cargo-mutants" ]; then
    echo "cargo-mutants $version is compiled once, into $tools"
    env -u ROCKSDB_LIB_DIR CARGO_TARGET_DIR="$tools/build" \
        cargo install --locked --debug --version "=$version" --root "$tools" cargo-mutants
    rm -rf "$tools/build"
fi
PATH="$tools/bin:$PATH"

# The tree of a room: what git knows of, the library cut off after the room, and its tests alone.
cut_after() {
    rm -rf "$tree"
    mkdir -p "$tree"
    git ls-files -z -- Cargo.toml Cargo.lock rust-toolchain.toml askama.toml .cargo src config \
        contexts tests | tar c --null --files-from=- | tar x -C "$tree"
    sed -i "/^pub mod $1;\$/q" "$tree/src/lib.rs"
    rm -rf "$tree/src/main.rs"
    # The tests and benches of the whole have no place here; their data may have.
    sed -i -e '/^\[\[/,/^$/d' -e 's/^autobenches = false/&\nautotests = false/' "$tree/Cargo.toml"
}

for room in "$@"; do
    stories=
    case $room in
        status) others="--exclude src/store/** --exclude src/registry/**" tests="status:: bitstring::" ;;
        store)
            others="--exclude src/status/** --exclude src/registry/**"
            stories="--test engines" tests="store:: store_engines::"
            ;;
        registry)
            others="--exclude src/status/** --exclude src/store/**"
            tests="registry::change registry::lists registry::issuing registry::endorsements"
            ;;
        *) echo "no such room: $room (status, store, registry)" >&2; exit 2 ;;
    esac
    tree="$cache/mutants/$room/tree"
    cut_after "$room"
    if [ -n "$stories" ]; then
        mkdir "$tree/tests/engines"
        cp -r "$tree/tests/it/store_engines.rs" "$tree/tests/it/store_engines" "$tree/tests/engines"
        echo 'mod store_engines;' >"$tree/tests/engines/main.rs"
        printf '\n[[test]]\nname = "engines"\npath = "tests/engines/main.rs"\n' >>"$tree/Cargo.toml"
    fi
    set -f
    # Missed mutants make it fail; the figures are in its last line and its files.
    # shellcheck disable=SC2086
    CARGO_PROFILE_DEV_DEBUG=0 cargo mutants --in-place --dir "$tree" --output "$cache/mutants/$room" \
        --shard "$shard" --sharding round-robin --no-default-features \
        $others -- --lib $stories -- $tests || echo "$room: see $cache/mutants/$room/mutants.out/missed.txt"
    set +f
done
