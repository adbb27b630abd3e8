#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# A patient opposed that nurses see his record. Then a second team follows him too, while its nurse is away:
# its doctor reads all of him, she nothing, though she meets only that doctor, who never met who said it.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
on a team add 'Soins à domicile'
comes() { # comes NODE NAME PROFESSION: a member of the second team
    admitted "$@"
    on a role grant --member "${member[$1]}" --role "$3" --team 'Soins à domicile'
    arrives "$1"
}
comes b 'Inès Leroy' infirmier
comes c 'Dr Paul Petit' medecin
patient_of a
on a record add treatment --patient "$patient" --set drug=metformine --set 'posology=1000 mg matin et soir'
together b a
together c a
refused b 'patient' patient show "$patient"
refused c 'patient' patient show "$patient"
reads a 'vaut dès maintenant sur ce poste' consent oppose --patient "$patient" --role 60 --means oral

# B is away; who isn't of a team of his can't let his own in.
alone b
refused c 'patient' patient team "$patient" --add 'Soins à domicile'
reads a 'suit maintenant ce patient' patient team "$patient" --add 'Soins à domicile'
reads a 'suit déjà ce patient' patient team "$patient" --add 'Soins à domicile'
together c a
reads c metformine timeline "$patient"
reads c Infirmier consent show --patient "$patient"
on c record add treatment --patient "$patient" --set drug=ramipril --set 'posology=5 mg le matin'

# A goes out; B meets C only.
stop a
back b
together c b
reads b Lefèvre patient show "$patient" # who he is, and what he wants
reads b 'Une décision du patient vous cache une partie du dossier.' timeline "$patient"
! grep -q 'metformine\|ramipril' "$work/text" || die 'the nurse of the second team reads it'
for node in b c; do
    reads "$node" 'le patient s'"'"'y est opposé' right explain --member "${member[b]}" --patient "$patient" --class 7
    grep -q '^Non' "$work/text" || die "$node says that she may"
done
starts a
together c a
together b c
reads a ramipril timeline "$patient"
one_record a b c
