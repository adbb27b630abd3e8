#!/bin/sh
# check_docs.sh [FILES...] -- every relative link of the documents resolves: the file exists, and a
# fragment names a heading of a .md, or a word that stands in any other file; what a row of a table of
# threats says that it was tried by stands in tests. Without FILES docs/limits.md is compared with the headers too (check_limits.sh).
set -u
bad=0
if [ $# -eq 0 ]; then
    sh tests/style/check_limits.sh || bad=1
    # shellcheck disable=SC2046 # names without spaces
    set -- README.md $(git ls-files -co --exclude-standard -- 'docs/*.md' 'gui-qt-bridge/*.md')
fi
slug() { # the fragment a heading gets: lower case, spaces to hyphens, punctuation dropped
    sed -n 's/^##* *//p' "$1" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-'
}
for doc in "$@"; do
    # shellcheck disable=SC2013,SC2016 # names have no spaces; the backquotes are Markdown's
    for name in $(awk -F'|' '/^\| threat /, /^$/ {if (NF > 2) print $(NF - 1)}' "$doc" | grep -oE '`[^`]+`' | tr -d '`' | sort -u); do
        git grep -qwF -- "$name" tests ':!tests/style/bad' || git ls-files tests | grep -qF "/$name" || {
            echo "$doc: no test is called $name" >&2
            bad=1
        }
    done
    dir=$(dirname "$doc")
    # shellcheck disable=SC2013 # a link has no spaces
    for link in $(grep -oE '\]\([^)]+\)' "$doc" | sed 's/^](//; s/)$//' | grep -vE '^(https?:|mailto:)'); do
        file=${link%%#*}
        fragment=""
        case $link in *#*) fragment=${link#*#} ;; esac
        target=$doc
        [ -n "$file" ] && target=$dir/$file
        if [ ! -e "$target" ]; then
            echo "$doc: link to $link: no such file" >&2
            bad=1
        elif [ -n "$fragment" ]; then
            case $target in
            *.md) slug "$target" | grep -qxF "$fragment" ;;
            *) grep -qwF "$fragment" "$target" ;;
            esac || {
                echo "$doc: link to $link: no such place" >&2
                bad=1
            }
        fi
    done
done
exit $bad
