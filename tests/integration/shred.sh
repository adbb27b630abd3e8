#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# Shred with one node absent (issue 4): c is stopped, the patient opposes to her; a destroys what gave
# her the older keys, b does too and signs, the list says that c hasn't answered. c returns, obeys and
# answers: the list is complete, and she reads nothing of what was written before.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
joins b 'Inès Leroy' infirmier
joins c 'Karim Haddad' infirmier
patient_of a
on a record add care_note --patient "$patient" --set 'data=pansement au talon' --set written_at=2026-03-02T09:10
together b a
together c a
together c b
reads c 'pansement au talon' timeline "$patient"

# wiped NODE: how many ops of its log are leaves now.
wiped() {
    local n=1 leaves=0
    while "$ML_BIN/maille" log show --n "$n" --explain --home "$work/$1" > "$work/text" 2> /dev/null; do
        leaves=$((leaves + $(grep -c 'shredded op' "$work/text" || :)))
        n=$((n + 1))
    done
    echo "$leaves"
}
# answers NODE DONE AWAITED: who signed that the older keys are gone, as this node knows it.
answers() {
    on "$1" consent receipts --patient "$patient"
    same "signed, as $1 knows it" "$(grep -c '"destroyed": true' "$work/answer.json" || :)" "$2"
    same "awaited, as $1 knows it" "$(grep -c '"destroyed": false' "$work/answer.json" || :)" "$3"
}

stop c
on a consent oppose --patient "$patient" --person "${member[c]}"
together b a
together a b
answers a 2 1
answers b 2 1
reads a 'Karim Haddad, ' consent receipts --patient "$patient"
reads a "Des postes n'ont pas encore détruit les anciennes clés." consent receipts --patient "$patient"
gone=$(wiped a)
[ "$gone" -gt 0 ] || die 'nothing was destroyed on a'
same 'destroyed on b' "$(wiped b)" "$gone"

starts c
together c b # she never meets a again
same 'destroyed on c' "$(wiped c)" "$gone"
together a b
answers a 3 0
answers c 3 0
reads a 'Tous les postes ont signé la destruction des anciennes clés.' consent receipts --patient "$patient"
for node in a b; do
    reads "$node" 'pansement au talon' timeline "$patient"
done
reads c '' timeline "$patient"
! grep -q 'pansement' "$work/text" || die 'c reads what was written before'
one_record a b c
echo 'shred: passed'
