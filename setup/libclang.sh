#!/bin/sh
# Finds libclang, which generates the bindings to RocksDB at build time, or brings it.
#
#   setup/libclang.sh CACHE_DIR
#
# Prints the shell commands that point the build at it: nothing where the build finds it by
# itself. What it does and what it cannot do it says on standard error.
set -eu

cache=$1
here=$(cd "$(dirname "$0")" && pwd)
wheel="$cache/libclang"

# The folder of a libclang where the build looks by itself, or nothing.
system_libclang() {
    for folder in /usr/local/llvm*/lib* /usr/local/lib*/*/* /usr/local/lib*/* /usr/local/lib* \
        /usr/lib/llvm-*/lib /usr/lib*/*/* /usr/lib*/* /usr/lib*; do
        holds_libclang "$folder" || continue
        echo "$folder"
        return
    done
}

holds_libclang() {
    for file in "$1"/libclang.so "$1"/libclang-*.so "$1"/libclang.so.* "$1"/libclang-*.so.*; do
        case $file in *libclang-cpp.*) continue ;; esac # the C++ interface, another library
        [ -e "$file" ] && return 0
    done
    return 1
}

# libclang reads stddef.h and its like from a folder of its own; where only the library was
# installed, the compiler's stand in for them.
own_headers() {
    for file in "$1"/clang/*/include/stddef.h /usr/lib/clang/*/include/stddef.h \
        /usr/lib/llvm-*/lib/clang/*/include/stddef.h; do
        [ -e "$file" ] && return 0
    done
    return 1
}

compiler_headers() {
    echo "export BINDGEN_EXTRA_CLANG_ARGS='-I$(cc -print-file-name=include)'"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

through_apt() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
    echo "libclang is missing: installing libclang-dev with apt-get" >&2
    as_root apt-get update -q >&2 || echo "apt-get update failed; going on with the lists that are there" >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends libclang-dev >&2
}

# The wheel holds the bare library, and needs no rights.
through_python() {
    command -v python3 >/dev/null 2>&1 || return 1
    echo "libclang is missing: bringing Python's libclang package into $wheel" >&2
    rm -rf "$wheel.new" "$wheel.venv"
    set -- install -q --no-deps --require-hashes -r "$here/libclang.txt" --target "$wheel.new"
    if python3 -m pip --version >/dev/null 2>&1; then
        PIP_ROOT_USER_ACTION=ignore python3 -m pip "$@" >&2 || return 1
    elif python3 -m venv "$wheel.venv" >/dev/null 2>&1; then
        "$wheel.venv/bin/python" -m pip "$@" >&2 || return 1
        rm -rf "$wheel.venv"
    else
        rm -rf "$wheel.venv"
        echo "python3 is here, but neither its pip nor its venv" >&2
        return 1
    fi
    holds_libclang "$wheel.new/clang/native" || return 1
    rm -rf "$wheel"
    mv "$wheel.new" "$wheel"
}

use_wheel() {
    echo "export LIBCLANG_PATH='$wheel/clang/native'"
    compiler_headers
}

# Chosen by hand: passed on as it is.
if [ -n "${LIBCLANG_PATH:-}" ]; then
    echo "export LIBCLANG_PATH='$LIBCLANG_PATH'"
    [ -z "${BINDGEN_EXTRA_CLANG_ARGS:-}" ] || echo "export BINDGEN_EXTRA_CLANG_ARGS='$BINDGEN_EXTRA_CLANG_ARGS'"
    exit 0
fi
# Brought earlier: stays the choice, so that the settings do not change.
if holds_libclang "$wheel/clang/native"; then
    use_wheel
    exit 0
fi
found=$(system_libclang)
if [ -z "$found" ] && through_apt; then
    found=$(system_libclang)
fi
if [ -n "$found" ]; then
    own_headers "$found" || compiler_headers
    exit 0
fi
if through_python; then
    use_wheel
    exit 0
fi
cat >&2 <<'TEXT'
libclang is missing and could not be brought. Install it by hand, then run make again:
  Debian, Ubuntu   sudo apt-get install libclang-dev
  Fedora           sudo dnf install clang-devel
  Arch             sudo pacman -S clang
  without root     python3 -m pip install --target DIR libclang
                   and set LIBCLANG_PATH=DIR/clang/native
                   and BINDGEN_EXTRA_CLANG_ARGS=-I$(cc -print-file-name=include)
TEXT
exit 1
