#!/bin/bash
# coverage.sh BUILD [ROOT] -- of what the tests have run: 90 % of the lines of core and sync, 80 % of
# those of net.
set -euo pipefail
build=$1
root=${2:-.}
gcovr -r "$root" "$build" --filter core/ --filter sync/ --fail-under-line 90 --print-summary | tail -n 3
gcovr -r "$root" "$build" --filter net/ --fail-under-line 80 --print-summary | tail -n 3
