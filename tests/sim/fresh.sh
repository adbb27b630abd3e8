#!/bin/bash
# tests/sim/fresh.sh SIM FOLDER SEEDS [option of the simulator]... -- two processes of SEEDS fresh seeds
# each, whose output goes to FOLDER/sim.1 and FOLDER/sim.2; prints what failed, with the line that keeps
# it, and the sums. SEEDS "ops=N": until each has N ops acknowledged. Exit 1: one failed.
#   FIRST=N    the first seed: else the clock gives it
set -euo pipefail
sim=$1
folder=$2
how=(--seeds "$3")
[ "${3#ops=}" = "$3" ] || how=(--ops "${3#ops=}")
shift 3
first=${FIRST:-$(($(date +%s) * 1000000))}
"$sim" --seed "$first" "${how[@]}" "$@" > "$folder/sim.1" 2>&1 &
one=$!
"$sim" --seed $((first + 500000)) "${how[@]}" "$@" > "$folder/sim.2" 2>&1 &
two=$!
bad=0
wait "$one" || bad=1
wait "$two" || bad=1
for out in "$folder/sim.1" "$folder/sim.2"; do
    sed -n '/^seed /,+3p; /<- never/p' "$out"
    tail -n 2 "$out"
done
awk '/^ops acknowledged/ {a += $3; l += $6; d += $8}
    END {printf "in all: ops acknowledged %d, ops lost %d, divergences %d\n", a, l, d}' \
    "$folder/sim.1" "$folder/sim.2"
exit $bad
