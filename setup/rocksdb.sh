#!/bin/sh
# Compiles RocksDB once, as a static library, into the cache folder, so that every
# clone, profile and test afterwards only links it.
#
#   setup/rocksdb.sh CACHE_DIR VERSION
#
# Leaves CACHE_DIR/rocksdb-VERSION/{librocksdb.a,include/}. The folder appears by one
# rename when it is complete, so a compile that was cut off is taken up again (cargo
# keeps its pieces) and never half used.
set -eu

cache=$1
version=$2
here=$(cd "$(dirname "$0")" && pwd)
target="$cache/rocksdb-$version"
work="$cache/rocksdb-$version.build"

[ -f "$target/librocksdb.a" ] && exit 0

echo "RocksDB is compiled once, into $target"
echo "(10 to 30 minutes on two cores; every later build links it in seconds)"

# The same compiler and the same versions as the project's own, which cargo reduces to
# what is needed here.
mkdir -p "$work/src"
: > "$work/src/lib.rs"
cp "$here/../Cargo.lock" "$here/../rust-toolchain.toml" "$work/"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "rocksdb-once"
version = "0.0.0"
edition = "2024"

[dependencies]
rocksdb = { version = "=$version", default-features = false, features = ["lz4", "bindgen-runtime"] }

[workspace]
TOML

# Hardware CRC32C: on x86-64 without SSE 4.2 the checksums of RocksDB are several times slower.
flags=""
if grep -qw sse4_2 /proc/cpuinfo 2>/dev/null && grep -qw pclmulqdq /proc/cpuinfo; then
    flags="-Ctarget-feature=+sse4.2,+pclmulqdq"
fi
(
    cd "$work"
    unset ROCKSDB_LIB_DIR ROCKSDB_STATIC ROCKSDB_INCLUDE_DIR
    RUSTFLAGS="$flags" CARGO_TARGET_DIR="$work/target" cargo build --release
)

library=$(find "$work/target/release/build" -path '*librocksdb-sys-*' -name librocksdb.a | head -n 1)
source=$(cd "$work" && cargo metadata --format-version 1 |
    sed 's/.*"manifest_path":"\([^"]*librocksdb-sys[^"]*\)\/Cargo.toml".*/\1/')
if [ -z "$library" ] || [ ! -d "$source/rocksdb/include" ]; then
    echo "setup/rocksdb.sh: the compile ended without librocksdb.a or its headers under $work" >&2
    exit 1
fi
rm -rf "$target.new"
mkdir -p "$target.new"
cp "$library" "$target.new/librocksdb.a"
cp -R "$source/rocksdb/include" "$target.new/include"
mv "$target.new" "$target"
rm -rf "$work"
