#!/bin/bash
# The mutants' runner is a gate too: a patch that lives, one of another time, one that doesn't
# compile, one that names no test or none that there is, and an invariant with too few make it fail.
set -u
root=$(git rev-parse --show-toplevel)
cd "$root" || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
refuses() { # refuses WHAT IT SAYS, ARGUMENTS
    local said=$1 told
    shift
    if told=$(bash tests/mutants/run.sh "$@" 2>&1) || ! grep -qE "$said" <<< "$told"; then
        echo "the mutants' runner let through: $*: $told" >&2
        bad=1
    fi
}
nothing=tests/style/bad/mutant-nothing.patch
refuses 'survives' $nothing
refuses 'does not apply' tests/style/bad/mutant-stale.patch
refuses 'does not build' tests/style/bad/mutant-broken.patch
sed 's/^Killed-by: .*/Killed-by: test_nobody/' $nothing > "$work/unknown.patch"
refuses 'test_nobody' "$work/unknown.patch"
sed 's/^Killed-by: .*/Killed-by: test_ids:no_such_case/' $nothing > "$work/case.patch"
refuses 'survives' "$work/case.patch"
sed '/^Killed-by/d' $nothing > "$work/none.patch"
refuses 'no patch names a test' "$work/none.patch"
mkdir "$work/few" "$work/seen"
cp tests/mutants/*.patch "$work/few/" && rm "$work/few"/I7-[a-h]*.patch
refuses '^I7: ' --count "$work/few"
cp tests/mutants/*.patch "$work/seen/" && sed -i '/^Written-blind/d' "$work/seen"/I8-*.patch
refuses '^I8: ' --count "$work/seen"
[ $bad -eq 0 ]
