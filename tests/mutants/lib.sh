# shellcheck shell=bash
# Sourced by the mutants' scripts. A mutant is one broken source: its object is put before the
# libraries on a test's link line, so that the library's own member is never taken. One file is
# compiled for each mutant; the tree and its debug build are used as they are, and left so.
root=$(git rev-parse --show-toplevel)
cd "$root" || exit
build=$root/build/debug
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ML_TEST_DATA=$root/tests/data

# Builds these programs, and what runs one test of a program alone.
mutant_begin() {
    [ -f "$build/build.ninja" ] || cmake --preset debug > "$work/build.log" 2>&1 || return 1
    if ! cmake --build "$build" --target "$@" > "$work/build.log" 2>&1; then
        tail -n 30 "$work/build.log" >&2
        return 1
    fi
    cat > "$work/only.c" << 'C'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
__attribute__((constructor)) static void only(void)
{
    const char *test = getenv("ML_TEST_ONLY");
    cmocka_set_test_filter(test == NULL || *test == 0 ? NULL : test);
}
C
    cc -c "$work/only.c" -o "$work/only.o"
}

# mutant_compile FOLDER FILE: FOLDER/FILE as the build compiles FILE; prints the object's path.
mutant_compile() {
    local line object="$1/${2//\//_}.o"
    case $2 in *.c) ;; *) echo "$2: only .c files can be broken" >&2 && return 1 ;; esac
    line=$(grep -m 1 -F -- " -c $root/$2\"" "$build/compile_commands.json") || {
        echo "$2: no target compiles it" >&2
        return 1
    }
    line=$(sed 's/^ *"command": "//; s/",*$//; s/\\\(["\\]\)/\1/g; s/ -o [^ ]* -c .*//' <<< "$line")
    (cd "$build" && eval "$line -w -o '$object' -c '$1/$2'") >&2 && echo "$object"
}

# mutant_link OUT PROGRAM [OBJECT...]: the program with these objects in the place of the library's.
mutant_link() {
    local out=$1 program=$2 line
    shift 2
    line=$(ninja -C "$build" -t commands -s "tests/$program") || return 1
    case $line in *libcmocka*) set -- "$@" "$work/only.o" ;; esac
    (cd "$build" && eval "${line/ -o tests\/$program / $* -o $out }") >&2
}

# mutant_run LOG EXECUTABLE CASE: passes? CASE: one test of it; SEED:COUNT or an ADVERSARY of the
# simulator; DEPTH[:KINDS[:HISTORIES]] or a STORY of the model; none.
mutant_run() {
    local log=$1 executable=$2 case=$3 rc=0 at depth kinds histories
    set --
    case $executable in
    *maille-model*)
        IFS=: read -r depth kinds histories <<< "$case"
        case $depth in
        [0-9]*) set -- --depth "$depth" --kinds "${kinds:-9}" --seed 1 --histories "${histories:-0}" ;;
        *) set -- --story "$depth" --depth 1 --kinds 20 ;;
        esac
        set -- "$@" --stores 0
        ;;
    *maille-sim*)
        case $case in
        [0-9]*) set -- --seed "${case%:*}" --seeds "${case#*:}" ;;
        *) set -- --adversary "$case" --seed 1 ;;
        esac
        ;;
    esac
    { (cd "$work" && ML_TEST_ONLY=$case timeout 120 "$executable" "$@" > "$log" 2>&1); } 2> /dev/null ||
        rc=$?
    [ $rc -ne 124 ] || echo "[  FAILED  ] still running after 120 s" >> "$log"
    if [ $rc -ge 128 ]; then
        at=$(sed -n 's/^\[ RUN .*\] //p' "$log" | tail -n 1)
        echo "[  FAILED  ] aborted in $at" >> "$log"
    fi
    return $rc
}

# mutant_why LOG: what failed first, in one line.
mutant_why() {
    local test place
    test=$(sed -nE 's/^\[  (FAILED|ERROR) +\] ([a-z][a-z0-9_]+|aborted .*|still .*)$/\2/p' "$1" | head -n 1)
    place=$(sed -nE 's/^\[   LINE   \] --- .*(tests\/[^ ]*): .*/ (\1)/p' "$1" | head -n 1)
    if [ -n "$test" ]; then
        echo "$test$place"
    else
        grep -v '^ *$' "$1" | tail -n 1 | cut -c 1-120
    fi
}

# mutant FILE SED-EXPRESSION TEST...: for the scripts of sed mutants. With --check it is only asked
# whether the places still exist.
mutant() {
    local file=$1 change=$2 broken=$work/sed seen=no object test
    shift 2
    mkdir -p "$broken/$(dirname "$file")"
    sed "$change" "$file" > "$broken/$file"
    if cmp -s "$file" "$broken/$file"; then
        echo "no such place: $file: $change" >&2
        broken_count=$((broken_count + 1))
        return
    fi
    [ "$mutant_mode" != --check ] || return 0
    if ! object=$(mutant_compile "$broken" "$file" 2> "$work/cc.log"); then
        echo "does not build: $file: $change" >&2
        broken_count=$((broken_count + 1))
        return
    fi
    for test in "$@"; do
        [ -x "$build/tests/$test" ] || mutant_begin "$test"
        mutant_link "$work/sed_$test" "$test" "$object" 2> "$work/cc.log"
        mutant_run "$work/log" "$work/sed_$test" "" || seen="$test: $(mutant_why "$work/log")"
        [ "$seen" = no ] || break
    done
    echo "$seen: $file: $change"
    if [ "$seen" = no ]; then lived_count=$((lived_count + 1)); else seen_count=$((seen_count + 1)); fi
}

# Of a script of sed mutants: mutants_begin [--check] at its start, mutants_end at its end.
mutants_begin() {
    mutant_mode=${1:-run}
    seen_count=0 lived_count=0 broken_count=0
    [ "$mutant_mode" = --check ] || mutant_begin all
}
mutants_end() {
    if [ "$mutant_mode" = --check ]; then
        [ "$broken_count" -eq 0 ]
        return
    fi
    echo "$seen_count seen, $lived_count lived, $broken_count no longer apply"
    [ $((lived_count + broken_count)) -eq 0 ]
}
