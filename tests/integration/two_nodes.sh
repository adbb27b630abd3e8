#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# The thinnest path through all folders, by two real processes: found, enrol, write on one, copy,
# write on both while apart, meet, see the same, settle what conflicts.
source "$(dirname "$0")/support.bash"
two_nodes

on a record add patient --set birth_name=Lefèvre --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F
patient=$(answer patient)
on a sync wait --timeout-ms 60000
on b patient find lefevre 03/1979
same 'patient on b' "$(answer patient)" "$patient"

hashes() {
    on "$1" verify
    same integrity "$(answer integrity)" ok
    same 'bodies missing' "$(answer bodies_missing)" 0
    same 'chunks missing' "$(answer chunks_missing)" 0
    echo "$(answer state_hash) $(answer view_hash)"
}
same 'hashes after the first copy' "$(hashes a)" "$(hashes b)"

# Apart: both correct the same field.
on b sync pause
on a record amend "$patient" "$patient" --set birth_date=1979-03-27
on b record amend "$patient" "$patient" --set birth_date=1979-03-29
on b sync resume
on b sync wait --timeout-ms 60000
on a sync wait --timeout-ms 60000
on a conflicts list --patient "$patient"
same 'values that stand side by side' "$(grep -c '"version"' "$work/answer.json")" 2
same 'hashes with a conflict' "$(hashes a)" "$(hashes b)"

on b conflicts list
kept=$(sed -n 's/.*"text": "\([0-9/]*\)".*/\1/p' "$work/answer.json" | sed -n 2p)
on b conflicts resolve "$patient" "$patient" --keep 2
on b sync wait --timeout-ms 60000
on a conflicts list --patient "$patient"
same 'conflicts left' "$(answer total)" 0
on a patient find lefevre
same 'the value that was kept' "$(answer birth_date_text)" "$kept"
same 'hashes once settled' "$(hashes a)" "$(hashes b)"
echo 'two_nodes: passed'
