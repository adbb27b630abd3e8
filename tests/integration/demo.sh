#!/bin/bash
# The main job on real processes: every step of the demo shows what it must, and each kept node
# answers the commands that the demo prints.
set -euo pipefail
work=$(mktemp -d)
pids=""
# shellcheck disable=SC2086 # a list of numbers
finish() { [ -z "$pids" ] || kill $pids 2> /dev/null || :; rm -rf "$work"; }
trap finish EXIT
export XDG_STATE_HOME="$work/state"
"$ML_BIN/maille" demo --fhir "$ML_SOURCE/tests/data/fhir-r4" --keep "$work/kept" > "$work/story" || {
    cat "$work/story"
    exit 1
}
pids=$(sed -n 's/^Pour les arrêter : kill //p' "$work/story")
grep -c '^✓' "$work/story" | grep -qx 10
grep -q 'à concilier' "$work/story"
commands=$(grep -c '^  .*maille .*--home' "$work/story")
[ "$commands" -eq 5 ]
printf 'phrase de passe de la démonstration\n' > "$work/passphrase"
"$ML_BIN/maille" unlock --home "$work/kept/a" --passphrase-fd 3 3< "$work/passphrase" > /dev/null
grep '^  .*maille .*--home' "$work/story" | grep -v ' unlock ' | while read -r line; do
    bash -c "$line" > "$work/out" || {
        echo "failed: $line" >&2
        cat "$work/out" >&2
        exit 1
    }
done
