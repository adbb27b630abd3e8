#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# The only coordinator's computer is gone: what the structure's sheets bring back at a colleague's,
# and what paper gives a person alone, or doesn't (docs/operations.md, 5 and 7; rules B16).
source "$(dirname "$0")/support.bash"
# sheet NUMBER [words|line]: of the last answer
sheet() {
    sed -n 's/.*"'"${2:-words}"'": "\([^"]*\)".*/\1/p' "$work/answer.json" | sed -n "$1p"
}
# gone NODE: killed at once, and nothing of its home is left.
gone() {
    kill -KILL "$(cat "$work/$1/lock")"
    flock "$work/$1/lock" true
    rm -rf "${work:?}/$1"
}
# said NODE WHAT COMMAND...: it is refused, and says that.
said() {
    local node=$1 what=$2
    shift 2
    "$ML_BIN/maille" "$@" --home "$work/$node" > "$work/out" 2> "$work/error.txt" && die "$* was done"
    grep -qF -- "$what" "$work/error.txt" || die "$*: no « $what » in: $(cat "$work/error.txt")"
}
# Five holders, and a colleague who has a copy of what was written.
node_start a
address_a=$address
on a org found --name 'MSP des Tilleuls' --member-name 'Dr Anne Roux' --passphrase-fd 0 <<< "$passphrase"
{ sheet 5; sheet 2 line; sheet 3; } > "$work/three"
on a node status
roux=$(answer member)
on a member add --name 'Léa Morin' --profession infirmier
lea=$(answer member)
on a enrol --member "$lea"
node_start b
address_b=$address
on b enrol --code "$(answer code)" --address "$address_a" --passphrase-fd 0 <<< "$passphrase"
on a record add patient --set birth_name=Lefèvre --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F
patient=$(answer patient)
on a record add care_note --patient "$patient" --set data='Pansement refait' --set written_at=2026-03-02T09:10
on b sync wait --until synced
gone a

# Her computer and three sheets make the colleague coordinator; nobody else's word did.
refuses 1 b member add --name 'Hugo Petit' --profession infirmier
refuses 1 b member revoke --member "$roux"
on b org recover --promote --gone "$roux" --compromised < "$work/three"
on b member add --name 'Hugo Petit' --profession infirmier
hugo=$(answer member)
on b enrol --member "$hugo"
node_start c
on c enrol --code "$(answer code)" --address "$address_b" --passphrase-fd 0 <<< 'la phrase de Hugo ici'
on c member list
same 'ranks at c' "$(grep -o '"rank": [0-9]' "$work/answer.json" | sort | uniq -c | tr -s ' \n' ' ')" ' 1 "rank": 1 1 "rank": 3 '

# Who comes receives what was written before, also by who is gone, and what he writes is heard.
on c patient find lefevre
same 'before the history' "$(answer patient)" ''
on b member history --member "$hugo"
on c sync wait --until synced
on c patient find lefevre
same 'the patient at c' "$(answer patient)" "$patient"
on c timeline "$patient"
grep -q 'Pansement refait' "$work/answer.json" || die 'no note at c'
on c record add care_note --patient "$patient" --set data='Points retirés' --set written_at=2026-03-09T09:10
on c sync wait --until synced
on b timeline "$patient"
grep -q 'Points retirés' "$work/answer.json" || die 'no note at b'
for node in b c; do
    on "$node" quarantine list
    same "left out at $node" "$(answer n)" 0
    on "$node" verify
    same integrity "$(answer integrity)" ok
    answer state_hash > "$work/hash-$node"
done
same 'state at c' "$(cat "$work/hash-c")" "$(cat "$work/hash-b")"

# A person alone: the words reopen, on this computer, what a forgotten passphrase closed.
node_start d
address_d=$address
on d org found --alone --name 'Cabinet Roux' --member-name 'Dr Anne Roux' --passphrase-fd 0 <<< "$passphrase"
{ sheet 3; sheet 1 line; } > "$work/two"
answer member_words > "$work/words"
on d record add patient --set birth_name=Morel --set birth_given_names=Anne --set birth_date=1950-01-02 --set sex=F
patient=$(answer patient)
on d lock
{ cat "$work/words"; echo 'une nouvelle phrase de passe'; } > "$work/change"
on d unlock --recovery --passphrase-fd 0 < "$work/words"
on d passphrase --recovery --passphrase-fd 0 < "$work/change"
on d lock
on d unlock --passphrase-fd 0 <<< 'une nouvelle phrase de passe'
on d patient find morel
same 'the patient at d' "$(answer patient)" "$patient"

# A second computer of hers has it all.
on d node status
alone=$(answer member)
lost=$(answer node)
on d enrol --member "$alone"
node_start e
address_e=$address
on e enrol --code "$(answer code)" --address "$address_d" --passphrase-fd 0 <<< "$passphrase"
on e sync wait --until synced
gone d

# Paper alone gives nothing back, and says so.
node_start f
said f 'du papier seul ne rend aucun dossier' org recover --promote < "$work/two"
said f 'du papier seul ne rend aucun dossier' unlock --recovery --passphrase-fd 0 < "$work/words"
on f org list
grep -q '"org"' "$work/answer.json" && die 'something was made of paper'

# With a copy on another computer she goes on, and nobody is asked.
on e org recover < "$work/two"
same root "$(answer root)" true
on e member revoke --member "$alone" --node "$lost" --compromised
on e enrol --member "$alone"
on f enrol --code "$(answer code)" --address "$address_e" --passphrase-fd 0 <<< "$passphrase"
on e member history --member "$alone"
on f sync wait --until synced
for node in e f; do
    on "$node" patient find morel
    same "the patient at $node" "$(answer patient)" "$patient"
done
refuses 1 f org recover --promote < "$work/two"
same 'coordinator still' "$(answer text)" recover.already
echo 'last_coordinator: passed'
