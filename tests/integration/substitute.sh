#!/bin/bash
# shellcheck disable=SC1091,SC2034,SC2154 # what stands beside this sets work, patient ...
# Dr Blanc replaces Dr Petit from one date to another. Before, he reads nothing; then his key comes by
# itself, and he reads and writes for Dr Petit's patients; then his rights end by themselves.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
clocked
founded
joins b 'Dr Petit' medecin
writes() { # writes NODE TEXT
    on "$1" record add treatment --patient "$patient" --set "drug=$2" --set 'posology=1 le matin'
}
reads_nothing() { # reads_nothing NODE
    "$ML_BIN/maille" patient find lefevre --home "$work/$1" > "$work/text"
    ! grep -q Lefèvre "$work/text" || die "$1 knows the patient: $(cat "$work/text")"
    "$ML_BIN/maille" timeline "$patient" --home "$work/$1" > "$work/text" 2>&1 || : # a patient unknown to it
    ! grep -q remplacement "$work/text" || die "$1 reads: $(cat "$work/text")"
}
another=(record add patient --set birth_name=Noël --set birth_given_names=Luc --set birth_date=1951-03-28
    --set sex=M)
explains() { # explains TEXT: why Dr Blanc may, or not
    reads d "$1" right explain --member "${member[d]}" --class 7 --action create
}
admitted d 'Dr Blanc' medecin
refused a 'un remplacement a une fin (--until)' role grant --member "${member[d]}" --replaces "${member[b]}"
reads a "C'est dit pour Dr Blanc" role grant --member "${member[d]}" --replaces "${member[b]}" \
    --from "$(day 1)" --until "$(day 13)"
arrives d
patient_of b
heads b 1 | sort > "$work/before"
writes b 'avant le remplacement'
heads b 1 | sort > "$work/after"
head=$(comm -13 "$work/before" "$work/after") # of the keys that Dr Petit's node gives
together b a
together d a
stop a # only Dr Petit's node is there when the day comes

# Before.
explains 'a reçu un rôle qui n'"'"'a pas commencé'
reads_nothing d
refused d "Ce patient n'est pas dans le dossier de ce poste" timeline "$patient"
refused d "commence le" "${another[@]}"
grep -q "Rien n'a été écrit : le rôle qui vous permettra d'écrire dans « Identité, contacts », donné par Dr Roux" "$work/text" ||
    die "not who, what and why: $(cat "$work/text")"
grep -q 'Pour commencer plus tôt, demandez à un coordinateur' "$work/text" || die "not what to do: $(cat "$work/text")"

# The day has come, and a minute more, in which Dr Petit's node gives the key. Nobody asks for it.
on b peer add "${id[d]}" "${at[d]}"
later 0 7200000
on b sync status # the clocks were moved: the nodes look at them
on d sync status
later 61000 7261000
on b sync status
on d sync wait --timeout-ms 60000 --until "frontier=${head%/*}/$((${head##*/} + 1))"
reads d 'avant le remplacement' timeline "$patient"
explains "remplace quelqu'un, dont il a les rôles : Dr Petit"
grep -q '^Oui' "$work/text" || die "$(cat "$work/text")"
writes d 'pendant le remplacement'
together d b
reads b 'pendant le remplacement' timeline "$patient"

# The end. Nobody does anything.
later 61000 50461000
reads_nothing d
reads d 'Votre rôle ne vous montre pas :' timeline "$patient"
refused d "Rien n'a été écrit : le rôle qui vous permettait d'écrire dans « Identité, contacts », donné par Dr Roux, est terminé depuis le" "${another[@]}"
grep -q 'Un coordinateur ou un référent vous le donne' "$work/text" || die "not what to do: $(cat "$work/text")"
explains 'avait reçu un rôle qui est terminé'
writes b 'après le remplacement'
together d b
reads_nothing d
reads b 'pendant le remplacement' timeline "$patient" # what he wrote in time stays
one_record b d

# His clock goes back to the day when he might: he has heard what time it is.
stop d
daemon=$ML_BIN/mailled
starts d
reads_nothing d
refused d 'est terminé depuis le' "${another[@]}"
echo 'substitute: passed'
