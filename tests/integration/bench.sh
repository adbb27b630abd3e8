#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work
# maille-bench measures every key that docs/benchmarks names, and writes JSON. Not what it measures.
source "$(dirname "$0")/support.bash"

TMPDIR=$work "$ML_BIN/maille-bench" --json --quick --size 640 > "$work/report.json"
python3 - "$work/report.json" "$ML_SOURCE/docs/benchmarks/README.md" << 'EOF'
import json, re, sys

report = json.load(open(sys.argv[1]))
named = re.findall(r'^\| `([a-z0-9_]+\.[a-z0-9_]+)` \|', open(sys.argv[2]).read(), re.M)
assert len(named) > 20, named
first, = report['sizes'].values()
for key in named:
    figures = first.get(key)
    assert figures, 'not measured: ' + key
    assert 'value' in figures or {'p50', 'p95', 'max', 'count'} <= set(figures), key
    assert all(v >= 0 for v in figures.values()), key
unnamed = set(first) - set(named) - {'store'}
assert not unnamed, unnamed
assert report['limits']['ed25519_verify_per_s'] > 0 and report['limits']['fsync_ms'] > 0
EOF
left=$(find "$work" -maxdepth 1 -name 'maille-bench-*')
[ -z "$left" ] || die "left behind: $left"
