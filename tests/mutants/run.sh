#!/bin/bash
# tests/mutants/run.sh [PATCH...] -- each patch of tests/mutants breaks one invariant, those of
# tests/mutants/model one rule of governance, and the tests that it names must see it; what they are is in docs/testing.md, "Add a mutant". The table, also in
# build/mutants.txt, says what killed each. Fails for one that survives, doesn't apply or doesn't
# build, for a named test that fails without it, and for an invariant with fewer than three
# (--count FOLDER asks that alone).
set -euo pipefail
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
invariants="I1 I2 I3 I4 I5 I7 I8 I10 I11" # docs/architecture.md
least=3                                   # patches an invariant needs, one of them written blind

head_of() { # head_of FIELD PATCH
    sed -n "/^--- /q; s/^$1: *//p" "$2"
}

# One worker's turn: prints "<name>|<verdict>|<what>".
if [ "${1:-}" = --one ]; then
    trap - EXIT
    work=$2 patch=$(realpath "$3")
    name=$(basename "$patch" .patch)
    mine=$work/$name
    mkdir "$mine"
    say() {
        rm -rf "$mine"
        echo "$name|$1|$2"
        exit 0
    }
    files=$(sed -n 's|^+++ b/||p' "$patch")
    [ -n "$files" ] || say "does not apply" "it names no file"
    for file in $files; do
        mkdir -p "$mine/$(dirname "$file")"
        cp "$file" "$mine/$file"
    done
    # Its lines must stand there as they are: what changed may mean another thing now.
    (cd "$mine" && GIT_CEILING_DIRECTORIES=$work git apply "$patch") > "$mine/log" 2>&1 ||
        say "does not apply" "$(head -n 1 "$mine/log")"
    objects=()
    for file in $files; do
        object=$(mutant_compile "$mine" "$file" 2> "$mine/log") ||
            say "does not build" "$(grep -m 1 error "$mine/log" || tail -n 1 "$mine/log")"
        objects+=("$object")
    done
    why=""
    for killer in $(head_of Killed-by "$patch"); do
        program=${killer%%:*} case=${killer#"$program"} case=${case#:}
        mutant_link "$mine/$program" "$program" "${objects[@]}" 2> "$mine/log" ||
            say "does not build" "$(tail -n 1 "$mine/log")"
        ! mutant_run "$mine/log" "$mine/$program" "$case" || say survives "$killer passes"
        why="${why:+$why; }$program: $(mutant_why "$mine/log")"
    done
    [ -n "$why" ] || say survives "it names no test"
    say "killed by" "$why"
fi

counted() { # counted FOLDER: has each invariant enough?
    local invariant few=0
    for invariant in $invariants; do
        kept=("$1/$invariant"-*.patch)
        if [ "${#kept[@]}" -lt $least ] || ! grep -qx 'Written-blind: yes' "${kept[@]}"; then
            echo "$invariant: $least patches are asked for, and one of them written blind" >&2
            few=1
        fi
    done
    return $few
}
if [ "${1:-}" = --count ]; then
    counted "$2"
    exit
fi

bad=0
if [ $# -gt 0 ]; then
    patches=("$@")
else
    patches=(tests/mutants/*.patch tests/mutants/model/*.patch)
    counted tests/mutants || bad=1
fi
killers=$(for patch in "${patches[@]}"; do head_of Killed-by "$patch"; done | tr ' ' '\n' | sort -u)
[ -n "$killers" ] || { echo "no patch names a test" >&2 && exit 1; }
# shellcheck disable=SC2046 # names without spaces
mutant_begin $(cut -d: -f1 <<< "$killers" | sort -u)

for killer in $killers; do # without any mutant, in the same way, they pass
    program=${killer%%:*} case=${killer#"$program"} case=${case#:}
    [ -x "$work/$program" ] || mutant_link "$work/$program" "$program"
    if ! mutant_run "$work/log" "$work/$program" "$case"; then
        echo "$killer fails without a mutant: $(mutant_why "$work/log")" >&2
        bad=1
    fi
done
printf '%s\n' "${patches[@]}" | xargs -P2 -n1 bash "$0" --one "$work" > "$work/told" || bad=1
sort -V "$work/told" | while IFS='|' read -r name verdict what; do
    printf '%-34s %s %s\n' "$name" "$verdict" "$what"
done | tee "$root/build/mutants.txt"
killed=$(awk '/[|]killed by[|]/ {n++} END {print n + 0}' "$work/told")
echo "$killed killed, $((${#patches[@]} - killed)) not"
[ $bad -eq 0 ] && [ "$killed" -eq "${#patches[@]}" ]
