#!/bin/bash
# A gate that cannot fail is no gate: each must refuse its bad file. Works on a copy of the tree.
set -u
bad=0
tried=0
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat_and_fail() { # of a check that was run once for many
    cat "$1"
    return 1
}
refuses() { # refuses NAME COMMAND...
    name=$1
    shift
    tried=$((tried + 1))
    if "$@" > /dev/null 2>&1; then
        echo "gate $name let its bad file through" >&2
        bad=$((bad + 1))
    fi
}
in_tree() { # in_tree FILE SOURCE: the layout check on a copy of the tree with SOURCE put at FILE
    cp "$2" "$work/tree/$1"
    (cd "$work/tree" && sh tests/style/check_layout.sh)
    local rc=$?
    rm "$work/tree/$1"
    return $rc
}
says() { # says WHAT COMMAND...: it fails, and says what (an extended expression)
    local what=$1 told
    shift
    if told=$("$@" 2>&1) || ! grep -qE -- "$what" <<< "$told"; then
        return 0 # for `refuses`: let through
    fi
    return 1
}
git clone -q . "$work/tree"
cp tests/style/*.sh "$work/tree/tests/style/"
seq 801 > "$work/long.txt"
refuses format clang-format-14 --style=file --dry-run -Werror tests/style/bad/format.c
refuses tidy clang-tidy-14 --config-file=.clang-tidy tests/style/bad/tidy.c -- -std=c17
refuses tidy-tests clang-tidy-14 tests/style/bad/tidy.c -- -std=c17
told=$(clang-tidy-14 --config-file=.clang-tidy tests/style/bad/tidy.c -- -std=c17 2> /dev/null)
for rule in '[67][0-9] lines including' '6 parameters' 'nesting level 4' 'cognitive complexity of 2' \
    "function 'BadName'.*identifier-naming" 'inside braces' 'clang-analyzer-core.NullDereference'; do
    refuses "tidy: $rule" says "$rule" cat_and_fail - <<< "$told"
done
refuses banned gcc -std=c17 -I. -include core/base/banned.h -c tests/style/bad/banned.c -o /dev/null
refuses size in_tree core/zz_long.c "$work/long.txt"
refuses top-level in_tree zz_extra tests/style/bad/layers.txt
# Each folder includes each thing that it must not; the check names every one of them.
layers='include: core/base/buf.h sync/sync.h net/node/node.h uv.h sqlite3.h sodium.h
core: sync/sync.h net/node/node.h gui-qt-bridge/a.h uv.h QString
core/base: core/crypto/hash.h core/record/vault.h sqlite3.h sodium.h msgpack.h uv.h
core/crypto: core/codec/wire.h core/model/gov.h sqlite3.h msgpack.h sync/sync.h
core/codec: core/store/log.h core/model/gov.h sqlite3.h sodium.h uv.h
core/store: core/record/vault.h core/interop/fhir.h sodium.h msgpack.h net/node/node.h
core/model: core/store/log.h core/record/vault.h sqlite3.h sodium.h jansson.h uv.h
core/record: core/interop/fhir.h sqlite3.h sodium.h msgpack.h sync/sync.h
core/interop: sqlite3.h sodium.h msgpack.h net/node/node.h
sync: net/node/node.h core/store/log.h core/record/vault.h uv.h sqlite3.h sodium.h
net/link: gui-qt-bridge/a.h sqlite3.h sodium.h QString
net/node: uv.h sqlite3.h
net/client: sync/sync.h net/node/node.h core/store/log.h core/model/gov.h uv.h
net/cli: sync/sync.h net/node/node.h core/record/vault.h uv.h
gui-qt-bridge: core/base/buf.h sync/sync.h net/client/client.h uv.h sqlite3.h'
forbidden=()
while IFS=: read -r folder things; do
    mkdir -p "$work/tree/$folder"
    for thing in $things; do
        forbidden+=("$folder/zz_${#forbidden[@]}.h:$thing")
        echo "#include <$thing>" > "$work/tree/${forbidden[-1]%%:*}"
    done
done <<< "$layers"
told=$(cd "$work/tree" && sh tests/style/check_layout.sh 2>&1) && told=""
for one in "${forbidden[@]}"; do
    refuses "layers: ${one/:/ includes }" says "^${one%%:*}:" cat_and_fail - <<< "$told"
    rm -f "$work/tree/${one%%:*}"
done
refuses shellcheck shellcheck tests/style/bad/script.sh.txt
refuses docs-links sh tests/style/check_docs.sh tests/style/bad/docs.md
refuses docs-threats sh tests/style/check_docs.sh tests/style/bad/threats.md
# The page with one thing wrong: a row less, another value, a test that there isn't, nothing asserted.
# shellcheck disable=SC2016 # the backquotes are Markdown's
{
sh tests/style/check_limits.sh || bad=$((bad + 1))
grep -v '^| `ML_LINKS_MAX`' docs/limits.md > "$work/missing.md"
sed 's/^| `ML_LINKS_MAX` | `64u`/| `ML_LINKS_MAX` | `65u`/' docs/limits.md > "$work/value.md"
sed 's/open_links_end_at_their_limit/no_such_test/' docs/limits.md > "$work/test.md"
sed '/^| `ML_LINKS_MAX`/s/open_links_end_at_their_limit/asserted/' docs/limits.md > "$work/asserted.md"
}
for wrong in missing value test asserted; do
    refuses "limits-$wrong" sh tests/style/check_limits.sh "$work/$wrong.md"
done
# Recipes: one that the page doesn't name, one too few, one that no longer applies, one whose promise
# isn't seen.
bash tests/recipes/run.sh --check || bad=$((bad + 1))
recipes() { # recipes FOLDER: the recipes, to be spoilt
    rm -rf "$1"
    cp -r tests/recipes "$1"
}
recipes "$work/unnamed" && cp "$work/unnamed/entity.patch" "$work/unnamed/other.patch"
recipes "$work/fewer" && rm "$work/fewer/entity.patch"
recipes "$work/stale" && sed -i 's/^ .*entities\[\].*/ no such line/; s/^-.*entities.*/-no such line/' "$work/stale/entity.patch"
recipes "$work/silent" && sed -i '/^See: /d' "$work/silent/entity.patch"
for wrong in unnamed fewer stale silent; do
    refuses "recipes-$wrong" bash tests/recipes/run.sh --check "$work/$wrong" docs/recettes.md
done
mkdir "$work/unseen"
sed 's/^Build: .*/Run: echo nothing/; /^Run: build/d' tests/recipes/entity.patch > "$work/unseen/entity.patch"
echo 'tests/recipes/entity.patch' > "$work/unseen/page.md"
refuses recipes-unseen bash tests/recipes/run.sh "$work/unseen" "$work/unseen/page.md"
# Compilers and sanitizers, with the flags of the presets.
flags_of() { # flags_of PRESET: how it compiles, without input and output
    cmake --preset "$1" -B "$work/$1" -DML_BUILD_TESTS=OFF -DML_BUILD_FUZZERS=OFF > /dev/null || return 1
    grep -m 1 -F ' -c ' "$work/$1/compile_commands.json" |
        sed 's/^ *"command": "//; s/\\\(["\\]\)/\1/g; s/ -o [^ ]* -c .*//'
}
for preset in debug asan tsan; do
    flags=$(flags_of $preset) || bad=$((bad + 1))
    printf '%s' "$flags" > "$work/$preset.flags"
done
compiled() { # compiled PRESET SOURCE [FLAGS]: a program, or an object with -c; says what is wrong
    (cd "$root" && eval "$(cat "$work/$1.flags") ${3:-} -o '$work/out' '$2'")
}
run_as() { # run_as PRESET SOURCE: builds without the warnings' help, and runs
    compiled "$1" "$2" -w || return 0
    "$work/out"
}
bads=$root/tests/style/bad
refuses gcc-werror says 'Werror=conversion' compiled debug "$bads/werror.c" -c
refuses clang-werror says 'Werror,-Wimplicit-int-conversion' compiled asan "$bads/werror.c" -c
refuses address says 'heap-use-after-free' run_as asan "$bads/address.c"
refuses leak says 'detected memory leaks' run_as asan "$bads/leak.c"
refuses undefined says 'signed integer overflow' run_as asan "$bads/undefined.c"
TSAN_OPTIONS=halt_on_error=1 refuses race says 'data race' run_as tsan "$bads/race.c"
refuses cppcheck says 'arrayIndexOutOfBounds' sh tests/style/cppcheck.sh tests/style/bad/cppcheck.c

gcc -c -fvisibility=hidden "$bads/names.c" -o "$work/names.o" && ar rc "$work/libml_bad.a" "$work/names.o"
refuses names says '^frobnicate' sh tests/style/check_names.sh "$work/libml_bad.a"
refuses names-of-nothing sh tests/style/check_names.sh "$work/tree/none.a"

covered() { # covered FOLDER: of a tree with one file there, little of which was run
    rm -rf "$work/cov"
    mkdir -p "$work/cov/core" "$work/cov/net" "$work/cov/b"
    for folder in core net; do # what is there beside it was run whole
        echo 'int main(void) { return 0; }' > "$work/cov/$folder/whole.c"
    done
    [ -z "$1" ] || cp "$bads/covered.c" "$work/cov/$1/bad.c"
    for source in "$work/cov"/*/*.c; do # a folder each: their notes have the name of the program
        mkdir "${source%.c}" && (cd "${source%.c}" && gcc --coverage -O0 -o a.out "$source" && ./a.out)
        mv "${source%.c}" "$work/cov/b/$(tr / - <<< "${source#"$work/cov/"}")"
    done
    bash tests/style/coverage.sh "$work/cov/b" "$work/cov"
}
covered "" > "$work/told" 2>&1 || { # what was run whole passes: what follows isn't refused for nothing
    cat "$work/told" >&2
    bad=$((bad + 1))
}
refuses coverage-core covered core
refuses coverage-net covered net

mkdir -p "$work/ctime/tests"
gcc -o "$work/ctime/tests/test_ctime" "$bads/ctime.c"
refuses constant-time says 'deliberate leak' sh tests/tools/ctime.sh "$work/ctime"

for fuzzer in crash stuck; do # in a folder of its own, with the runner and a corpus
    mkdir -p "$work/$fuzzer/corpus/fuzz_$fuzzer" "$work/$fuzzer/fuzz"
    cp tests/fuzz/run.sh "$work/$fuzzer/"
    echo M > "$work/$fuzzer/corpus/fuzz_$fuzzer/m"
    clang-14 -fsanitize=fuzzer "$bads/fuzz_$fuzzer.c" -o "$work/$fuzzer/fuzz/fuzz_$fuzzer"
done
refuses fuzz-crash says 'deadly signal' bash "$work/crash/run.sh" "$work/crash" 1
refuses fuzz-runs says 'fewer than' bash "$work/stuck/run.sh" "$work/stuck" 1
rm -r "$work/stuck/corpus"
refuses fuzz-corpus says 'no corpus' bash "$work/stuck/run.sh" "$work/stuck" 1
refuses fuzz-none bash tests/fuzz/run.sh "$work/ctime" 1

echo "$((tried - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
