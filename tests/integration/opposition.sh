#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# A patient opposes that one carer sees his record. That is written on A while C is away; then C meets B
# only, and never A. Who hasn't answered is right on each node at each step.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
joins b 'Inès Leroy' infirmier
joins c 'Karim Haddad' kine
patient_of a
on a record add treatment --patient "$patient" --set drug=metformine --set 'posology=1000 mg matin et soir'
treatment=$(answer object)
together b a
together c a
reads c metformine timeline "$patient"
karim=${member[c]}
# waits NODE: on it, Karim's computer hasn't answered; obeyed NODE: it has.
waits() {
    reads "$1" '1 poste(s) n'"'"'ont pas encore répondu' consent receipts --patient "$patient"
    reads "$1" 'Karim Haddad, poste : pas encore de réponse' consent receipts --patient "$patient"
}
obeyed() {
    reads "$1" 'Tous les postes concernés ont répondu.' consent receipts --patient "$patient"
    reads "$1" 'Karim Haddad, poste : appliqué' consent receipts --patient "$patient"
}

# C is away. Who would shut himself out is asked first; then it is said, and holds on A and B.
alone c
refused a 'Cette opposition vous écarterait vous-même' consent oppose --patient "$patient"
reads a 'vaut dès maintenant sur ce poste' consent oppose --patient "$patient" --person "$karim" --means oral
statement=$(sed -n 's/.*poste : //p' "$work/text")
together b a
reads b metformine timeline "$patient"
reads b 'le patient s'"'"'y est opposé' right explain --member "$karim" --patient "$patient" --class 7
grep -q '^Non' "$work/text" || die 'B says that he may'
waits a
waits b
reads c metformine timeline "$patient" # nobody could tell him

# A goes out for good, as far as C knows; C meets B.
stop a
back c
together c b
reads c 'Une décision du patient vous cache une partie du dossier.' timeline "$patient"
! grep -q metformine "$work/text" || die 'C still shows it'
on c timeline "$patient" --text metformine
same 'found by its words' "$(answer total)" 0
reads c Lefèvre patient show "$patient" # who the patient is, and what he wants, stays
! grep -q metformine "$work/text" || die 'C still shows it'
refused c 'une décision du patient vous cache une partie du dossier' record show "$patient" "$treatment"
refused c 'Le patient s'"'"'est opposé à ce que vous voyiez' \
    record add care_note --patient "$patient" --set data=bilan --set written_at=2026-03-02T09:10
grep -q '« maille consent show » dit quand et qui' "$work/text" || die "not what to do: $(cat "$work/text")"
refused c 'vous ne pouvez pas la lever vous-même' consent withdraw --patient "$patient" --statement "$statement"
grep -q 'Demandez à un collègue' "$work/text" || die "not what to do: $(cat "$work/text")"
reads c 'opposition | Karim Haddad' consent show --patient "$patient"
obeyed b
obeyed c

# A comes back, C is away again: A hears of C's answer by B.
alone c
starts a
waits a
together b a
obeyed a
back c
together c b
one_record a b c
# And by the patient's word, written by another than whom it is about, it is there again.
on b consent withdraw --patient "$patient" --statement "$statement"
together c b
reads c metformine timeline "$patient"
echo 'opposition: passed'
