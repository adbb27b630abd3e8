#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# Ten years of a record, then: a practitioner who gets them by one grant, and one who gets none of them.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
joins e 'Dr Ancien' medecin
patient_of a
for year in 2016 2019 2022 2025; do
    on a record add treatment --patient "$patient" --set "drug=traitement de $year" --set 'posology=1 le matin'
done
together e a
on a member revoke --member "${member[e]}" # who leaves; what is written from now on has other keys
stop e
joins b 'Dr Petit' medecin
joins c 'Inès Leroy' infirmier
# What they wrote before she came, a newcomer doesn't read; what is written now, she does.
for node in b c; do
    "$ML_BIN/maille" patient find lefevre --home "$work/$node" > "$work/text"
    ! grep -q Lefèvre "$work/text" || die "$node reads what is older than he is: $(cat "$work/text")"
done
refused c 'Seul un coordinateur ou un référent peut le faire' member history --member "${member[b]}"
reads a "Dr Petit reçoit aussi ce qui fut écrit avant son arrivée, pour ce que son rôle lit" member history --member "${member[b]}"
together b a
together c a
reads b 'traitement de 2016' timeline "$patient"
for year in 2019 2022 2025; do
    grep -q "traitement de $year" "$work/text" || die "$year is missing: $(cat "$work/text")"
done
"$ML_BIN/maille" patient find lefevre --home "$work/c" > "$work/text"
! grep -q Lefèvre "$work/text" || die "C was given what was B's: $(cat "$work/text")"
refused c "Ce patient n'est pas dans le dossier de ce poste" timeline "$patient"
one_record a b c
patient_of b
on b record add treatment --patient "$patient" --set 'drug=traitement de 2026' --set 'posology=1 le matin'
together b a
together c a
reads c 'traitement de 2026' timeline "$patient"
! grep -q 2016 "$work/text" || die 'C reads what is older'
echo 'history: passed'
