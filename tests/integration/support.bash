# tests/integration/support.bash -- sourced by the scripts: nodes in a folder of their own, and what to
# expect of them. Nothing sleeps: a started daemon says when it answers, the rest is waited for by
# `maille sync wait`. shellcheck shell=bash
set -euo pipefail
: "${ML_BIN:?set ML_BIN to the folder of the programs}"
work=$(mktemp -d "${TMPDIR:-/tmp}/maille-it-XXXXXX")
export HOME=$work XDG_STATE_HOME=$work/state XDG_RUNTIME_DIR='' LC_ALL=C
passphrase='agrafe cheval correcte pile'

nodes_stop() {
    local lock
    for lock in "$work"/*/lock; do
        [ -f "$lock" ] || continue
        kill "$(cat "$lock")" 2> /dev/null || : # it may have ended by itself
        flock "$lock" true # until it is gone
    done
}
finish() {
    local rc=$?
    if [ "$rc" -ne 0 ]; then
        tail -n 20 "$work"/*/mailled.log >&2 || : # none was written
        echo "pour recommencer : ML_BIN=$ML_BIN ML_SOURCE=${ML_SOURCE:-} bash $0" >&2
    fi
    nodes_stop
    rm -rf "$work"
    exit "$rc"
}
trap finish EXIT

die() {
    echo "$*" >&2
    exit 1
}
# field JSON-FILE KEY: the first value of that name, wherever it stands; one key a line, as we print.
field() {
    sed -n 's/.*"'"$2"'": "\{0,1\}\([^",]*\)"\{0,1\}[,}]\{0,1\}.*/\1/p' "$1" | head -n 1
}
# node_start NAME: its home is $work/NAME; $address is where it listens.
node_start() {
    "${daemon:-$ML_BIN/mailled}" --home "$work/$1" --listen 127.0.0.1:0 --test-keys > "$work/$1.json"
    address=$(field "$work/$1.json" listen)
}
# on NODE COMMAND...: the answer as JSON in $work/answer.json.
on() {
    local node=$1
    shift
    "$ML_BIN/maille" "$@" --home "$work/$node" --json > "$work/answer.json"
}
# refuses CODE NODE COMMAND...: it ends with that code.
refuses() {
    local want=$1 rc=0
    shift
    on "$@" 2> "$work/error.txt" || rc=$?
    [ "$rc" -eq "$want" ] || die "$*: ended with $rc, not $want"
}
answer() {
    field "$work/answer.json" "$1"
}
# same NAME VALUE VALUE
same() {
    [ "$2" = "$3" ] || die "$1: « $2 » is not « $3 »"
}
# Two nodes of one structure: a is the coordinator's, b another member's.
two_nodes() {
    node_start a
    address_a=$address
    node_start b
    on a org found --name 'MSP des Tilleuls' --member-name 'Dr Anne Roux' --passphrase-fd 0 <<< "$passphrase"
    on a member add --name 'Léa Morin' --profession infirmier
    on a enrol --member "$(answer member)"
    on b enrol --code "$(answer code)" --address "$address_a" --passphrase-fd 0 <<< "$passphrase"
}
