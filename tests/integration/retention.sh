#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# How a record ends (domain 4.6, ADR 0024), by hand: a record of 2003 is listed, held, refused, released;
# asked for by one it stays, by two its keys are gone on both computers, which sign. A younger one stays.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
joins b 'Dr Inès Leroy' medecin
joins c 'Karim Haddad' infirmier
patient_of a
on a record add treatment --patient "$patient" --effective 2021-06-30 --set drug=ramipril
young=$patient
patient_of a
on a record add treatment --patient "$patient" --effective 2003-03-25 --set drug=metformine
together b a
together c a

refused c 'Votre rôle ne montre pas tout de ce dossier' retention end --patient "$patient"
reads a '1 dossier(s) hors du temps actif' retention list --until 2024-01-01
reads a 'dernier contact le 25/03/2003' retention list
reads a 'à conserver jusqu'\''au 25/03/2023 (20 ans après le dernier contact (25/03/2003))' retention show --patient "$patient"
refused a 'à conserver jusqu'\''au 30/06/2041' retention end --patient "$young"
refused a 'Ces durées ne sont pas permises' retention set --total 19
reads a 'conservés 21 ans' retention set --total 21
refused a "n'est pas un jour" retention list --until demain

reads b 'Dossier gelé' retention hold --patient "$patient" --reason 'expertise en cours'
together b a
refused a 'Ce dossier est gelé' retention end --patient "$patient"
reads a 'expertise en cours' retention show --patient "$patient"
reads a '1 gel(s) levé(s)' retention release --patient "$patient" --reason 'jugement définitif'
together a b

reads a 'Fin demandée par : Dr Roux' retention end --patient "$patient"
together a b
reads b 'metformine' timeline "$patient"
reads b 'Fin demandée par : Dr Roux' retention show --patient "$patient"
reads b 'Toutes les clés de ce dossier sont détruites ici' retention end --patient "$patient"
together b a
together c a
for node in a b c; do
    "$ML_BIN/maille" timeline "$patient" --home "$work/$node" > "$work/text" 2>&1 || :
    ! grep -q 'metformine' "$work/text" || die "$node reads what has ended"
    reads "$node" 'ramipril' timeline "$young"
    reads "$node" 'Au ' retention list
    ! grep -q "$patient" "$work/text" || die "$node still lists it"
done
one_record a b c
reads a 'Traces : chaînes et signatures intactes' trace verify
echo 'retention: passed'
