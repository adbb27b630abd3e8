#!/bin/bash
# coverage.sh BUILD [ROOT] -- of what the tests have run: 90 % of the lines of core and sync, 80 % of
# those of net.
set -euo pipefail
build=$(realpath "$1")
cd "${2:-.}" # gcovr's filters are of the folder that it runs in
gcovr -j2 "$build" --filter core/ --filter sync/ --filter net/ --json "$build/lines.json"
gcovr -a "$build/lines.json" --filter core/ --filter sync/ --fail-under-line 90 --print-summary | tail -n 3
gcovr -a "$build/lines.json" --filter net/ --fail-under-line 80 --print-summary | tail -n 3
