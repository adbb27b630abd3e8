# tests/integration/support_copies.bash -- sourced after support.bash by the stories of a store that
# lives twice: what people do, what they are told, and that nobody's entries go.
# shellcheck shell=bash disable=SC2154 # support.bash sets work, passphrase ...
tell() { printf '%s\n' "$*"; }
# told NODE WHAT COMMAND...: what the user reads, indented; it holds WHAT.
told() {
    local node=$1 what=$2
    shift 2
    "$ML_BIN/maille" "$@" --home "$work/$node" < "$work/phrase" > "$work/text" || die "maille $* failed"
    grep -F 'Attention' "$work/text" | grep -v "clé d'essai" | sed 's/^/    | /' || : # none is met below
    grep -qF -- "$what" "$work/text" || die "maille $*: no « $what » in: $(cat "$work/text")"
}
silent() { # silent NODE: nothing is wrong, and nothing says so
    "$ML_BIN/maille" node status --home "$work/$1" > "$work/text"
    ! grep -qE 'Une sauvegarde|même signature|avec les clés' "$work/text" || die "$1 warns: $(cat "$work/text")"
}
printf '%s\n' "$passphrase" > "$work/phrase"
stop() { # stop NODE
    kill "$(cat "$work/$1/lock")"
    flock "$work/$1/lock" true # until it is gone
}
start() { # start NODE: with a new port; the other one is told
    node_start "$1"
    on "$1" unlock --passphrase-fd 0 <<< "$passphrase"
}
note() { # note NODE TEXT
    on "$1" record add care_note --patient "$patient" --set "data=$2" --set written_at=2026-03-02T09:10
}
copied() { # copied NODE: it and b have the same
    local node=$1
    on "$node" peer add "$id_b" "$(field "$work/b.json" listen)"
    on "$node" sync now
    on "$node" sync wait --timeout-ms 60000
    on b sync wait --timeout-ms 60000
}
# hold "NODE..." TEXT...: these notes and no others are on each, and can be read, greyed or not.
hold() {
    local nodes=$1 node object
    shift
    for node in $nodes; do
        on "$node" timeline "$patient" --entity care_note --limit 100
        sed -n 's/.*"object": "\([0-9a-f]*\)".*/\1/p' "$work/answer.json" > "$work/objects"
        while read -r object; do
            "$ML_BIN/maille" record show "$patient" "$object" --home "$work/$node" > "$work/text"
            grep -oE '(lun|mar|mercre|jeu|vendre|same)di[^[]*, sur (A|B|le double|le triple)' "$work/text" | sort -u
        done < "$work/objects" | sort > "$work/have"
        printf '%s\n' "$@" | sort > "$work/want"
        diff "$work/want" "$work/have" || die "$node has other notes"
    done
}
# equal FORKS NODE...: they have one record, whole, with so many forked writers.
equal() {
    local forks=$1 node hashes=""
    shift
    for node in "$@"; do
        on "$node" verify
        same "integrity of $node" "$(answer integrity)" ok
        same "forks on $node" "$(answer forks)" "$forks"
        same "missing on $node" "$(answer bodies_missing)" 0
        [ -z "$hashes" ] || same 'one record' "$(answer state_hash) $(answer view_hash)" "$hashes"
        hashes="$(answer state_hash) $(answer view_hash)"
    done
}

# Two nodes, a and b ($id_b), of one structure, with a patient.
story_begins() {
    two_nodes
    on b node status
    id_b=$(answer node)
    on a record add patient --set birth_name=Lefèvre --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F
    patient=$(answer patient)
    note a 'lundi, sur A'
    copied a
}
