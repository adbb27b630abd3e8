#!/bin/bash
# run.sh BUILD SECONDS [LEAST] -- every fuzzer for SECONDS on its corpus, two at a time. An
# uninstrumented or stuck fuzzer exits well in a moment: the count of runs is checked too.
set -euo pipefail
build=$1
seconds=$2
least=${3:-1000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one() {
    name=$(basename "$1")
    corpus=$(dirname "$0")/corpus/$name
    [ -d "$corpus" ] || { echo "$name: no corpus" >&2; return 1; }
    mkdir -p "$work/$name"
    if ! "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$work/$name-" "$work/$name" "$corpus" > "$work/$name.log" 2>&1; then
        tail -n 40 "$work/$name.log" >&2
        for artifact in "$work/$name"-*; do
            [ -f "$artifact" ] && { echo "$artifact (base64):"; base64 "$artifact"; } >&2
        done
        echo "pour recommencer : $1 -max_total_time=$seconds $corpus" >&2
        return 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
    echo "$name: $runs runs"
    [ "${runs:-0}" -ge "$least" ] || { echo "$name: fewer than $least runs" >&2; return 1; }
}
mapfile -t fuzzers < <(find "$build/fuzz" -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x | sort)
for ((i = 0; i < ${#fuzzers[@]}; i += 2)); do
    pids=()
    for fuzzer in "${fuzzers[@]:i:2}"; do
        one "$fuzzer" &
        pids+=("$!")
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
done
echo "${#fuzzers[@]} passed, 0 failed"
[ "${#fuzzers[@]}" -gt 0 ]
