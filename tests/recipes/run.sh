#!/bin/bash
# Proves docs/recettes.md: each recipe's patch is put onto a copy of the tree, its targets are built,
# its programs run and must say what the recipe promises; then it is taken away again.
#   tests/recipes/run.sh [--check] [FOLDER [PAGE]]
# --check only: every patch applies, stands in the page, and the page names no other (gates.sh).
# A patch begins with lines: "Preset: NAME" (debug), "Build: TARGETS", "Run: COMMAND" and, after it,
# "See: PATTERN", which a line of that command's output must match.
set -euo pipefail
root=$(git rev-parse --show-toplevel)
cd "$root"
only_check=no
if [ "${1:-}" = --check ]; then
    only_check=yes
    shift
fi
folder=$(realpath "${1:-tests/recipes}")
page=$(realpath "${2:-docs/recettes.md}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "recipes: $*" >&2
    exit 1
}
field() { # field PATCH NAME: the values of its lines "NAME: value"
    sed -n "/^diff /q; s/^$2: //p" "$1"
}

patches=$(find "$folder" -maxdepth 1 -name '*.patch' -printf '%f\n' | sort)
cited=$(grep -o 'tests/recipes/[a-z0-9_]*\.patch' "$page" | sed 's,.*/,,' | sort -u)
[ -n "$patches" ] || fail "$folder: no recipe"
[ "$patches" = "$cited" ] || fail "$page doesn't name the patches that exist:
$(diff <(echo "$patches") <(echo "$cited") | grep '^[<>]')"
for name in $patches; do
    git apply --check "$folder/$name" || fail "$name no longer applies: write it anew (docs/recettes.md)"
    [ -n "$(field "$folder/$name" See)" ] || fail "$name says nothing that must be seen"
done
if [ $only_check = yes ]; then
    exit 0
fi

copy=$work/tree
mkdir "$copy"
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$copy"
cd "$copy"
git init -q
build_targets() { # build_targets PRESET TARGET...
    local preset=$1
    shift
    [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" || return 1
    cmake --build "build/$preset" --target "$@"
}
steps() { # the lines Run and See of a patch, each See with the output of the Run before it
    local line said=$work/said
    while IFS= read -r line; do
        case $line in
        "Run: "*) bash -c "${line#Run: }" > "$said" 2>&1 || fail "$1: ${line#Run: }
$(tail -n 20 "$said")" ;;
        "See: "*) grep -qE -- "${line#See: }" "$said" || fail "$1: not seen: ${line#See: }
$(tail -n 20 "$said")" ;;
        esac
    done < <(sed '/^diff /q' "$folder/$1")
}
for name in $patches; do
    since=$SECONDS
    preset=$(field "$folder/$name" Preset)
    targets=$(field "$folder/$name" Build)
    git apply "$folder/$name"
    if [ -n "$targets" ]; then
        # shellcheck disable=SC2086 # several words
        build_targets "${preset:-debug}" $targets > "$work/log" 2>&1 || fail "$name doesn't build
$(tail -n 20 "$work/log")"
    fi
    steps "$name"
    git apply -R "$folder/$name"
    echo "$name: seen ($((SECONDS - since)) s)"
done
