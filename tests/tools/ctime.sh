#!/bin/sh
# ctime.sh BUILD: fails when a secret decides a branch or an address in core/crypto. Needs valgrind
# and a build without sanitizers. First proves that it can fail.
set -u
program=${1:?usage: ctime.sh BUILD}/tests/test_ctime
suppressions=$(dirname "$0")/ctime.supp
run() {
    valgrind -q --error-exitcode=9 --suppressions="$suppressions" "$program" "$@"
}
if run leak > /dev/null 2>&1; then
    echo "ctime: the deliberate leak was not found" >&2
    exit 1
fi
run
