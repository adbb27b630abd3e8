#!/bin/sh
# check_names.sh LIBRARIES... -- what is visible outside its library begins with ml_.
set -eu
names=$(nm -g --defined-only "$@" | awk 'NF == 3 {print $3}')
[ -n "$names" ] || { echo "no library has a name: is anything built?" >&2 && exit 1; }
if echo "$names" | grep -vE '^ml_'; then
    echo "the names above are visible outside their library and don't begin with ml_" >&2
    exit 1
fi
