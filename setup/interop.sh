#!/bin/sh
# Brings the independent programs that the interoperability tests check the registry with
# (tests/interop: PyLD, PyJWT, cryptography, schemathesis, opentelemetry-proto and cyclonedx on Python;
# Digital Bazaar's packages and jose on Node), and PostgreSQL and nginx, which the tests start servers of, Chromium, in which they walk the pages, promtool,
# which reads what Prometheus would, and systemd, whose reader of units checks ours.
#
#   setup/interop.sh CACHE_DIR
#
# Leaves CACHE_DIR/interop.env, a shell file to source, which sets
#   GOODSTANDING_INTEROP_PYTHON        a Python that has the packages
#   GOODSTANDING_INTEROP_NODE          a Node of version 18 or newer
#   GOODSTANDING_INTEROP_NODE_MODULES  the folder of its packages
#   GOODSTANDING_INTEROP_POSTGRES      the folder of PostgreSQL's programs
#   GOODSTANDING_INTEROP_CHROMIUM      Chromium
#   GOODSTANDING_INTEROP_PROMTOOL      promtool of Prometheus
# each empty where it could not be brought: a line then says why, and the tests say that they
# were skipped, or fail under GOODSTANDING_REQUIRE_INTEROP=1. Packages have exact versions and
# digests, and stand in folders named after those, so that clones do not get in each other's way.
set -eu

cache=$1
here=$(cd "$(dirname "$0")/../tests/interop" && pwd)
digest_of() { cat "$@" | cksum | cut -d ' ' -f 1; }
python_home="$cache/interop/python-$(digest_of "$here/requirements.txt")"
node_home="$cache/interop/node-$(digest_of "$here/package.json" "$here/package-lock.json")"

main() {
    mkdir -p "$cache/interop"
    python=""
    node=""
    modules=""
    postgres=""
    chromium=""
    promtool=""
    if bring_python; then
        python="$python_home/bin/python"
    else
        echo "interoperability: without Python packages; the checks with them are left out"
    fi
    if bring_node; then
        node=$(command -v node)
        modules="$node_home/node_modules"
    else
        echo "interoperability: without Node packages; the checks with them are left out"
    fi
    if bring_postgres; then
        postgres=$(postgres_folder)
    else
        echo "interoperability: without PostgreSQL; what needs it is left out"
    fi
    if bring_chromium; then
        chromium=$(chromium_program)
    else
        echo "interoperability: without Chromium; the journeys through the pages are left out"
    fi
    if bring_promtool; then
        promtool=$(command -v promtool)
    else
        echo "interoperability: without promtool; the checks with it are left out"
    fi
    has_nginx || through_apt nginx && has_nginx ||
        echo "interoperability: without nginx (apt-get install nginx); what needs it is left out"
    has_systemd || through_apt systemd && has_systemd ||
        echo "interoperability: without systemd-analyze (apt-get install systemd); the unit is not checked"
    {
        echo "# Written by setup/interop.sh for tests/it/interop.rs."
        echo "export GOODSTANDING_INTEROP_PYTHON='$python'"
        echo "export GOODSTANDING_INTEROP_NODE='$node'"
        echo "export GOODSTANDING_INTEROP_NODE_MODULES='$modules'"
        echo "export GOODSTANDING_INTEROP_POSTGRES='$postgres'"
        echo "export GOODSTANDING_INTEROP_CHROMIUM='$chromium'"
        echo "export GOODSTANDING_INTEROP_PROMTOOL='$promtool'"
    } >"$cache/interop.env.$$"
    mv "$cache/interop.env.$$" "$cache/interop.env"
}

bring_python() {
    [ -f "$python_home/complete" ] && "$python_home/bin/python" -c '' 2>/dev/null && return 0
    usable_python || through_apt python3 python3-venv || {
        echo "interoperability: needs Python 3.10 or newer with venv or pip (apt-get install python3-venv)"
        return 1
    }
    echo "interoperability: bringing Python packages into $python_home"
    rm -rf "$python_home"
    if python3 -m venv "$python_home" >/dev/null 2>&1; then
        install_python "$python_home/bin/python" || return 1
    else
        # No venv here: the packages in a folder, and a Python that looks there first.
        rm -rf "$python_home"
        mkdir -p "$python_home/bin"
        install_python python3 --target "$python_home/packages" || return 1
        printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" "$@"\n' \
            "$python_home/packages" "$(command -v python3)" >"$python_home/bin/python"
        chmod +x "$python_home/bin/python"
    fi
    "$python_home/bin/python" -c 'import pyld, cryptography, rfc8785, jwt, cbor2, schemathesis, opentelemetry.proto, cyclonedx' || return 1
    : >"$python_home/complete"
}

usable_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || return 1
    python3 -c 'import ensurepip' 2>/dev/null || python3 -m pip --version >/dev/null 2>&1
}

install_python() {
    interpreter=$1
    shift
    PIP_ROOT_USER_ACTION=ignore "$interpreter" -m pip install -q --disable-pip-version-check \
        --only-binary :all: --require-hashes -r "$here/requirements.txt" "$@"
}

bring_node() {
    usable_node || through_apt nodejs npm && usable_node || {
        echo "interoperability: needs Node 18 or newer with npm (apt-get install nodejs npm)"
        return 1
    }
    [ -f "$node_home/complete" ] && return 0
    echo "interoperability: bringing Node packages into $node_home"
    rm -rf "$node_home"
    mkdir -p "$node_home"
    cp "$here/package.json" "$here/package-lock.json" "$node_home/"
    (cd "$node_home" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || return 1
    : >"$node_home/complete"
}

usable_node() {
    command -v npm >/dev/null 2>&1 &&
        node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}

# Where the tests look for it: daemons are not on everybody's path.
has_nginx() {
    [ -x /usr/sbin/nginx ] || [ -x /usr/local/sbin/nginx ] || command -v nginx >/dev/null 2>&1
}

has_systemd() { command -v systemd-analyze >/dev/null 2>&1; }

bring_postgres() {
    postgres_folder >/dev/null || through_apt postgresql && postgres_folder >/dev/null || {
        echo "interoperability: needs PostgreSQL (apt-get install postgresql)"
        return 1
    }
}

# Debian keeps the programs of servers off the path, a folder for each version.
postgres_folder() {
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) $(echo "$PATH" | tr : ' '); do
        [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && echo "$folder" && return 0
    done
    return 1
}

bring_chromium() {
    chromium_program >/dev/null || through_apt chromium && chromium_program >/dev/null || {
        echo "interoperability: needs Chromium (apt-get install chromium)"
        return 1
    }
}

# One that answers: elsewhere there is a program of that name that only tells how to get it.
chromium_program() {
    for name in chromium chromium-browser; do
        program=$(command -v "$name") && "$program" --version >/dev/null 2>&1 && echo "$program" && return 0
    done
    return 1
}

bring_promtool() {
    command -v promtool >/dev/null 2>&1 || through_apt prometheus && command -v promtool >/dev/null 2>&1 || {
        echo "interoperability: needs promtool (apt-get install prometheus)"
        return 1
    }
}

# Debian packages, where that needs no question: as root, or with a sudo that asks nothing.
through_apt() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        sudo=""
    else
        sudo -n true 2>/dev/null || return 1
        sudo="sudo -n"
    fi
    echo "interoperability: installing $* with apt-get"
    $sudo apt-get update -q >/dev/null 2>&1 || true
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null 2>&1
}

main
