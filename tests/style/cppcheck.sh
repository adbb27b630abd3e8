#!/bin/sh
# cppcheck.sh [PATHS] -- the second analyser over the product, or over these paths.
set -eu
[ $# -gt 0 ] || set -- core sync net
cppcheck -j2 --enable=warning,style,performance,portability --std=c11 --inline-suppr \
    --error-exitcode=1 --suppress=missingIncludeSystem --suppress=unusedStructMember \
    --suppressions-list=tests/style/cppcheck.txt -Iinclude -I. -Itests/fakes --quiet "$@"
