#!/bin/sh
# check_limits.sh [PAGE] -- docs/limits.md is the headers': each ML_..._MAX of theirs has one row, with
# its value, and tests that exist and run; "asserted" needs the assertion, "derived" another name.
# shellcheck disable=SC2013,SC2016 # one name a line; the backquotes are Markdown's
set -u
page=${1:-docs/limits.md}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
complain() {
    echo "$page: $1" >&2
    bad=1
}
# name<TAB>value of every #define and enum constant that may be a limit
find core sync net include -name '*.h' -exec cat {} + > "$work/headers"
{
    sed -nE 's/^#define (ML_[A-Z0-9_]+) +(\(([^()]|\([^()]*\))*\)|[^ ]+).*/\1	\2/p' "$work/headers"
    grep -oE '\bML_[A-Z0-9_]+_MAX = [0-9]+' "$work/headers" | sed 's/ = /	/'
} > "$work/values"
grep -rhoE '\b[a-z][a-z0-9_]+\b' --include='test_*.c' tests/unit | sort | uniq -d > "$work/tests"
grep '^| `ML_' "$page" > "$work/rows"
for name in $(sed -nE 's/^(ML_[A-Z0-9_]+_MAX(_MS)?)	.*/\1/p' "$work/values" | sort -u); do
    [ "$(grep -c "^| \`$name\` " "$work/rows")" -eq 1 ] || complain "$name has no row, or several"
done
while IFS='|' read -r _ name value _ _ tests _; do
    name=$(echo "$name" | tr -d ' `')
    value=$(echo "$value" | sed 's/^ *`//; s/` *$//')
    have=$(sed -n "s/^$name	//p" "$work/values" | head -n 1)
    [ "$have" = "$value" ] || complain "$name is $value, the header says ${have:-nothing}"
    tests=$(echo "$tests" | tr -d ' ' | tr ',' ' ')
    [ -n "$tests" ] || complain "$name names no test"
    for test in $tests; do
        case $test in
        own | untested) ;;
        asserted)
            grep -rqE "ASSERT\(.*\b$name\b" core sync net || complain "nothing asserts $name"
            ;;
        derived)
            case $have in *ML_*) ;; *) complain "$name derives from no limit" ;; esac
            ;;
        *) grep -qxF "$test" "$work/tests" || complain "$name: no test is called $test" ;;
        esac
    done
done < "$work/rows"
exit $bad
