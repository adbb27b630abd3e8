#!/bin/sh
# Fails on an include that points up or around the layers, on a file over 800 lines, and on a file
# at the top level that the design doesn't name.
set -u
bad=0

deny() { # deny FOLDER REGEX: no file of FOLDER may include what REGEX matches
    [ -d "$1" ] || return 0
    if grep -rnE "#include [<\"]($2)" "$1" --include='*.[ch]' --include='*.cpp'; then
        echo "layering: $1 must not include the above" >&2
        bad=1
    fi
}
deny include '(core|sync|net|gui-qt-bridge)/|uv\.h|sqlite3\.h|sodium|msgpack|Q[A-Z]'
deny core '(sync|net|gui-qt-bridge)/|uv\.h|Q[A-Z]'
deny core/base 'core/(crypto|codec|store|model|record|interop)/|sqlite3\.h|sodium|msgpack'
deny core/crypto 'core/(codec|store|model|record|interop)/|sqlite3\.h|msgpack'
deny core/codec 'core/(store|model|record|interop)/|sqlite3\.h|sodium'
deny core/store 'core/(record|interop)/|sodium|msgpack'
deny core/model 'core/(store|record|interop)/|sqlite3\.h|sodium|msgpack|jansson'
deny core/record 'core/interop/|sqlite3\.h|sodium|msgpack|jansson'
deny core/interop 'sqlite3\.h|sodium|msgpack'
deny sync '(net|gui-qt-bridge)/|core/(store|record|interop)/|uv\.h|sqlite3\.h|sodium|msgpack|Q[A-Z]'
deny net 'gui-qt-bridge/|sqlite3\.h|sodium|Q[A-Z]'
deny net/node 'uv\.h'
deny net/client '(sync|net/(node|link|daemon|cli)|core/(crypto|store|model|record|interop))/|uv\.h'
deny net/cli '(sync|net/(node|link|daemon)|core/(store|model|record))/|uv\.h'
deny gui-qt-bridge '(core|sync|net)/|uv\.h|sqlite3\.h|sodium|msgpack'

files() {
    git ls-files -co --exclude-standard -- '*.c' '*.h' '*.cpp' '*.sh' '*.md' .ci
}
for f in $(files); do
    [ -f "$f" ] || continue
    n=$(wc -l < "$f")
    if [ "$n" -gt 800 ]; then
        echo "$f: $n lines, at most 800" >&2
        bad=1
    fi
done
allowed='\..*|CMakeLists\.txt|CMakePresets\.json|README\.md|LICENSE|core|sync|net|gui-qt-bridge|include|tests|docs'
for f in $(git ls-files -co --exclude-standard | cut -d/ -f1 | sort -u | grep -vxE "$allowed"); do
    echo "$f: not a name of the top level" >&2
    bad=1
done
exit $bad
