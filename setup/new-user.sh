#!/bin/sh
# Walks a new user's path and says how long each step takes: a fresh clone, the README's commands as they stand
# there, and the page that shows the credential as revoked.
#
#   setup/new-user.sh REPOSITORY [PROGRAM]
#
# Clones the last commit of REPOSITORY into a new folder. The server is started by the README's own `make run`, with
# a port that is free and a data folder of its own; with PROGRAM it is that binary's `serve --dev` instead, for
# trying this script out without a build. It is ended by the number of its process group. Needs git and curl.
set -eu

repository=$1
program=${2:-}
work=$(mktemp -d "${TMPDIR:-/tmp}/goodstanding-new-user.XXXXXX")
server=""

main() {
    step clone git clone -q "$repository" "$work/clone"
    cd "$work/clone"
    readme=README.md
    grep -q '^    make run ' "$readme" || fail "the README does not say how to start it"
    port=$(free_port)
    origin="localhost:$port"
    step "start" started
    export GOODSTANDING_SERVER="http://$origin"
    page=$(sed -n "s|.*<http://localhost:8080\(/[^>]*\)>.*|\1|p" "$readme" | head -1)
    step "the page before" fetched before
    step "the README's commands" carried_out
    grep -q '^active: ' "$work/printed" || fail "the credential was not good before: $(cat "$work/printed")"
    step "the page after" fetched after
    [ "$(said before)" -lt "$(said after)" ] || fail "the page does not say that it is revoked"
    echo "the page http://$origin$page shows it as revoked"
    echo "in all: $(($(date +%s) - began)) s"
}

# The commands that the README shows behind `$`, for the port that is used here.
commands() {
    sed -n 's/^    \$ //p' "$readme" | sed "s|localhost:8080|$origin|g"
}

carried_out() {
    # A look-up that finds something revoked ends with 1, which is an answer.
    commands >"$work/commands"
    [ -z "$program" ] || PATH="$(dirname "$program"):$PATH"
    [ -z "$program" ] || sed -i '/^export PATH=/d' "$work/commands"
    sh "$work/commands" >"$work/printed" || [ $? -eq 1 ]
    cat "$work/printed"
}

fetched() {
    curl -sf -H 'Accept: text/html' -o "$work/page.$1" "http://$origin$page"
}

# How often a page says the word.
said() {
    grep -io revoked "$work/page.$1" | wc -l
}

started() {
    # A process group of its own, so that make and what it starts end together.
    if [ -n "$program" ]; then
        setsid "$program" serve --dev --listen "127.0.0.1:$port" --data data >"$work/out" 2>&1 &
    else
        setsid make run ARGS="--listen 127.0.0.1:$port --data data" >"$work/out" 2>&1 &
    fi
    server=$!
    until grep -q 'Ctrl-C stops it' "$work/out"; do
        kill -0 "$server" 2>/dev/null || fail "it did not start: $(tail -5 "$work/out")"
        sleep 1
    done
}

# A port below those that the system gives to outgoing connections, at which nobody answers.
free_port() {
    candidate=$((20000 + $$ % 10000))
    while curl -s -o /dev/null "http://localhost:$candidate/" || [ $? -ne 7 ]; do
        candidate=$((candidate + 1))
    done
    echo "$candidate"
}

# step NAME COMMAND...: does it, and says how many seconds it took.
step() {
    name=$1
    shift
    before=$(date +%s)
    "$@"
    echo "== $name: $(($(date +%s) - before)) s"
}

fail() {
    echo "setup/new-user.sh: $1" >&2
    exit 1
}

ended() {
    [ -z "$server" ] || kill -s TERM -- "-$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$work"
}

began=$(date +%s)
trap ended EXIT
trap 'exit 130' INT TERM
main
