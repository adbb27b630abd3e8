#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# Ten years of a record, then: a practitioner who gets them by one grant, one who gets none of them, and a
# substitute between two dates, whose rights end by themselves.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
clocked
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

# Dr Blanc replaces Dr Petit for a day. Before, and after it, he may nothing.
joins d 'Dr Blanc' secretaire
writes() { # writes NODE TEXT
    on "$1" record add treatment --patient "$patient" --set "drug=$2" --set 'posology=1 le matin'
}
day() { # day HOURS: as the options take it
    date -d "+$1 hour" +%Y-%m-%dT%H:%M%:z
}
refused a 'un remplacement a une fin (--until)' role grant --member "${member[d]}" --replaces "${member[b]}"
patient_of a
writes a 'prescrit par Dr Roux'
together d a
refused d "Votre rôle ne permet pas d'écrire dans" record add treatment --patient "$patient" --set drug=x --set posology=y
reads a "C'est dit pour Dr Blanc" role grant --member "${member[d]}" --replaces "${member[b]}" \
    --from "$(day 1)" --until "$(day 25)"
together d a
reads d 'Non' right explain --member "${member[d]}" --class 7 --action create
later 0 7200000
on a lock # who has the key gives it as he opens his session, or as he writes
on a unlock --passphrase-fd 0 <<< "$passphrase"
writes a 'prescrit le jour même'
together d a
together d a
reads d 'remplace quelqu'"'"'un, dont il a les rôles : Dr Petit' right explain --member "${member[d]}" --class 7 --action create
grep -q '^Oui' "$work/text" || die "$(cat "$work/text")"
writes d 'pendant le remplacement'
together d a
reads a 'pendant le remplacement' timeline "$patient"
later 0 97200000
refused d "Votre rôle ne permet pas d'écrire dans" record add treatment --patient "$patient" --set drug=x --set posology=y
reads d 'avait reçu un rôle qui est terminé' right explain --member "${member[d]}" --class 7 --action create
reads a 'pendant le remplacement' timeline "$patient" # what he wrote in time stays
one_record a d
echo 'history: passed'
