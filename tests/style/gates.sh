#!/bin/sh
# A gate that cannot fail is no gate: each must refuse its bad file.
set -u
bad=0
refuses() { # refuses NAME COMMAND...
    name=$1
    shift
    if "$@" > /dev/null 2>&1; then
        echo "gate $name let its bad file through" >&2
        bad=1
    fi
}
refuses format clang-format-14 --style=file --dry-run -Werror tests/style/bad/format.c
refuses tidy clang-tidy-14 --config-file=.clang-tidy tests/style/bad/tidy.c -- -std=c17
refuses banned gcc -std=c17 -I. -include core/base/banned.h -c tests/style/bad/banned.c -o /dev/null
echo '#include <uv.h>' > core/zz_bad.h
refuses layers sh tests/style/check_layout.sh
rm -f core/zz_bad.h
exit $bad
