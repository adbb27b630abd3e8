# shellcheck shell=bash disable=SC2034
# Sourced by the mutants' scripts: a copy of the tree, where the code is broken one place at a time,
# and the question whether a test sees it. `bad` is 1 when one lived.
root=$(git rev-parse --show-toplevel)
copy=${1:-$(mktemp -d)}
mkdir -p "$copy"
git -C "$root" ls-files -co --exclude-standard -z | (cd "$root" && xargs -0 cp --parents -t "$copy")
cd "$copy" || exit
cmake --preset debug -DML_WERROR=OFF > /dev/null
bad=0 # read by who sources this
seen_count=0 lived_count=0 broken_count=0
trap 'echo "$seen_count seen, $lived_count lived, $broken_count no longer apply"' EXIT

mutant() { # mutant FILE SED-EXPRESSION TEST...
    file=$1 change=$2
    shift 2
    cp "$file" "$file.kept"
    sed -i "$change" "$file"
    if cmp -s "$file" "$file.kept"; then
        echo "no such place: $file: $change" >&2
        bad=1 broken_count=$((broken_count + 1))
    elif ! cmake --build build/debug --target "$@" > build/mutant.log 2>&1; then
        echo "does not build: $file: $change" >&2
        bad=1 broken_count=$((broken_count + 1))
    else
        seen=no
        for test in "$@"; do
            timeout 100 "build/debug/tests/$test" > /dev/null 2>&1 || seen=yes
        done
        echo "$seen: $file: $change"
        if [ $seen = yes ]; then
            seen_count=$((seen_count + 1))
        else
            bad=1 lived_count=$((lived_count + 1))
        fi
    fi
    mv "$file.kept" "$file"
    touch "$file"
}
