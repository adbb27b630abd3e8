#!/bin/bash
# A vector with one digit changed, anywhere, must fail: each hexadecimal string of each vector is
# altered in turn, keys included, and noise_vectors must refuse the file.
set -eu
tool=$ML_BIN/noise_vectors
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
runs=0
for file in "$ML_SOURCE"/tests/data/noise/*.json; do
    "$tool" "$file" > "$dir/out"
    grep -qxE '[1-9][0-9]* passed, 0 failed' <(tail -n 1 "$dir/out")
    strings=$(grep -oE '"[0-9a-f]{8,}"' "$file" | wc -l)
    [ "$strings" -gt 0 ]
    for n in $(seq "$strings"); do
        awk -v n="$n" '{
            out = ""
            while (match($0, /"[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]+"/)) {
                text = substr($0, RSTART, RLENGTH)
                if (++seen == n) {
                    digit = substr(text, 2, 1)
                    text = "\"" (digit == "0" ? "1" : "0") substr(text, 3)
                }
                out = out substr($0, 1, RSTART - 1) text
                $0 = substr($0, RSTART + RLENGTH)
            }
            print out $0
        }' "$file" > "$dir/changed.json"
        if cmp -s "$file" "$dir/changed.json"; then
            echo "string $n was not changed" >&2
            exit 1
        fi
        if "$tool" "$dir/changed.json" > "$dir/out" 2>&1; then
            echo "$file: string $n changed, and still: $(tail -n 1 "$dir/out")" >&2
            exit 1
        fi
        grep -qE '^[0-9]+ passed, 1 failed$' "$dir/out"
        runs=$((runs + 1))
    done
done
echo '{"vectors": [{"protocol_name": "Noise_NN_25519_AESGCM_SHA256"}]}' > "$dir/other.json"
if "$tool" "$dir/other.json" > "$dir/out"; then
    echo "a file of which nothing ran must not pass" >&2
    exit 1
fi
grep -q '^1 skipped' "$dir/out"
echo "$runs altered vectors refused"
