#!/bin/sh
# Runs fuzz targets one after the other, or shrinks what they found.
#
#   tests/fuzz/run.sh run CACHE_DIR SECONDS [TARGET…]
#   tests/fuzz/run.sh shrink CACHE_DIR [TARGET…]
#
# cargo-fuzz is on the path (setup/fuzz.sh). What is found gathers in CACHE_DIR/fuzz, outside the
# clone: corpus/TARGET, and artifacts/TARGET for inputs on which something did not hold. `shrink`
# replaces tests/fuzz/corpus/TARGET by few inputs that reach all that was ever reached.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
command=$1
cache=$2
shift 2

# What tests/it/fuzz_corpus.rs takes.
most_files=200
most_bytes=300000

# The sanitizer's flags are for nightly compilers; the pinned one takes them so.
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR="$cache/fuzz/target"
# Bounds for one input: seconds, megabytes in use, megabytes at once, bytes.
bounds="-timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 -max_len=8192"

main() {
    case $command in
        run)
            seconds=$1
            shift
            ;;
        shrink) ;;
        *) echo "tests/fuzz/run.sh: run or shrink, not $command" >&2 && exit 2 ;;
    esac
    [ $# -gt 0 ] || set -- $(ls "$here/fuzz_targets" | sed 's/\.rs$//')
    (cd "$here/../.." && cargo fuzz build --fuzz-dir tests/fuzz)
    host=$(rustc -vV | sed -n 's/^host: //p')
    failed=""
    for target in "$@"; do
        program="$CARGO_TARGET_DIR/$host/release/$target"
        found="$cache/fuzz/corpus/$target"
        broken="$cache/fuzz/artifacts/$target"
        mkdir -p "$found" "$broken" "$here/corpus/$target"
        "$command"_one
    done
    [ -z "$failed" ] || { echo "Something did not hold in:$failed" >&2 && exit 1; }
}

run_one() {
    log="$cache/fuzz/$target.log"
    echo "$target: $seconds s"
    "$program" "$found" "$here/corpus/$target" "$here/seeds/$target" $bounds \
        -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$broken/" \
        >"$log" 2>&1 &
    running=$!
    trap 'kill $running 2>/dev/null' INT TERM
    while kill -0 $running 2>/dev/null; do
        sleep 5
        echo "  $(grep -a 'cov: ' "$log" | tail -n 1 | cut -c 1-100)"
    done
    if wait $running; then
        grep -a '^stat::number_of_executed_units' "$log"
    else
        failed="$failed $target"
        grep -a -E 'panicked|SUMMARY|Test unit written' -A 2 "$log" || tail -n 5 "$log"
    fi
}

shrink_one() {
    some=$(mktemp -d)
    few=$(mktemp -d)
    # First one input for each edge, the smaller before the larger, then the fewest of these. How
    # often an input passes an edge does not count.
    for step in "$some $here/corpus/$target $found" "-set_cover_merge=1 $few $some"; do
        "$program" -merge=1 -use_counters=0 -use_cmp=0 $bounds $step \
            >"$cache/fuzz/$target.log" 2>&1
    done
    rm -rf "$here/corpus/$target"
    mkdir -p "$here/corpus/$target"
    # Those that reach the most were written first.
    ls -tr "$few" | while read -r input; do
        echo "$(wc -c <"$few/$input") $input"
    done | awk -v files=$most_files -v bytes=$most_bytes \
        'sum + $1 <= bytes && count < files { sum += $1; count++; print $2 }' |
        while read -r input; do cp "$few/$input" "$here/corpus/$target/"; done
    echo "$target: $(ls "$here/corpus/$target" | wc -l) of $(ls "$few" | wc -l) inputs"
    rm -rf "$some" "$few"
}

main "$@"
