#!/bin/bash
# A gate that cannot fail is no gate: each must refuse its bad file. Works on a copy of the tree.
set -u
bad=0
tried=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
refuses() { # refuses NAME COMMAND...
    name=$1
    shift
    tried=$((tried + 1))
    if "$@" > /dev/null 2>&1; then
        echo "gate $name let its bad file through" >&2
        bad=$((bad + 1))
    fi
}
in_copy() { # in_copy FILE SOURCE: the layout check on a copy of the tree with SOURCE put at FILE
    rm -rf "$work/tree"
    git clone -q . "$work/tree" || return 0
    mkdir -p "$(dirname "$work/tree/$1")"
    cp "$2" "$work/tree/$1"
    (cd "$work/tree" && sh tests/style/check_layout.sh)
}
seq 801 > "$work/long.txt"
refuses format clang-format-14 --style=file --dry-run -Werror tests/style/bad/format.c
refuses tidy clang-tidy-14 --config-file=.clang-tidy tests/style/bad/tidy.c -- -std=c17
refuses tidy-tests clang-tidy-14 tests/style/bad/tidy.c -- -std=c17
refuses banned gcc -std=c17 -I. -include core/base/banned.h -c tests/style/bad/banned.c -o /dev/null
refuses layers in_copy core/zz_bad.h tests/style/bad/layers.txt
refuses layers-inner in_copy core/record/zz_bad.h tests/style/bad/layers.txt
refuses size in_copy core/zz_long.c "$work/long.txt"
refuses top-level in_copy zz_extra tests/style/bad/layers.txt
refuses shellcheck shellcheck tests/style/bad/script.sh.txt
refuses docs-links sh tests/style/check_docs.sh tests/style/bad/docs.md
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
echo "$((tried - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
