#!/bin/bash
# Nothing of the record is readable on a disk: canaries planted as a name, a note, a search word, a
# draft are found in no file of the home, of the anti-rollback records, of the temporary folder, nor in a core
# file; no database says that it is one. The daemon is killed in the middle, so that the WAL stays.
set -euo pipefail
work=$(mktemp -d)
trap 'pkill -KILL -f -- "--home $work/home" || :; rm -rf "$work"' EXIT
export MAILLE_HOME="$work/home" XDG_STATE_HOME="$work/state" TMPDIR="$work/tmp"
mkdir -p "$work/tmp" && cd "$work/tmp"
maille() { "$ML_BIN/maille" "$@"; }
printf 'phrase de passe canariosecret\n' > "$work/passphrase"
canaries="Canarinomdefamille canarinotedevisite canarimotcherche canaribrouillon canariosecret"
maille org found --name 'MSP Canaristructure' --member-name 'Dr Canarimembre' \
    --passphrase-fd 3 3< "$work/passphrase" > "$work/founded"
patient=$(maille record add patient --set birth_name=Canarinomdefamille \
    --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F --json |
    sed -n 's/.*"object": "\([0-9a-f]*\)".*/\1/p')
[ -n "$patient" ]
maille record add care_note --patient "$patient" --set data=canarinotedevisite \
    --set written_at=2026-03-02T09:10 > /dev/null
maille patient find canarimotcherche > /dev/null
"$ML_BIN/../tests/rpc_call" draft.put patient="$patient" form=care_note content=canaribrouillon
found=$(maille patient find Canarinomdefamille --json | grep -c '"patient": "') # the test can find it
[ "$found" -eq 1 ]
pid=$(cat "$work/home/lock")
kill -ABRT "$pid" # a core file, if the machine writes any, lands in a folder that is searched
flock "$work/home/lock" true # the lock falls with the process
bad=0
for word in $canaries Canaristructure Canarimembre 'SQLite format 3'; do
    if grep -raqF -- "$word" "$work/home" "$work/state" "$work/tmp"; then
        echo "found in clear: $word" >&2
        grep -ralF -- "$word" "$work/home" "$work/state" "$work/tmp" >&2
        bad=1
    fi
done
printf 'Canarinomdefamille' > "$work/home/planted"
grep -raqF Canarinomdefamille "$work/home" || { echo "the search finds nothing" >&2; exit 1; }
exit $bad
